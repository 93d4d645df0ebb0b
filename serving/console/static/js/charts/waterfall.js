/** Steps from one quantity to another, each bar beginning where the last one ended. */

import { h } from "../dom.js";

/**
 * @typedef {Object} Step
 * @property {string} name
 * @property {number} from
 * @property {number} to
 * @property {string} value
 * @property {string} [note]
 * @property {"whole"|"change"} look
 */

/** @param {Step[]} steps */
export function waterfall(steps) {
  const most = Math.max(1, ...steps.flatMap(({ from, to }) => [from, to]));
  return h("ul", { class: "bars" }, steps.map((step) => line(step, most)));
}

/**
 * @param {Step} step
 * @param {number} most
 */
function line({ name, from, to, value, note, look }, most) {
  const left = Math.min(from, to) / most;
  const width = Math.abs(to - from) / most;
  const change = to > from ? "up" : to < from ? "down" : "remark";
  const style = { left: `${left * 99}%`, width: `${width * 100}%` };
  const bar = h("span", { class: `bar ${look === "change" ? change : ""}`, style });
  return h(
    "li",
    {},
    h("span", {}, name),
    h("span", { class: "bar-track", "aria-hidden": "true" }, bar),
    h("span", { class: "value" }, value),
    note && h("span", { class: "note" }, note),
  );
}
