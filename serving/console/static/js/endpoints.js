/** The API, one function per endpoint. */

import { download, read, write } from "./api.js";

/**
 * @template T
 * @typedef {{items: T[], total: number, as_of_ms: number|null}} Page
 */

/** @typedef {"approve"|"hold"|"reject"} Action */
/** @typedef {import("./format.js").Money} Money */

/**
 * @typedef {{kind: string, sku: string, location: string, description: string, category: string, currency: string,
 *   money_at_risk: number, reason: string, decision_id: string|null, decision_status: string|null,
 *   quantity: number|null, cost: Money|null, action: Action|null}} Exception
 */

/**
 * @typedef {{sku: string, location: string, description: string, category: string, supplier: string,
 *   currency: string, on_hand: number|null, backordered: number|null, reserved: number|null, on_order: number|null, stock_value: number|null,
 *   demand_28_days: number|null, days_of_cover: number|null, stock_out_risk: number|null,
 *   money_at_risk: number|null, kinds: string[], forecaster: string|null, decision_id: string|null, decision_status: string|null,
 *   quantity: number|null, action: Action|null}} Row
 */

/** @typedef {Row & {item: any, time_zone: string|null}} Detail `item` is a catalog.items.v1 record */

/**
 * @typedef {{day_ms: number, units: number, views: number, add_to_carts: number, in_stock_share: number|null,
 *   censored: boolean, views_out_of_stock: number|null, promotion_on: number|null, on_hand: number|null}} Day
 */

/**
 * @typedef {{day_ms: number, q05: number, q25: number, q50: number, q75: number, q95: number,
 *   stock_out_probability: number}} ProjectedDay
 */

/** @typedef {{day_ms: number, quantity: number, order_id: string|null, decision_id: string|null}} Arrival */

/**
 * @typedef {{origin_ms: number, day_ms: number, forecaster: string, q10: number, q50: number, q90: number,
 *   actual: number|null, censored: boolean}} PastForecast
 */

/**
 * @typedef {{origin: string, days: number, reference: number, drivers: {name: string, units: number}[],
 *   forecast: number, published: number|null, same_context: boolean|null}} Drivers
 */

/**
 * @param {string} location
 * @param {string} sku
 */
const ofSku = (location, sku) => `/v1/skus/${encodeURIComponent(location)}/${encodeURIComponent(sku)}`;

/** Writes carry a key, so that a repeated request has one effect. */
function once() {
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
  return { headers: { "idempotency-key": bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("") } };
}

/** @returns {Promise<import("./session.js").Person>} */
export const me = () => read("/v1/me");

/** @returns {Promise<Page<Exception> & {counts: Record<string, number>, money: Record<string, number>}>} */
export const exceptions = (/** @type {any} */ query) => read("/v1/exceptions", query);

/** @returns {Promise<Page<Row>>} */
export const skus = (/** @type {any} */ query) => read("/v1/skus", query);

/** @returns {Promise<Record<"category"|"location"|"supplier", string[]>>} what lists can be filtered by */
export const labels = () => read("/v1/labels");

/** Every row of a list that matches, as a file. */
export const exported = (/** @type {"skus"|"exceptions"} */ list, /** @type {any} */ query) =>
  download(`/v1/export/${list}.csv`, query, `${list}.csv`);

/** @returns {Promise<Detail>} */
export const skuDetail = (/** @type {string} */ location, /** @type {string} */ sku) => read(ofSku(location, sku));

/** @returns {Promise<{items: Day[]}>} */
export const skuDays = (/** @type {string} */ location, /** @type {string} */ sku) =>
  read(`${ofSku(location, sku)}/days`, { days: 84 });

/** @returns {Promise<{origin_ms: number, items: ProjectedDay[], arrivals: Arrival[]}>} */
export const projection = (/** @type {string} */ location, /** @type {string} */ sku) => read(`${ofSku(location, sku)}/projection`);

/** @returns {Promise<{items: PastForecast[]}>} */
export const pastForecasts = (/** @type {string} */ location, /** @type {string} */ sku, /** @type {string} */ horizon_days) =>
  read(`${ofSku(location, sku)}/history`, { horizon_days });

/** @returns {Promise<any>} a demand.forecasts.v1 record */
export const forecast = (/** @type {string} */ location, /** @type {string} */ sku) =>
  read(`/v1/forecasts/${encodeURIComponent(location)}/${encodeURIComponent(sku)}`);

/** @returns {Promise<Drivers>} what moved the latest forecast; it takes seconds */
export const drivers = (/** @type {string} */ location, /** @type {string} */ sku) =>
  read(`/v1/forecasts/${encodeURIComponent(location)}/${encodeURIComponent(sku)}/drivers`);

/** @returns {Promise<Page<any>>} inventory.reorder-decisions.v1 records, newest first */
export const decisionHistory = (/** @type {string} */ location, /** @type {string} */ sku) =>
  read("/v1/decisions", { location, sku, history: true, limit: 26 });

/** @returns {Promise<any>} an inventory.reorder-decisions.v1 record */
export const decision = (/** @type {string} */ id) => read(`/v1/decisions/${encodeURIComponent(id)}`);

/** @returns {Promise<import("./pages/sku_decision.js").Steps>} */
export const decisionSteps = (/** @type {string} */ id) => read(`/v1/decisions/${encodeURIComponent(id)}/steps`);

/** @returns {Promise<Page<any>>} those that apply to the SKU */
export const overridesOf = (/** @type {string} */ location, /** @type {string} */ sku) => read("/v1/overrides", { location, sku });

/** @returns {Promise<Page<any>>} */
export const actionsOf = (/** @type {string} */ location, /** @type {string} */ sku) =>
  read("/v1/decision-actions", { location, sku });

export const override = (/** @type {object} */ body) => write("/v1/overrides", body, once());

export const withdraw = (/** @type {string} */ id, /** @type {string} */ reason) =>
  write(`/v1/overrides/${encodeURIComponent(id)}/withdraw`, { reason }, once());

/** @returns {Promise<{accepted: string[], refused: {decision_id: string, detail: string}[]}>} */
export const act = (/** @type {Action} */ event_type, /** @type {string[]} */ decision_ids, /** @type {string} */ reason) =>
  write("/v1/decision-actions", { event_type, decision_ids, reason }, once());

/** @returns {Promise<any>} both plans; nothing is written */
export const whatIf = (/** @type {object} */ body) => write("/v1/what-if", body);

/** @returns {Promise<any>} */
export const scorecard = (/** @type {any} */ query) => read("/v1/scorecard", query);

/** @returns {Promise<any>} */
export const overrideValue = () => read("/v1/override-value");

/** @returns {Promise<any>} */
export const models = () => read("/v1/models");

/** @returns {Promise<any>} */
export const system = () => read("/v1/system");

/** @returns {Promise<{watched: boolean, items: any[], prometheus_link: string|null, grafana_link: string|null}>} */
export const alerts = () => read("/v1/alerts");

/** @returns {Promise<Page<any>>} */
export const audit = (/** @type {any} */ query) => read("/v1/audit", query);
