/** Filters and an order that somebody wants again, by name; they stay in this browser. */

import { askName } from "./dialog.js";
import { h } from "./dom.js";
import { selectField } from "./filters.js";
import { address } from "./router.js";
import { texts } from "./texts.js";

const words = texts.views;
const KEY = "views";

/** @typedef {Record<string, string>} Views the part of the address after `?`, by name */

/** @returns {Record<string, Views>} by page; none where the storage holds something else */
function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    return {};
  }
}

/**
 * @param {string} page
 * @param {(views: Views) => void} change
 */
function store(page, change) {
  const all = stored();
  all[page] = { ...all[page] };
  change(all[page]);
  localStorage.setItem(KEY, JSON.stringify(all));
}

/**
 * A choice of the page's views, and buttons that keep what is shown as one and forget it again.
 * @param {string} page
 * @param {import("./router.js").Query} query
 */
export function savedViews(page, query) {
  const place = h("div", { class: "views" });
  const draw = () => place.replaceChildren(...controls(page, query, draw));
  query.addEventListener("change", draw);
  draw();
  return place;
}

/**
 * @param {string} page
 * @param {import("./router.js").Query} query
 * @param {() => void} draw
 * @returns {Node[]}
 */
function controls(page, query, draw) {
  const views = stored()[page] ?? {};
  const here = shown(query);
  const name = Object.keys(views).find((each) => views[each] === here) ?? "";
  const options = /** @type {[string, string][]} */ ([["", words.none], ...Object.keys(views).sort().map((each) => [each, each])]);
  const go = (/** @type {string} */ chosen) => (location.hash = `${address(page)}${views[chosen] ? `?${views[chosen]}` : ""}`);
  const keep = async (/** @type {string} */ answer) => (store(page, (all) => (all[answer] = here)), draw());
  const save = () => askName({ title: words.saveTitle, details: words.saveDetails, confirm: words.save, send: keep });
  const forget = () => (store(page, (all) => delete all[name]), draw());
  return [
    selectField({ label: words.label, value: name, options, change: go }),
    name ? h("button", { class: "button", onclick: forget }, words.remove) : h("button", { class: "button", onclick: save }, words.save),
  ];
}

/** @param {import("./router.js").Query} query */
function shown(query) {
  const values = new URLSearchParams(query.values);
  values.delete("offset");
  values.sort();
  return values.toString();
}
