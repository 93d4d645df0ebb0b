/** The live plan and the scenario side by side, what changed, and what service would cost. */

import { xyChart } from "../charts/curve.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { listed } from "../listed.js";
import { skuAddress } from "../router.js";
import { tag } from "../tags.js";
import { texts } from "../texts.js";
import { card } from "../tiles.js";

const words = texts.whatIf;

/** A review is at a local midnight, and a local noon lies in the same UTC day. */
const HALF_DAY_MS = 43_200_000;

/**
 * @param {any} answer
 * @returns {Node[]}
 */
export function result(answer) {
  return [
    card(words.result, words.resultLead(answer.recomputed, format.day(answer.epoch_ms + HALF_DAY_MS)), sameTag(answer), comparison(answer)),
    answer.curve && card(words.curveTitle, words.curveLead, curve(answer)),
    answer.changed > 0 && card(words.lines, words.linesLead(answer.changed), lines(answer)),
  ].filter(Boolean);
}

/** @param {any} answer */
const sameTag = ({ changed }) => changed === 0 && h("p", {}, tag(words.nothing, "good"));

/** @param {any} answer */
function comparison({ baseline, scenario }) {
  const currency = baseline.cost.currency;
  const stock = (/** @type {number|null} */ value) => format.amount(value, currency);
  /** @type {[string, string, (value: any) => string, (value: any) => number|null][]} */
  const rows = [
    [words.orders, "orders", format.count, Number],
    [words.units, "units", format.units, Number],
    [words.cost, "cost", format.money, amountOf],
    [words.fillRate, "fill_rate", format.percent, (value) => value],
    [words.cycleService, "cycle_service", format.percent, (value) => value],
    [words.stockValue, "stock_value", stock, (value) => value],
    [words.cash, "cash", format.money, amountOf],
  ];
  const columns = /** @type {import("../listed.js").Listed[]} */ ([
    ["", ([name]) => name],
    [words.live, ([, field, shown]) => shown(baseline[field]), "numeric"],
    [words.scenario, ([, field, shown]) => h("b", {}, shown(scenario[field])), "numeric"],
    [words.difference, ([, field, , number]) => difference(number(baseline[field]), number(scenario[field]), field), "numeric"],
  ]);
  columns[0][0] = words.figure;
  return listed(words.result, columns, rows, words.nothing);
}

/** @param {import("../format.js").Money|null} value */
const amountOf = (value) => (value ? Number(value.amount) : null);

const SHARES = new Set(["fill_rate", "cycle_service"]);

/**
 * Shares differ in percentage points, everything else in per cent of the live plan.
 * @param {number|null} before
 * @param {number|null} after
 * @param {string} field
 */
function difference(before, after, field) {
  if (before === null || after === null) return texts.unknown;
  if (before === after) return words.same;
  if (SHARES.has(field)) return words.points(format.signed((after - before) * 100));
  return before === 0 ? format.signed(after) : format.signedPercent(after / before - 1);
}

/** @param {any} answer */
function lines({ lines: rows, baseline }) {
  /** @type {import("../listed.js").Listed[]} */
  const columns = [
    [texts.skus.item, ({ sku, location }) => h("a", { href: skuAddress(sku, location) }, `${sku} · ${location}`)],
    [words.live, (row) => format.count(row.baseline_quantity), "numeric"],
    [words.scenario, (row) => format.count(row.quantity), "numeric"],
    [words.difference, (row) => format.signed(row.quantity - row.baseline_quantity), "numeric"],
    [words.moreCost, (row) => signedMoney(amountOf(row.cost), amountOf(row.baseline_cost), baseline.cost.currency), "numeric"],
  ];
  return listed(words.lines, columns, rows, words.nothing);
}

/**
 * @param {number|null} after
 * @param {number|null} before
 * @param {string} currency
 */
function signedMoney(after, before, currency) {
  const change = (after ?? 0) - (before ?? 0);
  return `${change > 0 ? "+" : ""}${format.amount(change, currency)}`;
}

/** @param {any} answer */
function curve({ curve: points, scenario, baseline }) {
  const currency = baseline.cost.currency;
  const known = points.filter((/** @type {any} */ point) => point.fill_rate !== null);
  const costs = known.map((/** @type {any} */ point) => ({ x: Number(point.cost.amount), y: point.fill_rate, name: format.percent(point.cycle_service_level) }));
  costs.sort((/** @type {any} */ one, /** @type {any} */ other) => one.x - other.x);
  return xyChart({
    label: words.curveTitle,
    points: costs,
    here: scenario.fill_rate === null ? null : { x: Number(scenario.cost.amount), y: scenario.fill_rate },
    nameLabel: words.service,
    xLabel: words.curveX,
    yLabel: words.curveY,
    showX: (value) => format.amount(value, currency),
    showY: format.percent,
  });
}
