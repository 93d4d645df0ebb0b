/** What Prometheus alarms about, what to do about it, and where to look further. */

import * as api from "../endpoints.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { listed } from "../listed.js";
import { markdown } from "../markdown.js";
import { empty, show } from "../states.js";
import { tag } from "../tags.js";
import { texts } from "../texts.js";
import { card } from "../tiles.js";

const words = texts.alerts;
const AGAIN_MS = 15_000;

/** @param {AbortSignal} signal */
export function alertsCard(signal) {
  const place = h("div", { class: "stack" });
  const reload = () => show(place, api.alerts, render);
  const render = redrawn();
  const timer = setInterval(reload, AGAIN_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  reload();
  return card(words.title, words.lead, place);
}

/** Draws again what has changed only, so that what somebody has unfolded stays open. */
function redrawn() {
  let last = "";
  /** @type {any[]} */
  let drawn = [];
  return (/** @type {any} */ answer) => {
    const text = JSON.stringify(answer);
    if (text !== last) drawn = alerts(answer);
    last = text;
    return drawn;
  };
}

/** @param {{watched: boolean, items: any[], prometheus_link: string|null, grafana_link: string|null}} answer */
function alerts({ watched, items, prometheus_link, grafana_link }) {
  const table = watched ? listed(words.title, columns(), items, words.none) : empty(words.unwatched, words.unwatchedHint);
  const links = [outside(grafana_link, words.grafana), outside(prometheus_link, words.prometheus)].filter(Boolean);
  return [table, links.length > 0 && h("div", { class: "buttons" }, links)].filter(Boolean);
}

/**
 * @param {string|null} href
 * @param {string} word
 */
const outside = (href, word) => href && h("a", { class: "button", href, target: "_blank", rel: "noopener noreferrer" }, word);

/** @returns {import("../listed.js").Listed[]} */
const columns = () => [
  [words.name, (alert) => h("b", {}, alert.name)],
  [words.state, (alert) => (alert.state === "firing" ? tag(words.firing, "danger") : tag(words.pending, "warning"))],
  [words.severity, (alert) => words.severities[alert.severity] ?? alert.severity],
  [words.since, (alert) => h("span", { class: "whole" }, format.instant(alert.since_ms, "UTC"))],
  [words.summary, (alert) => alert.summary],
  [words.runbook, runbook],
];

/** @param {{runbook_url: string|null, runbook: string|null}} alert only an address of the web can be followed */
function runbook({ runbook_url, runbook: text }) {
  if (runbook_url?.match(/^https?:/)) return h("a", { href: runbook_url, target: "_blank", rel: "noopener noreferrer" }, words.open);
  if (!text) return texts.unknown;
  return h("details", {}, h("summary", {}, words.show), markdown(text));
}
