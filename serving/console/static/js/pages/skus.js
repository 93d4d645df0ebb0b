/** Every SKU with its stock and next order; the server sorts, filters and pages. */

import { h } from "../dom.js";
import { skus as list } from "../endpoints.js";
import { exportButton, labelFields, searchField, selectField } from "../filters.js";
import * as format from "../format.js";
import { serverTable } from "../table.js";
import { actionTag, rowName, statusTag } from "../tags.js";
import { texts } from "../texts.js";
import { savedViews } from "../views.js";

/** @typedef {import("../endpoints.js").Row} Row */

const SORT = "-stock_value";

/**
 * @param {import("../router.js").Route} route
 * @returns {Node[]}
 */
export function skus({ query, signal }) {
  const load = (/** @type {any} */ paging) => list({ ...chosen(query), ...paging });
  const table = serverTable({ caption: texts.skus.caption, columns: COLUMNS, query, sort: SORT, load, none: texts.skus.none });
  document.addEventListener("livechange", table.reload, { signal });
  const tools = h("div", { class: "tools" }, savedViews("skus", query), exportButton("skus", () => chosen(query)));
  const filters = h("div", { class: "filters" }, searchField(query), ...selects(query), labelFields(query, ["category", "supplier", "location"]));
  return [
    h("div", { class: "page-head" }, h("div", {}, h("h1", {}, texts.skus.title), h("p", {}, texts.skus.lead)), tools),
    h("section", { class: "card stack" }, filters, table.element),
  ];
}

const FILTERS = ["q", "status", "kind", "category", "supplier", "location"];

/** @param {import("../router.js").Query} query */
const chosen = (query) => ({ ...Object.fromEntries(FILTERS.map((name) => [name, query.get(name)])), sort: query.get("sort", SORT) });

/** @param {import("../router.js").Query} query */
function selects(query) {
  const field = (/** @type {string} */ name, /** @type {string} */ label, /** @type {Record<string, string>} */ names) =>
    selectField({
      label,
      value: query.get(name),
      options: [["", texts.skus.any], ...Object.entries(names)],
      change: (value) => query.set({ [name]: value, offset: null }),
    });
  return [field("status", texts.skus.status, texts.statuses), field("kind", texts.today.exception, texts.kinds)];
}

const COLUMNS = [
  { title: texts.skus.item, cell: rowName, sort: "sku" },
  { title: texts.skus.supplier, cell: (/** @type {Row} */ row) => h("span", { class: "whole" }, row.supplier) },
  { title: texts.skus.onHand, cell: (/** @type {Row} */ row) => format.count(row.on_hand), sort: "on_hand", numeric: true },
  { title: texts.skus.onOrder, cell: (/** @type {Row} */ row) => format.count(row.on_order), sort: "on_order", numeric: true },
  { title: texts.skus.value, cell: (/** @type {Row} */ row) => format.amount(row.stock_value, row.currency), sort: "stock_value", numeric: true },
  { title: texts.skus.demand, cell: (/** @type {Row} */ row) => format.demand(row.demand_28_days), sort: "demand_28_days", numeric: true },
  { title: texts.skus.cover, cell: (/** @type {Row} */ row) => format.decimal(row.days_of_cover), sort: "days_of_cover", numeric: true },
  { title: texts.skus.risk, cell: (/** @type {Row} */ row) => format.percent(row.stock_out_risk), sort: "stock_out_risk", numeric: true },
  { title: texts.skus.order, cell: (/** @type {Row} */ row) => (row.quantity ? format.count(row.quantity) : texts.unknown), sort: "quantity", numeric: true },
  { title: texts.skus.status, cell: (/** @type {Row} */ row) => actionTag(row.action) ?? statusTag(row.decision_status) },
];
