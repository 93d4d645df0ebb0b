/** What was decided, overridden and approved before. */

import { askReason, notice } from "../dialog.js";
import { h } from "../dom.js";
import * as api from "../endpoints.js";
import * as format from "../format.js";
import { listed } from "../listed.js";
import { mayWrite } from "../session.js";
import { part } from "../states.js";
import { statusTag, tag } from "../tags.js";
import { texts } from "../texts.js";
import { card } from "../tiles.js";

/** @typedef {import("../endpoints.js").Detail} Detail */
/** @typedef {import("../listed.js").Listed} Listed */

const words = texts.history;

/**
 * @param {Detail} detail
 * @param {() => void} reload
 */
export function historyCard(detail, reload) {
  const { location, sku } = detail;
  const zone = detail.time_zone ?? "UTC";
  const list = (/** @type {string} */ title, /** @type {() => Promise<any>} */ load, /** @type {(rows: any[]) => Listed[]} */ columns) =>
    card(title, "", part("", load, ({ items }) => listed(title, columns(items), items, words.none)));
  return h(
    "div",
    { class: "wide-and-narrow history" },
    list(words.decisions, () => api.decisionHistory(location, sku), (rows) => decisionColumns(rows, zone)),
    h(
      "div",
      { class: "stack" },
      list(words.overrides, () => api.overridesOf(location, sku), () => overrideColumns(zone, reload)),
      list(words.actions, () => api.actionsOf(location, sku), () => actionColumns(zone)),
    ),
  );
}

/**
 * @param {any[]} decisions
 * @param {string} zone
 * @returns {Listed[]}
 */
function decisionColumns(decisions, zone) {
  const superseded = new Set(decisions.map((one) => one.supersedes).filter(Boolean));
  const state = (/** @type {any} */ one) => [statusTag(one.status), superseded.has(one.decision_id) && [" ", tag(texts.decision.superseded)]];
  return [
    [words.day, (one) => format.day(one.epoch_ms, zone)],
    [words.state, (one) => h("span", {}, state(one))],
    [words.quantity, (one) => format.count(one.quantity), "numeric"],
    [words.cost, (one) => format.money(one.cost), "numeric"],
    [words.why, (one) => reasons(one) || (one.cause === "review" ? words.review : one.cause)],
  ];
}

/** @param {any} decision */
const reasons = ({ adjustments }) => adjustments.map((/** @type {any} */ step) => texts.reasons[step.reason] ?? step.reason).join(", ");

/**
 * @param {string} zone
 * @param {() => void} reload
 * @returns {Listed[]}
 */
function overrideColumns(zone, reload) {
  return [
    [words.what, (one) => [h("b", {}, words.values[one.target](format.decimal(one.value))), h("div", { class: "muted" }, one.scope)]],
    [words.until, (one) => format.day(one.expires_ms - 1, zone)],
    [words.reason, (one) => [one.reason, h("div", { class: "muted" }, one.author)]],
    [words.state, (one) => (one.active ? [tag(words.active, "info"), " ", mayWrite() && withdrawButton(one, reload)] : tag(words.over))],
  ];
}

/**
 * @param {any} override
 * @param {() => void} reload
 */
function withdrawButton({ override_id }, reload) {
  const send = async (/** @type {string} */ reason) => {
    await api.withdraw(override_id, reason);
    notice(words.withdrawn);
    reload();
  };
  const ask = () => askReason({ title: words.withdrawTitle, details: words.withdrawDetails, confirm: words.withdraw, send });
  return h("button", { class: "button small", onclick: ask }, words.withdraw);
}

/**
 * @param {string} zone
 * @returns {Listed[]}
 */
const actionColumns = (zone) => [
  [words.when, (one) => format.instant(one.event_time_ms, zone)],
  [words.what, (one) => texts.actions[one.event_type]],
  [words.author, (one) => one.author],
  [words.reason, (one) => one.reason],
];
