/** What a part of a page shows while it waits, when there is nothing, and when something went wrong. */

import { h } from "./dom.js";
import { ApiError } from "./api.js";
import { texts } from "./texts.js";

export const loading = () =>
  h("div", { class: "state loading", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), texts.loading);

/**
 * @param {string} title
 * @param {string} [hint]
 */
export const empty = (title, hint = "") =>
  h("div", { class: "state empty" }, h("p", { class: "state-title" }, title), hint && h("p", {}, hint));

/**
 * @param {Error} error
 * @param {() => void} retry
 */
export function failed(error, retry) {
  const status = error instanceof ApiError ? error.status : -1;
  const title = texts.errors.titles[status] ?? texts.errors.title;
  return h(
    "div",
    { class: "state failed", role: "alert" },
    h("p", { class: "state-title" }, title),
    h("p", {}, error.message),
    h("button", { class: "button", onclick: retry }, texts.retry),
  );
}

/**
 * Shows what `render` makes of what `load` brings, and the states on the way; a later call wins over an earlier.
 * @template T
 * @param {HTMLElement} place
 * @param {() => Promise<T>} load
 * @param {(value: T) => Node|Node[]} render
 * @returns {Promise<void>}
 */
export async function show(place, load, render) {
  const turn = String(Number(place.dataset.turn ?? 0) + 1);
  place.dataset.turn = turn;
  if (!place.hasChildNodes()) place.replaceChildren(loading());
  place.setAttribute("aria-busy", "true");
  const shown = await load()
    .then(render)
    .catch((error) => failed(error, () => show(place, load, render)));
  if (place.dataset.turn !== turn) return;
  const focusAgain = keptFocus(place);
  place.replaceChildren(...[shown].flat());
  focusAgain();
  place.setAttribute("aria-busy", "false");
}

/**
 * Somebody's place on the keyboard outlives a new drawing.
 * @param {HTMLElement} place
 * @returns {() => void} focuses what looks the same as what had the focus
 */
function keptFocus(place) {
  const held = document.activeElement;
  if (!held || !place.contains(held)) return () => {};
  const looksSame = (/** @type {Element} */ other) => other.textContent === held.textContent && other.ariaLabel === held.ariaLabel;
  return () => /** @type {HTMLElement|undefined} */ ([...place.querySelectorAll(held.tagName)].find(looksSame))?.focus();
}

/**
 * @template T
 * @param {string} className
 * @param {() => Promise<T>} load
 * @param {(value: T) => Node|Node[]} render
 */
export function part(className, load, render) {
  const place = h("div", { class: className });
  show(place, load, render);
  return place;
}
