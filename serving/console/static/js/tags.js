/** Small coloured words for what a row is; the colour repeats the word, it never replaces it. */

import { h } from "./dom.js";
import { skuAddress } from "./router.js";
import { texts } from "./texts.js";

const KIND_LOOKS = { stock_out_ahead: "danger", blocked_decision: "danger", late_supplier: "warning", budget_cut: "warning", input_stale: "warning" };
const STATUS_LOOKS = { order: "info", blocked: "danger" };
const ACTION_LOOKS = { approve: "good", hold: "warning", reject: "danger" };

/**
 * @param {string} word
 * @param {string} [look]
 */
export const tag = (word, look = "") => h("span", { class: `tag ${look}` }, word);

/** @param {string} kind */
export const kindTag = (kind) => tag(texts.kinds[kind] ?? kind, KIND_LOOKS[kind]);

/** @param {string|null} status */
export const statusTag = (status) => (status ? tag(texts.statuses[status] ?? status, STATUS_LOOKS[status]) : null);

/** @param {string|null} action */
export const actionTag = (action) => (action ? tag(texts.actions[action] ?? action, ACTION_LOOKS[action]) : null);

/** @param {{sku: string, location: string, description: string}} row */
export const rowName = ({ sku, location, description }) =>
  h("div", { class: "row-name" }, h("a", { href: skuAddress(sku, location) }, description || sku), h("span", {}, named(sku, description) ? `${sku} · ${location}` : location));

/**
 * @param {string} sku
 * @param {string} description which some catalogues fill with the SKU
 */
const named = (sku, description) => description !== "" && description !== sku;
