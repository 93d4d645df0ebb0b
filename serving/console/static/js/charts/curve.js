/** One figure against another, such as cost against service, with points that can be pointed at. */

import uPlot from "../../vendor/uplot-1.6.32/uPlot.esm.js";
import { h } from "../dom.js";
import { listed } from "../listed.js";
import { texts } from "../texts.js";
import { colour } from "../theme.js";

/**
 * @typedef {Object} Curve
 * @property {string} label
 * @property {{x: number, y: number, name: string}[]} points ascending by x
 * @property {{x: number, y: number}|null} [here] where things stand
 * @property {string} nameLabel
 * @property {string} xLabel
 * @property {string} yLabel
 * @property {(value: number) => string} showX
 * @property {(value: number) => string} showY
 */

/** @param {Curve} curve */
export function xyChart(curve) {
  const place = h("div", { class: "chart-plot", role: "img", "aria-label": curve.label });
  /** @type {any} */
  let drawn = null;
  const size = () => ({ width: Math.max(place.clientWidth, 200), height: 260 });
  const draw = () => {
    drawn?.destroy();
    drawn = new uPlot(/** @type {any} */ (options(curve, size())), columns(curve), place);
  };
  new ResizeObserver(() => (drawn ? drawn.setSize(size()) : draw())).observe(place);
  document.addEventListener("themechange", () => place.isConnected && draw());
  return h("figure", { class: "chart" }, place, asTable(curve));
}

/** @param {Curve} curve */
function asTable({ label, points, nameLabel, xLabel, yLabel, showX, showY }) {
  /** @type {import("../listed.js").Listed[]} */
  const columns = [
    [nameLabel, (point) => point.name],
    [xLabel, (point) => showX(point.x), "numeric"],
    [yLabel, (point) => showY(point.y), "numeric"],
  ];
  return h("details", {}, h("summary", {}, texts.chart.asTable), listed(label, columns, points, texts.unknown));
}

/** @param {Curve} curve */
const columns = ({ points }) => /** @type {any} */ ([points.map((point) => point.x), points.map((point) => point.y)]);

/**
 * @param {Curve} curve
 * @param {{width: number, height: number}} size
 */
function options(curve, size) {
  const look = { stroke: colour("--muted"), font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", grid: { stroke: colour("--plot-grid") }, ticks: { show: false } };
  const shown = (/** @type {(value: number) => string} */ show) => (/** @type {any} */ _, /** @type {number[]} */ marks) => marks.map(show);
  const line = { stroke: colour("--accent"), width: 2, points: { show: true, size: 7, fill: colour("--accent") } };
  return {
    ...size,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: withRoom } },
    axes: [
      { ...look, label: curve.xLabel, labelSize: 20, values: shown(curve.showX), space: 80 },
      { ...look, label: curve.yLabel, labelSize: 20, size: 58, values: shown(curve.showY) },
    ],
    series: [{}, line],
    plugins: [names(curve)],
  };
}

/**
 * The names of the outer points need some.
 * @param {any} _
 * @param {number} low
 * @param {number} high
 */
function withRoom(_, low, high) {
  const room = (high - low) / 12 || 1;
  return [low - room, high + room];
}

/** @param {Curve} curve */
function names({ points, here }) {
  const draw = (/** @type {any} */ plotted) => {
    const { ctx } = plotted;
    const at = (/** @type {{x: number, y: number}} */ point) => [plotted.valToPos(point.x, "x", true), plotted.valToPos(point.y, "y", true)];
    ctx.save();
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.fillStyle = colour("--muted");
    for (const point of points) {
      const [x, y] = at(point);
      ctx.fillText(point.name, x + 6 * devicePixelRatio, y + 14 * devicePixelRatio);
    }
    if (here) ring(ctx, at(here));
    ctx.restore();
  };
  return { hooks: { draw } };
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number[]} place
 */
function ring(ctx, [x, y]) {
  ctx.strokeStyle = colour("--plot-second");
  ctx.lineWidth = 3 * devicePixelRatio;
  ctx.beginPath();
  ctx.arc(x, y, 8 * devicePixelRatio, 0, 2 * Math.PI);
  ctx.stroke();
}
