/** Tables that are short enough to come whole. */

import { h } from "./dom.js";
import { empty } from "./states.js";

/** @typedef {[string, (row: any) => any, string?]} Listed a title, a cell, and `numeric` */

/**
 * @param {string} caption read out, not shown
 * @param {Listed[]} columns
 * @param {any[]} rows
 * @param {string} none
 */
export function listed(caption, columns, rows, none) {
  if (rows.length === 0) return empty(none);
  const table = h(
    "table",
    {},
    h("caption", { class: "read-only" }, caption),
    h("thead", {}, h("tr", {}, columns.map(([title, , className]) => h("th", { scope: "col", class: className }, title)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, columns.map(([, cell, className]) => h("td", { class: className }, cell(row)))))),
  );
  return h("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": caption }, table);
}
