/** What was sold, what is forecast, and what was forecast then; views and availability below. */

import { futureFrom, shadedDays } from "../charts/marks.js";
import { plot } from "../charts/plot.js";
import { addDays } from "../days.js";
import * as api from "../endpoints.js";
import { h } from "../dom.js";
import { selectField } from "../filters.js";
import * as format from "../format.js";
import { empty, part } from "../states.js";
import { texts } from "../texts.js";
import { card, cardWith } from "../tiles.js";

/** @typedef {import("../endpoints.js").Detail} Detail */
/** @typedef {import("../endpoints.js").Day} Day */
/** @typedef {import("../endpoints.js").PastForecast} PastForecast */

const HORIZONS = ["1", "7", "14", "28"];

/**
 * @param {Detail} detail
 * @param {import("../router.js").Query} query holds which past forecasts are shown
 */
export function demandCard(detail, query) {
  const words = texts.demand;
  const load = () => loadDemand(detail, query.get("past", "1"));
  const body = () => part("chart-place", load, (answer) => demandChart(detail, answer));
  const place = h("div", {}, body());
  const choice = selectField({
    label: words.past,
    value: query.get("past", "1"),
    options: [["none", words.pastNone], ...HORIZONS.map((days) => /** @type {[string, string]} */ ([days, words.pastDays(Number(days))]))],
    change: (value) => (query.set({ past: value }), place.replaceChildren(body())),
  });
  return cardWith(words.title, words.lead, choice, place);
}

/**
 * @param {Detail} detail
 * @param {string} past
 */
async function loadDemand({ location, sku }, past) {
  const [days, forecast, history] = await Promise.all([
    api.skuDays(location, sku),
    orNone(api.forecast(location, sku)),
    past === "none" ? { items: [] } : api.pastForecasts(location, sku, past),
  ]);
  return { days: days.items, forecast, history: history.items };
}

/**
 * A SKU without a forecast still has a past.
 * @param {Promise<any>} answer
 */
const orNone = (answer) =>
  answer.catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });

/**
 * @param {Detail} detail
 * @param {{days: Day[], forecast: any, history: PastForecast[]}} answer
 */
function demandChart(detail, { days, forecast, history }) {
  const words = texts.demand;
  if (days.length === 0 && !forecast) return empty(words.none);
  const zone = detail.time_zone ?? "UTC";
  const ahead = forecastByDay(forecast, zone);
  const all = [...new Set([...days.map((day) => day.day_ms), ...ahead.keys()])].sort((one, other) => one - other);
  const chart = plot({
    label: words.label(detail.description || detail.sku),
    days: all,
    timeZone: zone,
    unit: words.unit,
    group: "sku",
    series: [...soldSeries(days, all), ...pastSeries(history, all), ...aheadSeries(ahead, all)],
    bands: demandBands(history.length > 0),
    marks: [[words.censored, "--plot-censored"]],
    plugins: [
      shadedDays(days.filter((day) => day.censored).map((day) => day.day_ms), "--plot-censored"),
      ...(forecast ? [futureFrom(forecast.origin_ms, words.today)] : []),
    ],
  });
  return forecast ? [chart, h("p", { class: "hint" }, madeBy(forecast, zone))] : chart;
}

/**
 * @param {any} forecast
 * @param {string} zone
 */
const madeBy = (forecast, zone) =>
  texts.demand.forecaster(format.day(forecast.origin_ms, zone), texts.forecasters[forecast.forecaster] ?? forecast.forecaster);

/**
 * @param {any} forecast
 * @param {string} zone
 * @returns {Map<number, Record<string, number>>} quantiles by the day's midnight
 */
function forecastByDay(forecast, zone) {
  if (!forecast) return new Map();
  const at = (/** @type {number} */ level) => forecast.quantile_levels.indexOf(level);
  const named = (/** @type {number[]} */ row) => ({ q025: row[at(0.025)], q10: row[at(0.1)], q50: row[at(0.5)], q90: row[at(0.9)], q975: row[at(0.975)] });
  return new Map(forecast.quantiles.map((/** @type {number[]} */ row, /** @type {number} */ step) => [addDays(forecast.origin_ms, step, zone), named(row)]));
}

/**
 * @param {Day[]} days
 * @param {number[]} all
 * @returns {import("../charts/plot.js").Series[]}
 */
function soldSeries(days, all) {
  const sold = new Map(days.map((day) => [day.day_ms, day.units]));
  return [{ name: texts.demand.sold, values: all.map((ms) => sold.get(ms) ?? null), paint: "--plot-sold", look: "bars" }];
}

/**
 * @param {PastForecast[]} history
 * @param {number[]} all
 * @returns {import("../charts/plot.js").Series[]}
 */
function pastSeries(history, all) {
  if (history.length === 0) return [];
  const then = new Map(history.map((one) => [one.day_ms, one]));
  const values = (/** @type {"q10"|"q50"|"q90"} */ level) => all.map((ms) => then.get(ms)?.[level] ?? null);
  const words = texts.demand;
  return [
    { name: words.pastMedian, values: values("q50"), paint: "--plot-past", look: "dashes" },
    { name: `${words.pastMedian}, ${words.low}`, values: values("q10"), paint: "--plot-past", look: "hidden" },
    { name: `${words.pastMedian}, ${words.high}`, values: values("q90"), paint: "--plot-past", look: "hidden" },
  ];
}

/**
 * @param {Map<number, Record<string, number>>} ahead
 * @param {number[]} all
 * @returns {import("../charts/plot.js").Series[]}
 */
function aheadSeries(ahead, all) {
  const words = texts.demand;
  const levels = { q50: words.forecast, q10: words.low, q90: words.high, q025: words.low95, q975: words.high95 };
  return Object.entries(levels).map(([level, name]) => ({
    name,
    values: all.map((ms) => ahead.get(ms)?.[level] ?? null),
    paint: "--plot-forecast",
    look: level === "q50" ? "line" : "hidden",
  }));
}

/** @param {boolean} withPast */
function demandBands(withPast) {
  const words = texts.demand;
  const then = { name: words.pastBand, between: [`${words.pastMedian}, ${words.high}`, `${words.pastMedian}, ${words.low}`], paint: "--plot-past-band" };
  return /** @type {import("../charts/plot.js").Band[]} */ ([
    ...(withPast ? [then] : []),
    { name: words.wide, between: [words.high95, words.low95], paint: "--plot-wide-band" },
    { name: words.likely, between: [words.high, words.low], paint: "--plot-band" },
  ]);
}

/** @param {Detail} detail */
export function trafficCard(detail) {
  const words = texts.traffic;
  const load = () => api.skuDays(detail.location, detail.sku);
  const render = (/** @type {{items: Day[]}} */ { items }) => (items.length ? trafficChart(detail, items) : empty(texts.demand.none));
  return card(words.title, words.lead, part("chart-place", load, render));
}

/**
 * @param {Detail} detail
 * @param {Day[]} days
 */
function trafficChart(detail, days) {
  const words = texts.traffic;
  return plot({
    label: words.label(detail.description || detail.sku),
    days: days.map((day) => day.day_ms),
    timeZone: detail.time_zone ?? "UTC",
    unit: words.unit,
    height: 200,
    group: "sku",
    series: [
      { name: words.views, values: days.map((day) => day.views), paint: "--plot-sold", look: "bars" },
      { name: words.lost, values: days.map((day) => day.views_out_of_stock), paint: "--plot-second", look: "bars" },
      { name: words.available, values: days.map((day) => day.in_stock_share), paint: "--plot-arrival", scale: "share", show: format.percent },
    ],
  });
}
