/** Marks on a plot's days: censored days behind the curves, a line where the future begins, arrivals. */

import { colour } from "../theme.js";

const DAY_SECONDS = 86_400;

/**
 * @param {number[]} days whose whole width is shaded
 * @param {string} paint
 */
export function shadedDays(days, paint) {
  const draw = (/** @type {any} */ plotted) => {
    const { ctx, bbox } = plotted;
    ctx.save();
    clip(ctx, bbox);
    ctx.fillStyle = colour(paint);
    for (const ms of days) {
      const from = plotted.valToPos(ms / 1000 - DAY_SECONDS / 2, "x", true);
      const to = plotted.valToPos(ms / 1000 + DAY_SECONDS / 2, "x", true);
      ctx.fillRect(from, bbox.top, to - from, bbox.height);
    }
    ctx.restore();
  };
  return { hooks: { drawClear: draw } };
}

/**
 * @param {number} ms the first day that has not been
 * @param {string} word
 */
export function futureFrom(ms, word) {
  const draw = (/** @type {any} */ plotted) => {
    const { ctx, bbox } = plotted;
    const x = plotted.valToPos(ms / 1000 - DAY_SECONDS / 2, "x", true);
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("--edge");
    ctx.setLineDash([3, 4]);
    line(ctx, x, bbox.top, bbox.top + bbox.height);
    write(ctx, word, x + 6, bbox.top + 12 * devicePixelRatio);
    ctx.restore();
  };
  return { hooks: { draw } };
}

/** @param {{ms: number, word: string}[]} arrivals each an arrow from the day's foot with its quantity */
export function arrivalMarks(arrivals) {
  const draw = (/** @type {any} */ plotted) => {
    const { ctx, bbox } = plotted;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("--plot-arrival");
    arrivals.forEach(({ ms, word }, index) => {
      const x = plotted.valToPos(ms / 1000, "x", true);
      const foot = bbox.top + bbox.height;
      arrow(ctx, x, foot, foot - (34 + (index % 3) * 16) * devicePixelRatio);
      write(ctx, word, x + 6 * devicePixelRatio, foot - (24 + (index % 3) * 16) * devicePixelRatio);
    });
    ctx.restore();
  };
  return { hooks: { draw } };
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {{left: number, top: number, width: number, height: number}} bbox
 */
function clip(ctx, bbox) {
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x
 * @param {number} from
 * @param {number} to
 */
function line(ctx, x, from, to) {
  ctx.beginPath();
  ctx.moveTo(x, from);
  ctx.lineTo(x, to);
  ctx.stroke();
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x
 * @param {number} foot
 * @param {number} head
 */
function arrow(ctx, x, foot, head) {
  const half = 4 * devicePixelRatio;
  ctx.lineWidth = 2 * devicePixelRatio;
  line(ctx, x, foot, head);
  ctx.beginPath();
  ctx.moveTo(x - half, head + half);
  ctx.lineTo(x, head - half);
  ctx.lineTo(x + half, head + half);
  ctx.fill();
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} word
 * @param {number} x
 * @param {number} y
 */
function write(ctx, word, x, y) {
  ctx.textAlign = "left";
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.fillText(word, x, y);
}
