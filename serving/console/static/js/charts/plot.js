/** uPlot in this console's colours: legend, tip under the pointer, and the same figures as a table. */

import uPlot from "../../vendor/uplot-1.6.32/uPlot.esm.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { texts } from "../texts.js";
import { colour } from "../theme.js";

const DAY_SECONDS = 86_400;
const WHOLE_STEPS = [1, 2, 5].flatMap((step) => [0, 1, 2, 3, 4, 5, 6].map((power) => step * 10 ** power)).sort((one, other) => one - other);
const FONT = "12px system-ui, sans-serif";

/**
 * @typedef {Object} Series
 * @property {string} name
 * @property {(number|null)[]} values
 * @property {string} paint custom property of the colour
 * @property {"line"|"dashes"|"bars"|"dots"|"hidden"} [look]
 * @property {"y"|"share"} [scale]
 * @property {(value: number|null) => string} [show]
 *
 * @typedef {Object} Band
 * @property {string} name
 * @property {[string, string]} between names of the upper and the lower series
 * @property {string} paint
 *
 * @typedef {Object} Chart
 * @property {string} label what it shows, for those who do not see it
 * @property {number[]} days ascending, ms since 1970 UTC
 * @property {string} timeZone
 * @property {Series[]} series
 * @property {Band[]} [bands]
 * @property {any[]} [plugins]
 * @property {[string, string][]} [marks] further legend entries: name and colour
 * @property {number} [height] pixels
 * @property {string} unit of the axis
 * @property {string} [group] charts of a group share the pointer's day
 */

/**
 * @param {Chart} chart
 * @returns {HTMLElement}
 */
export function plot(chart) {
  const place = h("div", { class: "chart-plot", role: "img", "aria-label": chart.label });
  const figure = h("figure", { class: "chart" }, legend(chart), place, asTable(chart));
  keepDrawn(place, chart);
  return figure;
}

/**
 * Draws once the width is known, again in another theme, and stops when the page has gone.
 * @param {HTMLElement} place
 * @param {Chart} chart
 */
function keepDrawn(place, chart) {
  /** @type {any} */
  let drawn = null;
  const size = () => ({ width: Math.max(place.clientWidth, 200), height: chart.height ?? 300 });
  const draw = () => {
    drawn?.destroy();
    drawn = new uPlot(/** @type {any} */ (options(chart, size())), data(chart), place);
  };
  const observer = new ResizeObserver(() => (drawn ? drawn.setSize(size()) : draw()));
  observer.observe(place);
  const redraw = () => {
    if (place.isConnected) draw();
    else document.removeEventListener("themechange", redraw);
  };
  document.addEventListener("themechange", redraw);
}

/** @param {Chart} chart */
const data = (chart) => /** @type {any} */ ([chart.days.map((ms) => ms / 1000), ...chart.series.map((one) => one.values)]);

/**
 * @param {Chart} chart
 * @param {{width: number, height: number}} size
 */
function options(chart, size) {
  const index = (/** @type {string} */ name) => chart.series.findIndex((one) => one.name === name) + 1;
  return {
    ...size,
    tzDate: (/** @type {number} */ seconds) => uPlot.tzDate(new Date(seconds * 1000), chart.timeZone),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: chart.group ? { key: chart.group } : undefined },
    scales: { x: { range: wholeDays }, y: { range: fromZero }, share: { range: [0, 1] } },
    axes: axes(chart),
    series: [{}, ...chart.series.map(style)],
    bands: (chart.bands ?? []).map(({ between, paint }) => ({ series: between.map(index), fill: colour(paint) })),
    plugins: [...(chart.plugins ?? []), tip(chart)],
  };
}

/**
 * The first and the last bar have room.
 * @param {any} plotted
 * @param {number} first
 * @param {number} last
 */
const wholeDays = (plotted, first, last) => [first - DAY_SECONDS / 2, last + DAY_SECONDS / 2];

/**
 * Quantities start at zero, with some air above; below zero only where values are.
 * @param {any} plotted
 * @param {number|null} low
 * @param {number|null} high
 */
const fromZero = (plotted, low, high) => [Math.min(0, low ?? 0) * 1.1, Math.max(1, (high ?? 1) * 1.08)];

/** @param {Chart} chart */
function axes(chart) {
  const look = { stroke: colour("--muted"), font: FONT, grid: { stroke: colour("--plot-grid"), width: 1 }, ticks: { show: false } };
  const values = (/** @type {any} */ _, /** @type {number[]} */ marks) => marks.map((mark) => format.demand(mark));
  const shares = (/** @type {any} */ _, /** @type {number[]} */ marks) => marks.map((mark) => format.percent(mark));
  const right = { ...look, scale: "share", side: 1, values: shares, grid: { show: false }, size: 52 };
  const hasShare = chart.series.some((one) => one.scale === "share");
  const days = { ...look, grid: { show: false }, space: 70, values: DAY_AXIS };
  return [days, { ...look, label: chart.unit, labelFont: FONT, labelSize: 18, size: 54, values, incrs: WHOLE_STEPS }, ...(hasShare ? [right] : [])];
}

/** Steps in seconds with their formats, coarse to fine. */
const DAY_AXIS = [
  [86400 * 365, "{YYYY}", null, null, null, null, null, null, 1],
  [86400 * 28, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [86400, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
];

/** @param {Series} series */
function style({ name, paint, look = "line", scale = "y" }) {
  const stroke = colour(paint);
  const shared = { label: name, scale, stroke, spanGaps: false, points: { show: false } };
  if (look === "hidden") return { ...shared, stroke: "transparent", width: 0 };
  if (look === "bars") return { ...shared, fill: stroke, width: 0, paths: uPlot.paths.bars?.({ size: [0.7, 40] }) };
  if (look === "dots") return { ...shared, width: 0, paths: () => null, points: { show: true, size: 5, fill: stroke, width: 0 } };
  return { ...shared, width: 2, dash: look === "dashes" ? [6, 4] : undefined };
}

/** @param {Chart} chart */
function tip(chart) {
  const box = h("div", { class: "plot-tip", hidden: true });
  const move = (/** @type {any} */ drawn) => {
    const { idx, left } = drawn.cursor;
    box.hidden = idx === null || idx === undefined || left < 0;
    if (box.hidden) return;
    box.replaceChildren(h("b", {}, format.weekday(chart.days[idx], chart.timeZone)), ...tipLines(chart, idx));
    const onLeft = left > drawn.over.clientWidth / 2;
    box.style.setProperty("left", onLeft ? "auto" : `${left + 14}px`);
    box.style.setProperty("right", onLeft ? `${drawn.over.clientWidth - left + 14}px` : "auto");
    box.style.setProperty("top", "4px");
  };
  return { hooks: { init: (/** @type {any} */ drawn) => drawn.over.append(box), setCursor: move } };
}

/**
 * @param {Chart} chart
 * @param {number} index
 */
const tipLines = (chart, index) =>
  chart.series
    .filter((one) => one.values[index] !== null && one.values[index] !== undefined)
    .map((one) => h("div", {}, `${one.name}: ${(one.show ?? format.demand)(one.values[index])}`));

/** @param {Chart} chart */
function legend(chart) {
  const lines = chart.series
    .filter((one) => one.look !== "hidden")
    .map((one) => key(one.name, one.paint, one.look === "bars" ? "swatch" : "swatch line"));
  const areas = (chart.bands ?? []).map((band) => key(band.name, band.paint, "swatch"));
  const marks = (chart.marks ?? []).map(([name, paint]) => key(name, paint, "swatch"));
  return h("ul", { class: "legend" }, lines, areas, marks);
}

/**
 * @param {string} name
 * @param {string} paint
 * @param {string} className
 */
const key = (name, paint, className) =>
  h("li", {}, h("span", { class: className, style: { background: `var(${paint})` }, "aria-hidden": "true" }), name);

/** @param {Chart} chart */
function asTable(chart) {
  const place = h("div", { tabindex: 0, role: "region", "aria-label": chart.label });
  const details = h("details", { ontoggle: () => details.open && place.replaceChildren(tableOf(chart)) }, h("summary", {}, texts.chart.asTable), place);
  return details;
}

/** @param {Chart} chart */
function tableOf(chart) {
  const heads = [texts.chart.day, ...chart.series.map((one) => one.name)];
  const row = (/** @type {number} */ ms, /** @type {number} */ index) => [
    h("th", { scope: "row" }, format.day(ms, chart.timeZone)),
    ...chart.series.map((one) => h("td", { class: "numeric" }, (one.show ?? format.demand)(one.values[index] ?? null))),
  ];
  return h(
    "table",
    {},
    h("caption", { class: "read-only" }, chart.label),
    h("thead", {}, h("tr", {}, heads.map((name, column) => h("th", { scope: "col", class: column && "numeric" }, name)))),
    h("tbody", {}, chart.days.map((ms, index) => h("tr", {}, row(ms, index)))),
  );
}
