/** Questions to the same engine that plans; the live plan is never touched. */

import { h, newId } from "../dom.js";
import { skus, whatIf as ask } from "../endpoints.js";
import { selectField } from "../filters.js";
import * as format from "../format.js";
import { empty, part, show } from "../states.js";
import { texts } from "../texts.js";
import { card } from "../tiles.js";
import { result } from "./what_if_result.js";

const words = texts.whatIf;

/**
 * @typedef {Object} Question
 * @property {string|null} planning_group null where there is only one
 * @property {string} scope
 * @property {number} lead_time_days_added
 * @property {number|null} cycle_service_level null leaves every SKU's own
 * @property {number} demand_factor
 * @property {number} price_factor
 * @property {import("../format.js").Money|"unlimited"|null} budget null leaves the policy's
 * @property {boolean} curve
 */

/** @returns {Question} the live plan itself */
const unchanged = () => ({ planning_group: null, scope: "all", lead_time_days_added: 0, cycle_service_level: null, demand_factor: 1, price_factor: 1, budget: null, curve: false });

/**
 * @param {import("../router.js").Route} route
 * @returns {Node[]}
 */
export function whatIf({ query }) {
  const question = { ...unchanged(), scope: query.get("scope", "all") };
  const place = h("div", { class: "stack" }, card(words.result, "", empty(words.start, words.startHint)));
  const run = () => show(place, () => ask(question), result);
  const asked = () => part("", () => skus({ limit: 1 }), ({ items }) => form(question, items[0]?.currency ?? "", run));
  return [
    h("div", { class: "page-head" }, h("div", {}, h("h1", {}, words.title), h("p", {}, words.lead))),
    h("div", { class: "narrow-and-wide" }, card(words.question, "", asked()), place),
  ];
}

/**
 * @param {Question} question
 * @param {string} currency the shop's
 * @param {() => void} run
 */
function form(question, currency, run) {
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    run();
  };
  return h(
    "form",
    { class: "form", onsubmit: submit },
    textField({ label: words.scope, value: question.scope === "all" ? "" : question.scope, placeholder: words.scopeHint, pattern: "(sku|category|location):.+", change: (scope) => (question.scope = scope || "all") }),
    textField({ label: words.group, value: "", placeholder: words.groupHint, change: (group) => (question.planning_group = group || null) }),
    slider({ label: words.leadTime, min: -7, max: 28, step: 1, value: 0, show: words.days, change: (days) => (question.lead_time_days_added = days) }),
    serviceField(question),
    slider({ label: words.demand, min: 0.25, max: 3, step: 0.05, value: 1, show: factor, change: (value) => (question.demand_factor = value) }),
    slider({ label: words.price, min: 0.5, max: 1.5, step: 0.05, value: 1, show: factor, change: (value) => (question.price_factor = value) }),
    budgetField(question, currency),
    tickField(words.curve, (ticked) => (question.curve = ticked)),
    h("div", { class: "buttons" }, h("button", { class: "button primary" }, words.run)),
  );
}

const factor = (/** @type {number} */ value) => (value === 1 ? words.same : format.signedPercent(value - 1));

/**
 * @param {{label: string, min: number, max: number, step: number, value: number, show: (value: number) => string, change: (value: number) => void}} field
 */
function slider({ label, min, max, step, value, show: shown, change }) {
  const id = newId("slider");
  const output = h("output", { for: id }, shown(value));
  const input = h("input", { id, type: "range", min, max, step, value, oninput: moved });
  input.value = String(value); // set after the bounds, which would otherwise clamp it
  function moved() {
    output.textContent = shown(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
    change(Number(input.value));
  }
  return h("div", { class: "slider" }, h("label", { for: id }, label), output, input);
}

/** @param {Question} question */
function serviceField(question) {
  const service = slider({
    label: words.service, min: 0.8, max: 0.995, step: 0.005, value: 0.95, show: format.percent,
    change: (value) => (question.cycle_service_level = value),
  });
  const own = tickField(words.ownTargets, (ticked) => {
    service.hidden = ticked;
    question.cycle_service_level = ticked ? null : Number(service.querySelector("input")?.value);
  }, true);
  service.hidden = true;
  return h("div", {}, own, service);
}

/**
 * @param {string} label
 * @param {(ticked: boolean) => void} change
 * @param {boolean} [checked]
 */
function tickField(label, change, checked = false) {
  const id = newId("tick");
  const box = h("input", { id, type: "checkbox", checked, onchange: () => change(box.checked) });
  return h("div", { class: "tick" }, box, h("label", { for: id }, label));
}

/** @param {{label: string, value: string, placeholder: string, pattern?: string, change: (value: string) => void}} field */
function textField({ label, value, placeholder, pattern, change }) {
  const id = newId("text");
  const input = h("input", { id, value, placeholder, pattern, oninput: () => change(input.value.trim()) });
  return h("div", {}, h("label", { for: id }, label), input);
}

/**
 * @param {Question} question
 * @param {string} currency
 */
function budgetField(question, currency) {
  const id = newId("budget");
  const amount = h("input", { id, type: "number", min: 0, step: 100, oninput: take });
  const place = h("div", { hidden: true }, h("label", { for: id }, words.amount(currency)), amount);
  function take() {
    question.budget = { amount: amount.value || "0", currency };
  }
  const change = (/** @type {string} */ choice) => {
    place.hidden = choice !== "amount";
    if (choice === "amount") take();
    else question.budget = choice === "unlimited" ? "unlimited" : null;
  };
  const options = /** @type {[string, string][]} */ (Object.entries(words.budgets));
  return h("div", { class: "fields" }, selectField({ label: words.budget, value: "policy", options, change }), place);
}
