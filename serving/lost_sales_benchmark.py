"""`stockstream lost-sales-benchmark`: what the best possible policy costs, and each named one, exactly.

One item with independent simulated demand per period, a constant lead time and lost sales. The optimum comes
from a dynamic programme over all states, each policy's cost from the stationary chain of its own decisions.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Annotated

import numpy as np
import typer

from infra.errors import exit_with_message
from serving.inventory.exact.best_policies import (
    Report,
    Tuned,
    best_base_stock,
    best_capped_base_stock,
    best_min_max,
    best_projected_inventory_level,
    newsvendor_base_stock,
)
from serving.inventory.exact.lost_sales_model import LostSalesModel, demand_pmf
from serving.inventory.exact.optimum import optimal_cost
from serving.inventory.exact.policy_cost import PolicyCost, average_cost
from serving.inventory.stationary_lookahead import DemandSampler, prepare_lookahead

app = typer.Typer(add_completion=False, help=__doc__)


class Demand(StrEnum):
    """Distributions of a period's demand."""

    poisson = "poisson"
    geometric = "geometric"


@dataclass(frozen=True)
class Line:
    """A policy's result.

    Attributes:
        policy: its name.
        parameters: the cheapest ones, or what the set-up fitted.
        cost: exact average per period.
        ratio: cost / optimal cost.
        states: how many it can come to.
        seconds: set-up (search of parameters, or sampling and fitting) and exact evaluation.
    """

    policy: str
    parameters: dict[str, float]
    cost: float
    ratio: float
    states: int
    seconds: dict[str, float]


def sampler_of(demand: str, mean: float) -> DemandSampler:
    """Draws of a period's demand: all that the lookahead policy is told about it."""
    if demand == "poisson":
        return lambda count, rng: rng.poisson(mean, count)
    return lambda count, rng: rng.geometric(1 / (1 + mean), count) - 1


def lookahead_line(model: LostSalesModel, sampler: DemandSampler, optimal: float) -> Line:
    """Prepares the lookahead policy from draws and evaluates its decisions; both are timed."""
    start = time.perf_counter()
    policy = prepare_lookahead(sampler, model.lead_time, model.holding_cost, model.stockout_cost)
    ready = time.perf_counter()
    policy.decide(np.full((1, model.lead_time), round(model.mean_demand), dtype=np.int64))
    once = time.perf_counter()
    result = average_cost(model, policy.decide)
    seconds = {
        "set_up": ready - start,
        "one_decision": once - ready,
        "exact_evaluation": time.perf_counter() - once,
    }
    return _line("lookahead", asdict(policy.shape), result, optimal, seconds)


def lines(model: LostSalesModel, sampler: DemandSampler, optimal: float, report: Report) -> Iterator[Line]:
    """Every policy's result, textbook first, each as soon as it is known."""
    base = best_base_stock(model, report)
    searches: dict[str, Callable[[], Tuned]] = {
        "base stock, newsvendor level": lambda: newsvendor_base_stock(model),
        "best base stock": lambda: base,
        "best (s, S), S - s > 1": lambda: best_min_max(model, base, report),
        "best capped base stock": lambda: best_capped_base_stock(model, report),
        "best projected inventory level": lambda: best_projected_inventory_level(model, report),
    }
    for name, search in searches.items():
        report(name)
        start = time.perf_counter()
        tuned = search()
        seconds = {"search": time.perf_counter() - start}
        yield _line(name, tuned.parameters, tuned.result, optimal, seconds)
    report("lookahead: set-up, then its decision in every state")
    yield lookahead_line(model, sampler, optimal)


def _line(
    name: str, parameters: dict[str, float], result: PolicyCost, optimal: float, seconds: dict[str, float]
) -> Line:
    rounded = {what: round(value, 3) for what, value in seconds.items()}
    return Line(name, parameters, result.cost, result.cost / optimal, result.states, rounded)


def _row(line: Line) -> str:
    parameters = ", ".join(f"{name} {value:.4g}" for name, value in line.parameters.items())
    return (
        f"{line.policy:32}{line.cost:10.4f}{100 * (line.ratio - 1):+10.3f} %{line.states:>10,}  {parameters}"
    )


def _progress(text: str) -> None:
    """One line on a terminal, rewritten; nothing where stderr is a file or a pipe."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


@app.command()
def main(
    demand: Annotated[Demand, typer.Option(help="distribution of a period's demand")] = Demand.poisson,
    mean: Annotated[float, typer.Option(help="expected units of demand in a period")] = 5.0,
    lead_time: Annotated[int, typer.Option(help="periods from an order to its delivery, 1 to 6")] = 4,
    holding_cost: Annotated[float, typer.Option(help="per unit left at the end of a period")] = 1.0,
    stockout_cost: Annotated[float, typer.Option(help="per unit of lost demand")] = 39.0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Print the optimal average cost of a lost-sales item and each policy's exact cost."""
    model = LostSalesModel(demand_pmf(demand.value, mean), lead_time, holding_cost, stockout_cost)
    optimum = optimal_cost(model, report=_progress)
    heading = f"{demand.value} demand, mean {mean:g}, lead time {lead_time}, holding {holding_cost:g}, "
    heading += f"stockout {stockout_cost:g}: optimal cost {optimum.cost:.4f}"
    if not as_json:
        _progress("")
        print(f"{heading}\n{'policy':32}{'cost':>10}{'over best':>12}{'states':>10}  parameters")
    found = []
    for line in lines(model, sampler_of(demand.value, mean), optimum.cost, _progress):
        found.append(line)
        if not as_json:
            _progress("")
            print(_row(line), flush=True)
    if as_json:
        instance = {
            "demand": demand.value,
            "mean": mean,
            "lead_time": lead_time,
            "holding_cost": holding_cost,
            "stockout_cost": stockout_cost,
        }
        report = {"instance": instance, "optimal_cost": optimum.cost, "bounds": optimum.bounds}
        print(json.dumps(report | {"policies": [asdict(line) for line in found]}, indent=1))


if __name__ == "__main__":
    exit_with_message(app)
