/** What moved the forecast, in units, worked out when somebody asks. */

import { waterfall } from "../charts/waterfall.js";
import * as api from "../endpoints.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { empty, show } from "../states.js";
import { texts } from "../texts.js";
import { card } from "../tiles.js";

/** @typedef {import("../endpoints.js").Detail} Detail */
/** @typedef {import("../endpoints.js").Drivers} Drivers */

const words = texts.drivers;

/** @param {Detail} detail only a model has drivers; other forecasters follow from few figures */
export function driversCard({ location, sku, forecaster }) {
  if (forecaster !== "lstm") return card(words.title, "", empty(words.none(forecaster), words.noneHint));
  const place = h("div", { class: "stack" });
  const work = () => show(place, () => api.drivers(location, sku), drivers);
  const button = h("button", { class: "button", onclick: () => (place.replaceChildren(), work()) }, words.button);
  place.append(h("div", {}, button));
  return card(words.title, words.lead, place);
}

/** @param {Drivers} answer */
function drivers(answer) {
  const notes = [answer.same_context === false && h("p", { class: "hint" }, words.otherDays)].filter(Boolean);
  return [h("p", { class: "hint" }, words.sum(answer.days, answer.origin)), waterfall(steps(answer)), ...notes];
}

/**
 * @param {Drivers} answer
 * @returns {import("../charts/waterfall.js").Step[]}
 */
function steps({ reference, drivers: moved, forecast, published }) {
  const whole = (/** @type {string} */ name, /** @type {number} */ to) =>
    /** @type {const} */ ({ name, from: 0, to, value: format.units(to), look: "whole" });
  const change = (/** @type {string} */ name, /** @type {number} */ from, /** @type {number} */ by) =>
    /** @type {const} */ ({ name, from, to: from + by, value: format.signed(by), look: "change" });
  let reached = reference;
  const changes = moved.map(({ name, units }) => {
    const step = change(words.names[name] ?? name, reached, units);
    reached = step.to;
    return step;
  });
  const corrected = published === null ? [] : [change(words.recalibration, forecast, published - forecast), whole(words.published, published)];
  return [whole(words.reference, reference), ...changes, whole(words.forecast, forecast), ...corrected];
}
