/** Whether everything runs: the flow with its rates, lag and freshness, models, and who changed what. */

import { h } from "../dom.js";
import * as api from "../endpoints.js";
import * as format from "../format.js";
import { listed } from "../listed.js";
import { part, show } from "../states.js";
import { serverTable } from "../table.js";
import { tag } from "../tags.js";
import { texts } from "../texts.js";
import { card } from "../tiles.js";
import { alertsCard } from "./system_alerts.js";

const words = texts.system;
const AGAIN_MS = 5000;

/** What flows where, in order; the topics whose figures stand for the step. */
const FLOW = [
  ["stock", "stock.levels.v1"],
  ["features", "demand.features.v1"],
  ["forecasts", "demand.forecasts.v1"],
  ["positions", "inventory.positions.v1"],
  ["proposals", "inventory.reorder-proposals.v1"],
  ["decisions", "inventory.reorder-decisions.v1"],
  ["accuracy", "demand.accuracy.v1"],
];

/**
 * @param {import("../router.js").Route} route
 * @returns {Node[]}
 */
export function system({ query, signal }) {
  const place = h("div", { class: "stack" });
  const reload = () => show(place, api.system, live);
  const timer = setInterval(reload, AGAIN_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  reload();
  return [
    h("div", { class: "page-head" }, h("div", {}, h("h1", {}, words.title), h("p", {}, words.lead))),
    alertsCard(signal),
    place,
    card(words.models, words.modelsLead, part("stack", api.models, models)),
    card(words.audit, words.auditLead, auditTable(query, signal)),
  ];
}

/** @param {any} answer */
function live(answer) {
  const stages = new Map(answer.topics.map((/** @type {any} */ stage) => [stage.topic, stage]));
  const known = FLOW.filter(([, topic]) => stages.has(topic));
  return [
    card(words.state, words.clock(format.instant(answer.event_time_ms, "UTC")), state(answer)),
    card(words.flow, words.flowLead, h("ol", { class: "flow" }, known.map(([name, topic]) => step(name, stages.get(topic))))),
    card(words.topics, words.topicsLead, listed(words.topics, topicColumns(), answer.topics, words.none)),
  ];
}

/** @param {{ready: boolean, reasons: string[]}} answer */
function state({ ready, reasons }) {
  const word = ready ? tag(words.ready, "good") : tag(words.notReady, "danger");
  return [h("p", {}, word), reasons.length > 0 && h("ul", { class: "reasons" }, reasons.map((reason) => h("li", {}, reason)))];
}

/**
 * @param {string} name
 * @param {any} stage
 */
const step = (name, stage) =>
  h(
    "li",
    {},
    h("h3", {}, words.steps[name]),
    h("b", {}, format.count(stage.records)),
    h("p", {}, words.rate(format.decimal(stage.per_second))),
    h("p", {}, words.lag(format.duration(stage.behind_seconds))),
  );

/** @returns {import("../listed.js").Listed[]} */
const topicColumns = () => [
  [words.topic, (stage) => h("code", {}, stage.topic)],
  [words.records, (stage) => format.count(stage.records), "numeric"],
  [words.perSecond, (stage) => format.decimal(stage.per_second), "numeric"],
  [words.behind, (stage) => format.duration(stage.behind_seconds), "numeric"],
  [words.newest, (stage) => format.instant(stage.newest_ms, "UTC"), "numeric"],
  [words.fresh, (stage) => format.duration(stage.silent_seconds), "numeric"],
];

/** @param {{items: any[], retrain_requests: any[]}} answer */
function models({ items, retrain_requests }) {
  /** @type {import("../listed.js").Listed[]} */
  const columns = [
    [words.model, (model) => h("code", {}, model.model_id)],
    [words.since, (model) => format.day(model.first_origin_ms)],
    [words.latest, (model) => format.day(model.last_origin_ms)],
    [words.forecasts, (model) => format.count(model.forecasts), "numeric"],
    [words.byFallback, (model) => format.count(model.by_fallback), "numeric"],
  ];
  const requests = retrain_requests.map((request) => h("p", {}, tag(words.retrain, "warning"), ` ${request.model_id}: ${request.reason}`));
  return [...requests, listed(words.models, columns, items, words.none)];
}

/**
 * @param {import("../router.js").Query} query
 * @param {AbortSignal} signal
 */
function auditTable(query, signal) {
  const table = serverTable({
    caption: words.audit,
    columns: [
      { title: words.what, cell: (/** @type {any} */ one) => one.what },
      { title: texts.history.reason, cell: (one) => one.reason },
      { title: texts.history.author, cell: (one) => one.author },
      { title: texts.history.when, cell: (one) => format.instant(one.event_time_ms), numeric: true },
    ],
    query,
    sort: "",
    load: api.audit,
    none: words.noChanges,
  });
  document.addEventListener("livechange", table.reload, { signal });
  return table.element;
}
