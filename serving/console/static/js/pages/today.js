/** What needs attention now, dearest first, and one approval for many decisions. */

import { exceptions } from "../endpoints.js";
import { bulkBar } from "../bulk.js";
import { h } from "../dom.js";
import { exportButton, labelFields, searchField } from "../filters.js";
import * as format from "../format.js";
import { Selection } from "../selection.js";
import { mayWrite } from "../session.js";
import { serverTable } from "../table.js";
import { actionTag, kindTag, rowName, statusTag } from "../tags.js";
import { texts } from "../texts.js";
import { savedViews } from "../views.js";

/** @typedef {import("../endpoints.js").Exception} Exception */

const SORT = "-money_at_risk";

/**
 * @param {import("../router.js").Route} route
 * @returns {Node[]}
 */
export function today({ query, signal }) {
  const lead = h("p", {});
  const chips = h("div", { class: "chips", role: "group", "aria-label": texts.today.kind });
  const selection = new Selection(decisionOf, (/** @type {Exception} */ row) => row.description || row.sku);
  const load = async (/** @type {any} */ paging) => {
    const answer = await exceptions({ ...chosen(query), ...paging });
    lead.textContent = texts.today.lead(format.day(answer.as_of_ms));
    chips.replaceChildren(...kindChips(answer, query));
    return answer;
  };
  const table = serverTable({
    caption: texts.today.caption, columns: COLUMNS, query, sort: SORT, load, none: texts.today.none,
    selection: mayWrite() ? selection : undefined,
  });
  document.addEventListener("livechange", table.reload, { signal });
  const tools = h("div", { class: "tools" }, savedViews("today", query), exportButton("exceptions", () => chosen(query)));
  return [
    h("div", { class: "page-head" }, h("div", {}, h("h1", {}, texts.today.title), lead), tools),
    chips,
    h("section", { class: "card stack" }, h("div", { class: "filters" }, searchField(query), labelFields(query, ["category", "location"])), table.element),
    bulkBar(selection, table.reload),
  ];
}

const FILTERS = ["kind", "q", "category", "location"];

/** @param {import("../router.js").Query} query */
const chosen = (query) => ({ ...Object.fromEntries(FILTERS.map((name) => [name, query.get(name)])), sort: query.get("sort", SORT) });

/** @param {Exception} row only an order can be approved, and only once */
const decisionOf = (row) => (row.decision_status === "order" && row.action !== "approve" ? row.decision_id : null);

const COLUMNS = [
  { title: texts.today.item, cell: rowName },
  { title: texts.today.kind, cell: (/** @type {Exception} */ row) => kindTag(row.kind) },
  { title: texts.today.why, cell: (/** @type {Exception} */ row) => row.reason },
  { title: texts.today.money, cell: (/** @type {Exception} */ row) => h("b", {}, format.amount(row.money_at_risk, row.currency)), sort: "money_at_risk", numeric: true },
  { title: texts.today.decision, cell: decisionCell, numeric: true },
  { title: texts.today.state, cell: (/** @type {Exception} */ row) => actionTag(row.action) ?? statusTag(row.decision_status) },
];

/** @param {Exception} row */
function decisionCell(row) {
  if (!row.quantity) return texts.unknown;
  return [format.units(row.quantity), h("div", { class: "muted" }, format.money(row.cost))];
}

/**
 * @param {{counts: Record<string, number>, money: Record<string, number>, items: Exception[]}} answer
 * @param {import("../router.js").Query} query
 */
function kindChips({ counts, money, items }, query) {
  const currency = items[0]?.currency ?? "";
  const chosen = query.get("kind");
  const chip = (/** @type {string} */ kind, /** @type {string} */ name, /** @type {number} */ n, /** @type {number} */ amount) =>
    h(
      "button",
      { class: "chip", "aria-pressed": String(chosen === kind), onclick: () => query.set({ kind: chosen === kind ? "" : kind, offset: null }) },
      h("span", {}, name),
      h("b", {}, format.count(n)),
      h("span", {}, format.amount(amount, currency)),
    );
  const sum = (/** @type {Record<string, number>} */ numbers) => Object.values(numbers).reduce((all, one) => all + one, 0);
  const kinds = Object.keys(counts).filter((kind) => counts[kind] > 0 || kind === chosen).sort((one, other) => (money[other] ?? 0) - (money[one] ?? 0));
  return [
    chip("", texts.today.all, sum(counts), sum(money)),
    ...kinds.map((kind) => chip(kind, texts.kinds[kind] ?? kind, counts[kind], money[kind] ?? 0)),
  ];
}
