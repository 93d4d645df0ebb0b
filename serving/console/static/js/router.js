/** Addresses are `#/page/argument?query`, so the server needs to know none of them. */

/**
 * @typedef {Object} Route
 * @property {string} page
 * @property {string[]} parts what follows the page
 * @property {Query} query
 * @property {AbortSignal} signal ends what the page listens to when it is left
 */

/** The part of the address after `?`: what a page shows can be sent to somebody as a link. */
export class Query extends EventTarget {
  /** @param {string} text */
  constructor(text) {
    super();
    this.values = new URLSearchParams(text);
  }

  /**
   * @param {string} name
   * @param {string} [otherwise]
   */
  get(name, otherwise = "") {
    return this.values.get(name) ?? otherwise;
  }

  /**
   * Takes the values over, drops empty ones and dispatches `change`; the page is not built again.
   * @param {Record<string, string|number|null>} values
   */
  set(values) {
    for (const [name, value] of Object.entries(values)) {
      if (value === null || value === "") this.values.delete(name);
      else this.values.set(name, String(value));
    }
    const text = this.values.toString();
    history.replaceState(null, "", location.hash.split("?")[0] + (text ? `?${text}` : ""));
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * @param {AbortSignal} signal
 * @returns {Route}
 */
export function currentRoute(signal) {
  const [path, text = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [page, ...parts] = path.split("/").map(decodeURIComponent);
  return { page: page || "today", parts, query: new Query(text), signal };
}

/**
 * @param {string} page
 * @param {string[]} [parts]
 * @param {Record<string, string>} [query]
 */
export function address(page, parts = [], query = {}) {
  const text = new URLSearchParams(query).toString();
  return `#/${[page, ...parts].map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/**
 * @param {string} sku
 * @param {string} location
 */
export const skuAddress = (sku, location) => address("sku", [location, sku]);
