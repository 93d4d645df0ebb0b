"""The best parameters of the textbook policies for a lost-sales item; every cost is exact."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from serving.inventory.exact.lost_sales_model import LostSalesModel
from serving.inventory.exact.policy_cost import Integers, PolicyCost, average_cost
from serving.inventory.exact.projection import expected_stock
from serving.inventory.policies import base_stock, capped_base_stock, min_max, projected_inventory_level

Report = Callable[[str], None]


@dataclass(frozen=True)
class Tuned:
    """A policy with the cheapest parameters found."""

    parameters: dict[str, float]
    result: PolicyCost


def newsvendor_base_stock(model: LostSalesModel) -> Tuned:
    """Base stock with the level that would be optimal if unmet demand waited."""
    return _try(model, {"level": model.critical_quantile(model.lead_time + 1)}, _base_stock)


def best_base_stock(model: LostSalesModel, report: Report) -> Tuned:
    """The cheapest level; the cost is convex in it (Janakiraman & Roundy 2004)."""

    def attempt(level: int) -> Tuned:
        return _try(model, {"level": level}, _base_stock, report)

    return _descend(attempt, model.critical_quantile(model.lead_time + 1))


def best_capped_base_stock(model: LostSalesModel, report: Report) -> Tuned:
    """The cheapest level and cap: the best level for each cap from the mean up, until two bring nothing."""
    first = int(np.ceil(model.mean_demand))
    return _best_of_family(
        lambda cap, level: _try(model, {"level": level, "cap": cap}, _capped, report),
        range(first, first + model.critical_quantile(1) + 2),
        model.critical_quantile(model.lead_time + 1),
    )


def best_min_max(model: LostSalesModel, base: Tuned, report: Report) -> Tuned:
    """The cheapest (s, S) with S - s of at least 2; with 1 it is base stock."""
    return _best_of_family(
        lambda gap, level: _try(model, {"reorder_point": level - gap, "level": level}, _min_max, report),
        range(2, 3 + model.critical_quantile(1)),
        int(base.parameters["level"]),
    )


def _best_of_family(attempt: Callable[[int, int], Tuned], members: range, start: int) -> Tuned:
    """The cheapest over members and levels; ends when two members in a row are no cheaper than the best."""
    best: list[Tuned] = []
    worse = 0
    for member in members:
        found = _descend(partial(attempt, member), start)
        start = int(found.parameters["level"])
        cheaper = not best or found.result.cost < best[0].result.cost
        worse = 0 if cheaper else worse + 1
        best = [found] if cheaper else best
        if worse == 2:
            break
    return best[0]


def best_projected_inventory_level(model: LostSalesModel, report: Report) -> Tuned:
    """The cheapest level on a grid of quarters: whole units first, then the quarters around the best."""
    decide = _projecting(model)
    whole = _descend(
        lambda level: _try(model, {"level": level}, decide, report), model.critical_quantile(1) + 1
    )
    centre = whole.parameters["level"]
    near = [_try(model, {"level": centre + quarter / 4}, decide, report) for quarter in (-3, -2, -1, 1, 2, 3)]
    return min([whole, *near], key=lambda tuned: tuned.result.cost)


Parametrised = Callable[[dict[str, float], Integers], Integers]


def _try(
    model: LostSalesModel, parameters: dict[str, float], policy: Parametrised, report: Report | None = None
) -> Tuned:
    tuned = Tuned(parameters, average_cost(model, lambda states: policy(parameters, states)))
    if report:
        given = ", ".join(f"{name} {value:g}" for name, value in parameters.items())
        report(f"{given}: {tuned.result.cost:.4f}")
    return tuned


def _descend(attempt: Callable[[int], Tuned], start: int) -> Tuned:
    """The least of a convex function of a whole number."""
    best = attempt(start)
    for step in (-1, 1):
        at, moved = start, False
        while (found := attempt(at + step)).result.cost < best.result.cost:
            at, best, moved = at + step, found, True
        if moved:
            return best
    return best


def _whole(parameters: dict[str, float], names: Sequence[str]) -> list[Integers]:
    return [np.array([int(parameters[name])]) for name in names]


def _base_stock(parameters: dict[str, float], states: Integers) -> Integers:
    return base_stock(states.sum(axis=1), *_whole(parameters, ["level"]))


def _capped(parameters: dict[str, float], states: Integers) -> Integers:
    return capped_base_stock(states.sum(axis=1), *_whole(parameters, ["level", "cap"]))


def _min_max(parameters: dict[str, float], states: Integers) -> Integers:
    return min_max(states.sum(axis=1), *_whole(parameters, ["reorder_point", "level"]))


def _projecting(model: LostSalesModel) -> Parametrised:
    def decide(parameters: dict[str, float], states: Integers) -> Integers:
        level = np.array([parameters["level"]])
        return projected_inventory_level(expected_stock(model, states), level)

    return decide
