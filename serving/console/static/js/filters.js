/** Fields above a table; what they hold is part of the address. */

import { notice } from "./dialog.js";
import { h, newId } from "./dom.js";
import * as api from "./endpoints.js";
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

/**
 * Choices among the catalogue's names, each where there is more than one to choose from.
 * @param {import("./router.js").Query} query
 * @param {("category"|"location"|"supplier")[]} names
 */
export function labelFields(query, names) {
  const place = h("div", { class: "filters" });
  const field = (/** @type {string} */ name, /** @type {string[]} */ labels) =>
    selectField({
      label: texts.table.labels[name],
      value: query.get(name),
      options: [["", texts.skus.any], ...labels.map((label) => /** @type {[string, string]} */ ([label, label]))],
      change: (value) => query.set({ [name]: value, offset: null }),
    });
  const draw = (/** @type {Record<string, string[]>} */ labels) =>
    place.replaceChildren(...names.filter((name) => labels[name].length > 1 || query.get(name)).map((name) => field(name, labels[name])));
  api.labels().then(draw, (error) => notice(error.message));
  return place;
}

/**
 * @param {"skus"|"exceptions"} list
 * @param {() => Record<string, string>} chosen the filters and the order
 */
export function exportButton(list, chosen) {
  const button = h("button", { class: "button", onclick: send }, texts.table.export);
  async function send() {
    button.disabled = true;
    await api.exported(list, chosen()).catch((error) => notice(error.message));
    button.disabled = false;
  }
  return button;
}
