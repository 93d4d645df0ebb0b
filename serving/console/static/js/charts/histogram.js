/** Shares of equal bins against the share each would have if the forecast were right. */

import { h } from "../dom.js";
import * as format from "../format.js";

/**
 * @param {string} label
 * @param {number[]} shares of all bins, together 1
 */
export function histogram(label, shares) {
  const fair = 1 / shares.length;
  const most = Math.max(2 * fair, ...shares);
  const bars = shares.map((share) => h("span", { class: "column", style: { height: `${(share / most) * 100}%` } }));
  const line = h("span", { class: "fair", style: { bottom: `${(fair / most) * 100}%` } });
  const words = `${label}: ${shares.map(format.percent).join(", ")}`;
  return h("div", { class: "histogram", role: "img", "aria-label": words }, bars, line);
}
