/** One approval, hold or rejection for every chosen decision. */

import { askReason, notice } from "./dialog.js";
import { h } from "./dom.js";
import { act } from "./endpoints.js";
import * as format from "./format.js";
import { texts } from "./texts.js";

/** @typedef {import("./endpoints.js").Action} Action */

/**
 * Shows itself while decisions are chosen.
 * @param {import("./selection.js").Selection<any>} selection
 * @param {() => void} reload
 */
export function bulkBar(selection, reload) {
  const words = h("b", {});
  const button = (/** @type {Action} */ action, className = "") =>
    h("button", { class: `button ${className}`, onclick: () => ask(action, selection, reload) }, texts.verbs[action]);
  const clear = h("button", { class: "button", onclick: () => selection.clear() }, texts.today.clear);
  const buttons = h("div", { class: "buttons" }, clear, button("reject"), button("hold"), button("approve", "primary"));
  const bar = h("div", { class: "bulk", role: "region", "aria-label": texts.today.decision, hidden: true }, words, buttons);
  selection.addEventListener("change", () => {
    bar.hidden = selection.chosen.size === 0;
    words.textContent = `${texts.table.chosen(selection.chosen.size)} · ${sums(selection)}`;
  });
  return bar;
}

/**
 * What is chosen, in units and money.
 * @param {import("./selection.js").Selection<any>} selection
 */
function sums(selection) {
  const rows = [...selection.chosen.values()];
  const units = rows.reduce((sum, row) => sum + (row.quantity ?? 0), 0);
  const amount = rows.reduce((sum, row) => sum + Number(row.cost?.amount ?? 0), 0);
  return `${format.units(units)} · ${format.amount(amount, rows[0]?.currency ?? "")}`;
}

/**
 * @param {Action} action
 * @param {import("./selection.js").Selection<any>} selection
 * @param {() => void} reload
 */
function ask(action, selection, reload) {
  const ids = [...selection.chosen.keys()];
  const send = async (/** @type {string} */ reason) => {
    const { accepted, refused } = await act(action, ids, reason);
    if (accepted.length) notice(texts.today.done(texts.actions[action], accepted.length));
    if (refused.length) notice(texts.today.refused(refused.length, refused[0].detail));
    selection.clear();
    reload();
  };
  const verb = texts.verbs[action];
  askReason({ title: texts.today.act(verb, ids.length), details: texts.today.actDetails(sums(selection)), confirm: verb, send });
}
