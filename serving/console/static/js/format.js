/** Numbers with their units, amounts with their currency, days in the location's own time zone. */

import { texts } from "./texts.js";

const LANGUAGE = "en-GB";

const whole = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 1 });
const threeDigits = new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
const percents = new Intl.NumberFormat(LANGUAGE, { style: "percent", maximumFractionDigits: 1 });

const signedPercents = new Intl.NumberFormat(LANGUAGE, { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" });

const signedNumbers = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 1, signDisplay: "exceptZero" });

/** @typedef {{amount: string, currency: string}} Money */

/** @param {number|null|undefined} value */
const unknown = (value) => value === null || value === undefined;

/** @param {number|null|undefined} value */
export const count = (value) => (unknown(value) ? texts.unknown : whole.format(/** @type {number} */ (value)));

/** @param {number|null|undefined} value demand, which may be fractional */
export function demand(value) {
  if (unknown(value)) return texts.unknown;
  const number = /** @type {number} */ (value);
  return (Math.abs(number) < 10 ? oneDigit : whole).format(number);
}

/** @param {number|null|undefined} value */
export const decimal = (value) => (unknown(value) ? texts.unknown : oneDigit.format(/** @type {number} */ (value)));

/** @param {number|null|undefined} value a score such as a loss */
export const score = (value) => (unknown(value) ? texts.unknown : threeDigits.format(/** @type {number} */ (value)));

/** @param {number|null|undefined} value */
export const units = (value) => (unknown(value) ? texts.unknown : `${count(value)} ${texts.units(value)}`);

/** @param {number|null|undefined} share 0 to 1 */
export const percent = (share) => (unknown(share) ? texts.unknown : percents.format(/** @type {number} */ (share)));

/** @param {number} value a change, with its sign */
export const signed = (value) => signedNumbers.format(value);

/** @param {number|null|undefined} share a change, with its sign */
export const signedPercent = (share) => (unknown(share) ? texts.unknown : signedPercents.format(/** @type {number} */ (share)));

/**
 * @param {number|null|undefined} value
 * @param {string} currency ISO 4217; empty where the catalogue has not told it yet
 * @param {number} [digits]
 */
export function amount(value, currency, digits = 0) {
  if (unknown(value)) return texts.unknown;
  const look = currency ? { style: /** @type {const} */ ("currency"), currency } : {};
  const format = new Intl.NumberFormat(LANGUAGE, { ...look, minimumFractionDigits: digits, maximumFractionDigits: digits });
  return format.format(/** @type {number} */ (value));
}

/** @param {Money|null|undefined} value the sum of an order */
export const money = (value) => (value ? amount(Number(value.amount), value.currency) : texts.unknown);

/** @param {Money|null|undefined} value the price of one unit */
export const unitPrice = (value) => (value ? amount(Number(value.amount), value.currency, 2) : texts.unknown);

/** The zone of days and instants that name no other: the shop's, where its locations share one. */
let shopZone = "UTC";

/** @param {string} timeZone */
export const useTimeZone = (timeZone) => (shopZone = timeZone);

/** @type {Map<string, Intl.DateTimeFormat>} */
const dayFormats = new Map();

/**
 * @param {string} timeZone
 * @param {Intl.DateTimeFormatOptions} options
 */
function dayFormat(timeZone, options) {
  const key = timeZone + JSON.stringify(options);
  const known = dayFormats.get(key) ?? new Intl.DateTimeFormat(LANGUAGE, { timeZone, ...options });
  dayFormats.set(key, known);
  return known;
}

/**
 * @param {number|null|undefined} ms since 1970 UTC
 * @param {string} [timeZone]
 */
export function day(ms, timeZone = shopZone) {
  if (unknown(ms)) return texts.unknown;
  return dayFormat(timeZone, { day: "numeric", month: "short", year: "numeric" }).format(/** @type {number} */ (ms));
}

/**
 * @param {number|null|undefined} ms
 * @param {string} [timeZone]
 */
export function weekday(ms, timeZone = shopZone) {
  if (unknown(ms)) return texts.unknown;
  return dayFormat(timeZone, { weekday: "short", day: "numeric", month: "short" }).format(/** @type {number} */ (ms));
}

/**
 * @param {number|null|undefined} ms
 * @param {string} [timeZone]
 */
export function instant(ms, timeZone = shopZone) {
  if (unknown(ms)) return texts.unknown;
  const options = /** @type {const} */ ({ dateStyle: "medium", timeStyle: "short" });
  return dayFormat(timeZone, options).format(/** @type {number} */ (ms));
}

/** @param {number|null|undefined} value seconds */
export function duration(value) {
  if (unknown(value)) return texts.unknown;
  const seconds = /** @type {number} */ (value);
  if (seconds < 90) return `${oneDigit.format(seconds)} s`;
  if (seconds < 5400) return `${whole.format(seconds / 60)} min`;
  if (seconds < 172_800) return `${whole.format(seconds / 3600)} h`;
  return `${count(seconds / 86_400)} d`;
}
