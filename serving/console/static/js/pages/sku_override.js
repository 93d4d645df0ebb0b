/** The form for what a planner knows and the model does not. */

import { notice } from "../dialog.js";
import { addDays, isoDate, midnight } from "../days.js";
import { h, newId } from "../dom.js";
import * as api from "../endpoints.js";
import { selectField } from "../filters.js";
import { texts } from "../texts.js";
import { card } from "../tiles.js";

/** @typedef {import("../endpoints.js").Detail} Detail */

const words = texts.override;

/**
 * @param {Detail} detail
 * @param {() => void} reload
 */
export function overrideCard(detail, reload) {
  const zone = detail.time_zone ?? "UTC";
  const state = { target: "forecast_factor", scope: `sku:${detail.sku}` };
  const [value, hint] = valueField(state);
  const until = field(words.expires, h("input", { type: "date", required: true, value: defaultExpiry(detail, zone) }));
  const reason = field(words.reason, h("input", { type: "text", required: true, maxlength: 500, placeholder: words.reasonHint }));
  const problem = h("p", { class: "problem", role: "alert" });
  const send = async () => {
    const expires_ms = addDays(midnight(until.input.value, zone), 1, zone);
    await api.override({ ...state, value: Number(value.input.value), expires_ms, reason: reason.input.value.trim() });
    notice(words.done);
    reload();
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    send().catch((error) => (problem.textContent = error.message));
  };
  return card(
    words.title,
    words.lead,
    h("form", { class: "form", onsubmit: submit },
      h("div", { class: "fields" }, targetField(state, value, hint), value.element, scopeField(detail, state), until.element),
      reason.element, problem, h("div", {}, h("button", { class: "button primary" }, words.button))),
  );
}

/**
 * @param {string} label
 * @param {HTMLInputElement} input
 */
function field(label, input) {
  input.id = newId("field");
  return { input, element: h("div", {}, h("label", { for: input.id }, label), input) };
}

/**
 * A factor may be any number, a quantity only a whole one; the hint says what the number means.
 * @param {{target: string}} state
 * @returns {[{input: HTMLInputElement, element: HTMLElement}, HTMLElement]}
 */
function valueField({ target }) {
  const id = newId("hint");
  const hint = h("span", { class: "hint", id }, words.sizes[target]);
  const value = field(words.value, h("input", { type: "number", required: true, min: 0, step: "any", "aria-describedby": id }));
  value.element.append(hint);
  return [value, hint];
}

/**
 * @param {{target: string}} state
 * @param {{input: HTMLInputElement}} value
 * @param {HTMLElement} hint
 */
function targetField(state, value, hint) {
  const change = (/** @type {string} */ target) => {
    state.target = target;
    value.input.step = target === "order_quantity" ? "1" : "any";
    hint.textContent = words.sizes[target];
  };
  return selectField({ label: words.target, value: state.target, options: Object.entries(words.targets), change });
}

/**
 * @param {Detail} detail
 * @param {{scope: string}} state
 */
function scopeField({ sku, category, location }, state) {
  const options = /** @type {[string, string][]} */ ([
    [`sku:${sku}`, words.scopes.sku],
    [`category:${category}`, words.scopes.category(category)],
    [`location:${location}`, words.scopes.location(location)],
  ]);
  return selectField({ label: words.scope, value: state.scope, options, change: (scope) => (state.scope = scope) });
}

const DEFAULT_DAYS = 13;

/**
 * Two weeks from the newest review on: the replayed past has its own today.
 * @param {Detail} detail
 * @param {string} zone
 */
const defaultExpiry = ({ as_of_ms }, zone) => isoDate(addDays(as_of_ms ?? Date.now(), DEFAULT_DAYS, zone), zone);
