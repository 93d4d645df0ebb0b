/** The little Markdown of the runbook: paragraphs, bold, code, blocks of code. Elements are built, never parsed. */

import { h } from "./dom.js";

/** @param {string} text */
export const markdown = (text) =>
  h("div", { class: "markdown" }, text.split("```").map((part, number) => (number % 2 ? block(part) : part.split(/\n\n+/).filter(isText).map(paragraph))));

/** @param {string} part */
const isText = (part) => part.trim() !== "";

/** @param {string} code what follows the fence on its line is its language */
const block = (code) => h("pre", { tabindex: 0 }, code.replace(/^\w*\n/, "").trim());

/** @param {string} text */
const paragraph = (text) => h("p", {}, text.trim().split(/(\*\*[^*]+\*\*|`[^`]+`)/).map(piece));

/** @param {string} text */
function piece(text) {
  if (text.startsWith("**")) return h("b", {}, text.slice(2, -2));
  return text.startsWith("`") ? h("code", {}, text.slice(1, -1)) : text;
}
