/** Whether it works: service against target, stock, forecast quality, and what overrides were worth. */

import { histogram } from "../charts/histogram.js";
import { plot } from "../charts/plot.js";
import { h } from "../dom.js";
import * as api from "../endpoints.js";
import { selectField } from "../filters.js";
import * as format from "../format.js";
import { listed } from "../listed.js";
import { empty, part } from "../states.js";
import { tag } from "../tags.js";
import { texts } from "../texts.js";
import { card, tiles } from "../tiles.js";

const words = texts.scorecard;
const PERIODS = ["7", "28", "56", "84"];

/**
 * @param {import("../router.js").Route} route
 * @returns {Node[]}
 */
export function scorecard({ query }) {
  const load = () => api.scorecard({ days: query.get("days", "28") });
  const body = () => part("stack", load, (answer) => [numbers(answer), daily(answer), accuracy(answer.accuracy)]);
  const place = h("div", {}, body());
  const period = selectField({
    label: words.period,
    value: query.get("days", "28"),
    options: PERIODS.map((days) => [days, words.lastDays(days)]),
    change: (days) => (query.set({ days }), place.replaceChildren(body())),
  });
  return [
    h("div", { class: "page-head" }, h("div", {}, h("h1", {}, words.title), h("p", {}, words.lead)), period),
    place,
    card(words.value.title, words.value.lead, part("", api.overrideValue, overrideValue)),
  ];
}

/** @param {any} answer */
function numbers(answer) {
  return tiles([
    [words.fillRate, format.percent(answer.fill_rate), words.fillRateHint],
    [words.cycleService, format.percent(answer.cycle_service), words.target(format.percent(answer.cycle_service_target))],
    [words.stockOuts, format.count(answer.stock_out_days), words.ofDays(format.count(answer.sku_days))],
    [words.stockValue, format.amount(answer.stock_value, answer.currency), words.stockValueHint],
    [words.turns, format.decimal(answer.turns), words.turnsHint],
  ]);
}

/** @param {any} answer */
function daily({ days, currency }) {
  if (days.length === 0) return card(words.daily, "", empty(words.none));
  const shared = { days: days.map((/** @type {any} */ one) => one.day_ms), timeZone: words.zone, height: 220, group: "scorecard" };
  const values = (/** @type {string} */ name) => days.map((/** @type {any} */ one) => one[name]);
  const share = (/** @type {string} */ name, /** @type {string} */ field, /** @type {string} */ paint) => ({ name, values: values(field), paint, scale: /** @type {const} */ ("share"), show: format.percent });
  const money = (/** @type {number|null} */ value) => format.amount(value, currency);
  return h(
    "div",
    { class: "columns" },
    card(words.daily, words.dailyLead, plot({
      ...shared,
      label: words.daily,
      unit: words.stockOuts,
      series: [
        { name: words.stockOuts, values: values("stock_outs"), paint: "--plot-second", look: "bars" },
        share(words.fillRate, "fill_rate", "--plot-arrival"),
        share(words.covered, "covered_80", "--plot-past"),
      ],
    })),
    card(words.stockValue, words.stockLead, plot({
      ...shared,
      label: words.stockValue,
      unit: currency ?? "",
      series: [{ name: words.stockValue, values: values("stock_value"), paint: "--plot-forecast", show: money }],
    })),
  );
}

/** @param {any[]} rows */
function accuracy(rows) {
  /** @type {import("../listed.js").Listed[]} */
  const columns = [
    [words.abc, (row) => (row.abc_class === "all" ? words.allClasses : row.abc_class)],
    [words.horizon, (row) => texts.sku.leadDays(row.horizon_days), "numeric"],
    [words.scored, (row) => format.count(row.scored), "numeric"],
    [words.wql, (row) => format.score(row.wql), "numeric"],
    [words.bias, (row) => format.signedPercent(row.bias), "numeric"],
    [words.covers80, (row) => coverage(row.covered_80, 0.8), "numeric"],
    [words.covers95, (row) => coverage(row.covered_95, 0.95), "numeric"],
    [words.pit, (row) => row.pit && histogram(words.pit, row.pit)],
  ];
  return card(words.accuracy, words.accuracyLead, listed(words.accuracy, columns, rows, words.none));
}

const NEAR = 0.05;

/**
 * @param {number|null} share
 * @param {number} wanted
 */
function coverage(share, wanted) {
  if (share === null) return texts.unknown;
  return tag(format.percent(share), Math.abs(share - wanted) <= NEAR ? "good" : "warning");
}

/** @param {{items: any[]}} answer */
function overrideValue({ items }) {
  const own = words.value;
  const error = (/** @type {any} */ row, /** @type {number} */ size) => own.errors[row.target](format.decimal(size));
  /** @type {import("../listed.js").Listed[]} */
  const columns = [
    [own.author, (row) => row.author],
    [own.reason, (row) => row.reason],
    [own.category, (row) => row.category],
    [own.target, (row) => texts.override.targets[row.target]],
    [own.overrides, (row) => format.count(row.overrides), "numeric"],
    [own.scored, (row) => format.count(row.scored), "numeric"],
    [own.model, (row) => error(row, row.model_error), "numeric"],
    [own.override, (row) => error(row, row.override_error), "numeric"],
    [own.added, (row) => valueAdded(row.value_added), "numeric"],
  ];
  return listed(own.title, columns, items, own.none);
}

/** @param {number|null} share of the error that the override removed */
const valueAdded = (share) => (share === null ? texts.unknown : tag(format.signedPercent(share), share >= 0 ? "good" : "danger"));
