/** Tables that the server sorts, filters and pages: a hundred thousand rows cost as much as fifty. */

import { h } from "./dom.js";
import { count } from "./format.js";
import { empty, show } from "./states.js";
import { texts } from "./texts.js";

const PAGE_SIZE = 25;

/**
 * @template Row
 * @typedef {Object} Column
 * @property {string} title
 * @property {(row: Row) => any} cell
 * @property {string} [sort] the server's name of the field, where it can sort by it
 * @property {boolean} [numeric]
 */

/**
 * @template Row
 * @typedef {Object} Table
 * @property {string} caption read out, not shown
 * @property {Column<Row>[]} columns the first one names the row
 * @property {import("./router.js").Query} query holds `sort` and `offset`
 * @property {string} sort the order without a choice; a leading minus means descending
 * @property {(paging: {sort: string, offset: number, limit: number}) => Promise<{items: Row[], total: number}>} load
 * @property {string} none
 * @property {import("./selection.js").Selection<Row>} [selection]
 */

/**
 * @template Row
 * @param {Table<Row>} table
 * @returns {{element: HTMLElement, reload: () => Promise<void>}}
 */
export function serverTable(table) {
  const place = h("div", { class: "table-place" });
  const reload = () => show(place, () => table.load(paging(table)), (answer) => rendered(table, answer));
  table.query.addEventListener("change", reload);
  reload();
  return { element: place, reload };
}

/** @param {Table<any>} table */
const paging = (table) => ({
  sort: table.query.get("sort", table.sort),
  offset: Number(table.query.get("offset", "0")),
  limit: PAGE_SIZE,
});

/**
 * @param {Table<any>} table
 * @param {{items: any[], total: number}} answer
 */
function rendered(table, answer) {
  table.selection?.shows(answer.items);
  if (answer.total === 0) return empty(table.none, texts.table.noneHint);
  return [h("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": table.caption }, grid(table, answer.items)), pager(table, answer)];
}

/**
 * @param {Table<any>} table
 * @param {any[]} rows
 */
function grid(table, rows) {
  const heads = table.columns.map((column) => head(table, column));
  return h(
    "table",
    { onkeydown: moveBetweenRows },
    h("caption", { class: "read-only" }, table.caption),
    h("thead", {}, h("tr", {}, table.selection && h("th", { scope: "col", class: "check" }, table.selection.all()), heads)),
    h("tbody", {}, rows.map((row) => line(table, row))),
  );
}

/**
 * @param {Table<any>} table
 * @param {Column<any>} column
 */
function head(table, column) {
  const className = column.numeric ? "numeric" : null;
  if (!column.sort) return h("th", { scope: "col", class: className }, column.title);
  const current = table.query.get("sort", table.sort);
  const descending = current === `-${column.sort}`;
  const order = descending ? "descending" : current === column.sort ? "ascending" : "none";
  const next = descending || (order === "none" && !column.numeric) ? column.sort : `-${column.sort}`;
  const click = () => table.query.set({ sort: next, offset: null });
  return h("th", { scope: "col", class: className, "aria-sort": order }, h("button", { class: "sort", onclick: click }, column.title));
}

/**
 * @param {Table<any>} table
 * @param {any} row
 */
function line(table, row) {
  const [first, ...others] = table.columns;
  return h(
    "tr",
    {},
    table.selection && h("td", { class: "check" }, table.selection.box(row)),
    h("th", { scope: "row" }, first.cell(row)),
    others.map((column) => h("td", { class: column.numeric ? "numeric" : null }, column.cell(row))),
  );
}

/**
 * The arrow keys walk through the rows' links, as in a list.
 * @param {KeyboardEvent} event
 */
function moveBetweenRows(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const target = /** @type {HTMLElement} */ (event.target);
  if (!step || !target.closest("tbody")) return;
  const table = /** @type {HTMLElement} */ (event.currentTarget);
  const links = /** @type {HTMLElement[]} */ ([...table.querySelectorAll("tbody th a")]);
  const here = links.findIndex((link) => link.closest("tr") === target.closest("tr"));
  links[here + step]?.focus();
  event.preventDefault();
}

/**
 * @param {Table<any>} table
 * @param {{items: any[], total: number}} answer
 */
function pager(table, { items, total }) {
  const { offset } = paging(table);
  const to = (/** @type {number} */ start) => () => table.query.set({ offset: start || null });
  return h(
    "nav",
    { class: "pager", "aria-label": texts.table.pages(table.caption) },
    h("span", { class: "muted" }, texts.table.range(count(offset + 1), count(offset + items.length), count(total))),
    h("button", { class: "button", disabled: offset === 0, onclick: to(Math.max(0, offset - PAGE_SIZE)) }, texts.table.previous),
    h("button", { class: "button", disabled: offset + items.length >= total, onclick: to(offset + PAGE_SIZE) }, texts.table.next),
  );
}
