/** Local days: midnights in a location's own time zone, which 23- and 25-hour days do not upset. */

const DAY_MS = 86_400_000;

/**
 * @param {number} ms
 * @param {string} timeZone
 * @returns {string} YYYY-MM-DD there, as date fields want it
 */
export function isoDate(ms, timeZone) {
  return new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).format(ms);
}

/**
 * @param {string} date YYYY-MM-DD
 * @param {string} timeZone
 * @returns {number} its midnight there, in ms since 1970 UTC
 */
export function midnight(date, timeZone) {
  const asUtc = Date.parse(`${date}T00:00:00Z`);
  const first = asUtc - offset(asUtc, timeZone);
  return asUtc - offset(first, timeZone);
}

/**
 * @param {number} ms
 * @param {string} timeZone
 * @returns {number} what that zone is ahead of UTC then
 */
function offset(ms, timeZone) {
  const shown = new Date(ms).toLocaleString("sv-SE", { timeZone });
  return Date.parse(`${shown.replace(" ", "T")}Z`) - ms;
}

/**
 * @param {number} ms a local midnight
 * @param {number} count of days later
 * @param {string} timeZone
 * @returns {number} the midnight of that day
 */
export function addDays(ms, count, timeZone) {
  return midnight(isoDate(ms + (count + 0.5) * DAY_MS, timeZone), timeZone);
}
