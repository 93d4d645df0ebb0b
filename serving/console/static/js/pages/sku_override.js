/** The form for what a planner knows and the model does not. */

import { addDays, isoDate, midnight } from "../days.js";
import { notice } from "../dialog.js";
import { h, newId } from "../dom.js";
import * as api from "../endpoints.js";
import { selectField } from "../filters.js";
import { texts } from "../texts.js";
import { card } from "../tiles.js";

/** @typedef {import("../endpoints.js").Detail} Detail */
/** @typedef {{input: HTMLInputElement, element: HTMLElement}} Field */

const words = texts.override;
const DEFAULT_DAYS = 14;

/**
 * @param {Detail} detail
 * @param {number} now
 * @param {() => void} reload
 */
export function overrideCard(detail, now, reload) {
  const zone = detail.time_zone ?? "UTC";
  const fields = fieldsOf(midnight(isoDate(now, zone), zone), zone);
  const choice = { target: "forecast_factor", scope: `sku:${detail.sku}|${detail.location}` };
  const problem = h("p", { class: "problem", role: "alert" });
  const send = async () => {
    await api.override({ ...choice, ...said(fields, choice.target, zone) });
    notice(words.done);
    reload();
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    send().catch((error) => (problem.textContent = error.message));
  };
  const { value, from, to, expires, reason } = fields;
  const selects = [targetField(choice, fields), scopeField(detail, choice)];
  return card(
    words.title,
    words.lead,
    h(
      "form",
      { class: "form", onsubmit: submit },
      h("div", { class: "fields" }, selects, value.element, from.element, to.element, expires.element),
      reason.element,
      problem,
      h("div", {}, h("button", { class: "button primary" }, words.button)),
    ),
  );
}

/**
 * @param {number} today
 * @param {string} zone
 */
function fieldsOf(today, zone) {
  const later = isoDate(addDays(today, DEFAULT_DAYS - 1, zone), zone);
  const date = (/** @type {string} */ label, /** @type {string} */ value) => field(label, { type: "date", required: true, value });
  return {
    value: field(words.value, { type: "number", required: true, min: 0, step: "any" }, words.sizes.forecast_factor),
    from: date(words.from, isoDate(today, zone)),
    to: date(words.to, later),
    expires: date(words.expires, later),
    reason: field(words.reason, { type: "text", required: true, minlength: 3, maxlength: 500, placeholder: words.reasonHint }),
  };
}

/**
 * @param {string} label
 * @param {Record<string, any>} attributes
 * @param {string} [hint]
 * @returns {Field}
 */
function field(label, attributes, hint = "") {
  const id = newId("field");
  const hintId = newId("hint");
  const input = h("input", { id, ...attributes, "aria-describedby": hint && hintId });
  const explained = hint && h("span", { class: "hint", id: hintId }, hint);
  return { input, element: h("div", {}, h("label", { for: id }, label), input, explained) };
}

/**
 * Days are named in the shop's zone and include the last one. Only a factor has days of demand.
 * @param {Record<string, Field>} fields
 * @param {string} target
 * @param {string} zone
 */
function said({ value, from, to, expires, reason }, target, zone) {
  const start = (/** @type {Field} */ day) => midnight(day.input.value, zone);
  const end = (/** @type {Field} */ day) => addDays(start(day), 1, zone);
  const dates = target === "forecast_factor" ? { from_ms: start(from), to_ms: end(to) } : {};
  return { value: Number(value.input.value), expires_ms: end(expires), reason: reason.input.value.trim(), ...dates };
}

/**
 * @param {{target: string}} choice
 * @param {Record<string, Field>} fields
 */
function targetField(choice, { value, from, to }) {
  const change = (/** @type {string} */ target) => {
    choice.target = target;
    const isQuantity = target === "order_quantity";
    value.input.step = isQuantity ? "1" : "any";
    /** @type {HTMLElement} */ (value.element.lastChild).textContent = words.sizes[target];
    for (const { element, input } of [from, to]) {
      element.hidden = isQuantity;
      input.required = !isQuantity;
    }
  };
  return selectField({ label: words.target, value: choice.target, options: Object.entries(words.targets), change });
}

/**
 * @param {Detail} detail
 * @param {{scope: string}} choice
 */
function scopeField({ sku, category, location }, choice) {
  const options = /** @type {[string, string][]} */ ([
    [`sku:${sku}|${location}`, words.scopes.here],
    [`sku:${sku}`, words.scopes.everywhere],
    [`category:${category}`, words.scopes.category(category)],
    [`location:${location}`, words.scopes.location(location)],
  ]);
  return selectField({ label: words.scope, value: choice.scope, options, change: (scope) => (choice.scope = scope) });
}
