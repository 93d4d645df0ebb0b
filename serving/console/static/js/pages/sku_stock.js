/** Stock on hand as it was, and as it may become with open orders and this decision. */

import { arrivalMarks, futureFrom } from "../charts/marks.js";
import { plot } from "../charts/plot.js";
import * as api from "../endpoints.js";
import * as format from "../format.js";
import { empty, part } from "../states.js";
import { texts } from "../texts.js";
import { card } from "../tiles.js";

/** @typedef {import("../endpoints.js").Detail} Detail */
/** @typedef {import("../endpoints.js").Day} Day */
/** @typedef {import("../endpoints.js").ProjectedDay} ProjectedDay */
/** @typedef {import("../endpoints.js").Arrival} Arrival */

const PAST_DAYS = 28;

/** @param {Detail} detail */
export function stockCard(detail) {
  const words = texts.stock;
  const { location, sku } = detail;
  const load = () => Promise.all([api.projection(location, sku), api.skuDays(location, sku)]);
  return card(words.title, words.lead, part("chart-place", load, ([ahead, past]) => stockChart(detail, ahead, past.items)));
}

/**
 * @param {Detail} detail
 * @param {{origin_ms: number, items: ProjectedDay[], arrivals: Arrival[]}} ahead
 * @param {Day[]} past
 */
function stockChart(detail, ahead, past) {
  const words = texts.stock;
  if (ahead.items.length === 0) return empty(words.none);
  const before = past.slice(-PAST_DAYS).filter((day) => day.day_ms < ahead.items[0].day_ms);
  return plot({
    label: words.label(detail.description || detail.sku),
    days: [...before, ...ahead.items].map((day) => day.day_ms),
    timeZone: detail.time_zone ?? "UTC",
    unit: words.unit,
    group: "stock",
    series: stockSeries(before, ahead.items),
    bands: [
      { name: words.wide, between: [words.high, words.low], paint: "--plot-wide-band" },
      { name: words.likely, between: [words.high50, words.low50], paint: "--plot-band" },
    ],
    marks: [[words.arrival, "--plot-arrival"]],
    plugins: [
      arrivalMarks(ahead.arrivals.map(({ day_ms, quantity }) => ({ ms: day_ms, word: words.arrivalWord(format.count(quantity)) }))),
      futureFrom(ahead.items[0].day_ms, words.today),
    ],
  });
}

/**
 * @param {Day[]} before
 * @param {ProjectedDay[]} ahead
 * @returns {import("../charts/plot.js").Series[]}
 */
function stockSeries(before, ahead) {
  const words = texts.stock;
  const later = (/** @type {keyof ProjectedDay} */ level) => [...before.map(() => null), ...ahead.map((day) => day[level])];
  const hidden = (/** @type {string} */ name, /** @type {keyof ProjectedDay} */ level) =>
    /** @type {import("../charts/plot.js").Series} */ ({ name, values: later(level), paint: "--plot-forecast", look: "hidden" });
  return [
    { name: words.past, values: [...before.map((day) => day.on_hand), ...ahead.map(() => null)], paint: "--plot-sold", look: "bars" },
    { name: words.median, values: later("q50"), paint: "--plot-forecast" },
    hidden(words.low, "q05"),
    hidden(words.low50, "q25"),
    hidden(words.high50, "q75"),
    hidden(words.high, "q95"),
    { name: words.risk, values: later("stock_out_probability"), paint: "--plot-second", look: "dashes", scale: "share", show: format.percent },
  ];
}
