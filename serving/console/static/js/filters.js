/** Fields above a table; what they hold is part of the address. */

import { h, newId } from "./dom.js";
import { texts } from "./texts.js";

const TYPING_MS = 250;

/** @param {import("./router.js").Query} query */
export function searchField(query) {
  const id = newId("search");
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;
  const input = h("input", { id, type: "search", value: query.get("q"), placeholder: texts.table.searchHint, oninput: later });
  function later() {
    clearTimeout(timer);
    timer = setTimeout(() => query.set({ q: input.value.trim(), offset: null }), TYPING_MS);
  }
  return h("div", { class: "field search" }, h("label", { for: id }, texts.table.search), input);
}

/**
 * @param {{label: string, value: string, options: [string, string][], change: (value: string) => void}} field
 *   options are values with their names
 */
export function selectField({ label, value, options, change }) {
  const id = newId("select");
  const choices = options.map(([key, name]) => h("option", { value: key, selected: key === value }, name));
  const select = h("select", { id, onchange: () => change(select.value) }, choices);
  return h("div", { class: "field" }, h("label", { for: id }, label), select);
}
