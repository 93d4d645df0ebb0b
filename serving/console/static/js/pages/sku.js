/** Everything about one SKU at one location: demand, stock, the decision and why, overrides, history. */

import * as api from "../endpoints.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { address } from "../router.js";
import { mayWrite } from "../session.js";
import { empty, show } from "../states.js";
import { kindTag } from "../tags.js";
import { texts } from "../texts.js";
import { card, factList, tiles } from "../tiles.js";
import { decisionCard } from "./sku_decision.js";
import { demandCard, trafficCard } from "./sku_demand.js";
import { driversCard } from "./sku_drivers.js";
import { historyCard } from "./sku_history.js";
import { overrideCard } from "./sku_override.js";
import { stockCard } from "./sku_stock.js";

/** @typedef {import("../endpoints.js").Detail} Detail */

/**
 * @param {import("../router.js").Route} route
 * @returns {Node[]}
 */
export function sku({ parts: [location, name], query, signal }) {
  const place = h("div", { class: "stack" });
  /** @type {string|null} */
  let shown = null;
  const load = () => Promise.all([api.skuDetail(location, name), api.overridesOf(location, name)]);
  const reload = () =>
    show(place, load, ([detail, { as_of_ms }]) => {
      shown = detail.decision_id;
      return page(detail, as_of_ms ?? Date.now(), query, reload);
    });
  const followDecision = async () => {
    const now = await api.skuDetail(location, name).catch(() => null);
    if (now && now.decision_id !== shown && !isBusy(place)) reload();
  };
  document.addEventListener("livechange", followDecision, { signal });
  reload();
  return [place];
}

/**
 * A form that somebody is filling in is not taken away.
 * @param {HTMLElement} place
 */
const isBusy = (place) => place.querySelector("form")?.contains(document.activeElement) ?? false;

/**
 * @param {Detail} detail
 * @param {number} now the shop's time: a replayed past has its own today
 * @param {import("../router.js").Query} query
 * @param {() => void} reload
 */
function page(detail, now, query, reload) {
  return [
    head(detail),
    numbers(detail),
    h(
      "div",
      { class: "wide-and-narrow" },
      h("div", { class: "stack" }, demandCard(detail, query), stockCard(detail), trafficCard(detail), driversCard(detail)),
      h("div", { class: "stack" }, decisionCard(detail, reload), mayWrite() && overrideCard(detail, now, reload), facts(detail)),
    ),
    historyCard(detail, reload),
  ];
}

/** @param {Detail} detail */
const head = ({ sku: name, description, location, kinds }) =>
  h(
    "div",
    { class: "page-head" },
    h("div", {}, h("h1", {}, description || name), h("p", {}, texts.sku.at(name, location))),
    h("div", { class: "chips" }, kinds.map(kindTag), h("a", { class: "button", href: address("what-if", [], { scope: `sku:${name}|${location}` }) }, texts.pages["what-if"])),
  );

/** @param {Detail} detail */
function numbers(detail) {
  const { sku: words } = texts;
  return tiles([
    [words.onHand, format.units(detail.on_hand), words.onOrder(format.count(detail.on_order))],
    ...(detail.backordered ? [[words.backordered, format.units(detail.backordered), ""]] : []),
    ...(detail.reserved ? [[words.reserved, format.units(detail.reserved), ""]] : []),
    [words.demand, format.demand(detail.demand_28_days), words.median],
    [words.cover, format.decimal(detail.days_of_cover), words.days],
    [words.risk, format.percent(detail.stock_out_risk), words.riskHint],
    [words.value, format.amount(detail.stock_value, detail.currency), ""],
  ]);
}

/** @param {Detail} detail */
function facts({ item, time_zone }) {
  if (!item) return card(texts.sku.facts, "", empty(texts.sku.noItem));
  const words = texts.sku.fact;
  const zone = time_zone ?? "UTC";
  const rows = [
    [words.category, item.category],
    [words.supplier, item.supplier],
    [words.cost, format.unitPrice(item.unit_cost)],
    [words.price, format.unitPrice(item.price)],
    [words.pack, format.units(item.case_pack)],
    [words.minimum, format.units(item.min_order_quantity)],
    [words.maximum, format.units(item.maximum_stock)],
    [words.lead, texts.sku.leadDays(item.lead_time_days)],
    [words.service, format.percent(item.cycle_service_level)],
    item.launch_ms && [words.launch, format.day(item.launch_ms, zone)],
    item.end_ms && [words.end, format.day(item.end_ms, zone)],
  ];
  return card(texts.sku.facts, "", factList(rows));
}
