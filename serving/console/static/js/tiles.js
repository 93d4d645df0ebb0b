/** The few figures a page begins with, and lists of facts. */

import { h } from "./dom.js";

/** @param {[string, any, any][]} figures name, value and a word about it */
export const tiles = (figures) =>
  h("div", { class: "tiles" }, figures.map(([name, value, word]) => h("dl", { class: "tile" }, h("dt", {}, name), h("dd", {}, value), word && h("dd", {}, word))));

/** @param {any[]} rows names with values; empty rows are left out */
export const factList = (rows) =>
  h("dl", { class: "facts" }, rows.filter(Boolean).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));

/**
 * @param {string} title
 * @param {string} lead
 * @param {...any} children
 */
export const card = (title, lead, ...children) => cardWith(title, lead, null, ...children);

/**
 * @param {string} title
 * @param {string} lead
 * @param {Node|null} control stands beside the title
 * @param {...any} children
 */
export const cardWith = (title, lead, control, ...children) =>
  h(
    "section",
    { class: "card" },
    h("div", { class: "card-head" }, h("div", {}, h("h2", {}, title), lead && h("p", {}, lead)), control),
    children,
  );
