/** The newest decision: from what was wanted to what is ordered, with every reason, and a planner's word on it. */

import { waterfall } from "../charts/waterfall.js";
import { askReason, notice } from "../dialog.js";
import { h } from "../dom.js";
import * as api from "../endpoints.js";
import * as format from "../format.js";
import { mayWrite } from "../session.js";
import { empty, part } from "../states.js";
import { actionTag, statusTag } from "../tags.js";
import { texts } from "../texts.js";
import { card, factList } from "../tiles.js";

/** @typedef {import("../endpoints.js").Detail} Detail */
/** @typedef {{wanted: number, ordered: number, steps: {reason: string, before: number, after: number, detail: string}[], words: string}} Steps */

/**
 * @param {Detail} detail
 * @param {() => void} reload
 */
export function decisionCard(detail, reload) {
  const words = texts.decision;
  const id = detail.decision_id;
  if (!id) return card(words.title, "", empty(words.none));
  const load = () => Promise.all([api.decision(id), api.decisionSteps(id)]);
  return card(words.title, "", part("stack", load, ([decision, steps]) => body(detail, decision, steps, reload)));
}

/**
 * @param {Detail} detail
 * @param {any} decision
 * @param {Steps} steps
 * @param {() => void} reload
 */
function body(detail, decision, steps, reload) {
  return [
    h("div", { class: "chips" }, h("b", { class: "big" }, format.units(decision.quantity)), statusTag(decision.status), actionTag(detail.action)),
    h("p", {}, why(decision)),
    h("p", { class: "muted" }, steps.words),
    waterfall(waterfallSteps(steps)),
    factList(facts(detail, decision)),
    mayWrite() && buttons(detail, reload),
  ].filter(Boolean);
}

/** @param {any} decision one line that says what the quantity is */
function why({ status, unconstrained_quantity, inputs }) {
  const words = texts.decision.reasonLines;
  if (status === "blocked") return words.blocked;
  if (inputs.replenishment) return words.policy(format.count(unconstrained_quantity), inputs.replenishment.policy);
  const line = unconstrained_quantity > 0 ? words.wanted : words.covered;
  return line(format.count(unconstrained_quantity), format.percent(inputs.cycle_service_level));
}

/**
 * @param {Steps} steps
 * @returns {import("../charts/waterfall.js").Step[]}
 */
function waterfallSteps({ wanted, ordered, steps }) {
  const words = texts.decision;
  return [
    { name: words.wanted, from: 0, to: wanted, value: format.count(wanted), look: "whole" },
    ...steps.map((step) => ({ name: texts.reasons[step.reason] ?? step.reason, from: step.before, to: step.after, value: change(step), note: step.detail, look: /** @type {const} */ ("change") })),
    { name: words.ordered, from: 0, to: ordered, value: format.count(ordered), look: "whole" },
  ];
}

/** @param {{before: number, after: number}} step equal quantities are a remark only */
function change({ before, after }) {
  if (before === after) return texts.decision.remark;
  return `${after > before ? "+" : "−"}${format.count(Math.abs(after - before))}`;
}

/**
 * @param {Detail} detail
 * @param {any} decision
 */
function facts(detail, { inputs, cost, expected_receipt_ms, epoch_ms, forecaster, supplier }) {
  const words = texts.decision;
  const zone = detail.time_zone ?? inputs.time_zone;
  return [
    [words.cost, format.money(cost)],
    [words.receipt, format.day(expected_receipt_ms, zone)],
    [words.epoch, format.day(epoch_ms, zone)],
    [words.by, texts.forecasterNames[forecaster] ?? texts.unknown],
    [texts.sku.onHand, format.units(inputs.on_hand)],
    inputs.backordered && [texts.sku.backordered, format.units(inputs.backordered)],
    inputs.reserved && [texts.sku.reserved, format.units(inputs.reserved)],
    [words.open, openOrders(inputs.open_orders)],
    [words.lead, leadTimes(inputs.lead_times)],
    [words.review, texts.sku.leadDays(inputs.review_period_days)],
    [words.service, format.percent(inputs.cycle_service_level)],
    [texts.sku.fact.supplier, supplier],
  ];
}

/** @param {{outstanding: number}[]} orders */
function openOrders(orders) {
  const outstanding = orders.reduce((sum, order) => sum + order.outstanding, 0);
  return orders.length ? texts.decision.openOrders(orders.length, format.units(outstanding)) : texts.decision.noOpen;
}

/** @param {{days: number, receipts: number}[]} counts */
function leadTimes(counts) {
  const days = counts.map((one) => one.days);
  const receipts = counts.reduce((sum, one) => sum + one.receipts, 0);
  return texts.decision.leadTimes(Math.min(...days), Math.max(...days), receipts);
}

/**
 * @param {Detail} detail
 * @param {() => void} reload
 */
const buttons = (detail, reload) =>
  h(
    "div",
    { class: "buttons" },
    button("approve", detail, reload, "primary"),
    button("hold", detail, reload),
    button("reject", detail, reload),
  );

/**
 * @param {import("../endpoints.js").Action} action
 * @param {Detail} detail
 * @param {() => void} reload
 * @param {string} [look]
 */
function button(action, detail, reload, look = "") {
  const verb = texts.verbs[action];
  const send = async (/** @type {string} */ reason) => {
    const { refused } = await api.act(action, [/** @type {string} */ (detail.decision_id)], reason);
    if (refused.length) throw new Error(refused[0].detail);
    notice(texts.today.done(texts.actions[action], 1));
    reload();
  };
  const ask = () => askReason({ title: texts.decision.act(verb), details: texts.decision.actDetails, confirm: verb, send });
  return h("button", { class: `button ${look}`, disabled: detail.action === action, onclick: ask }, verb);
}
