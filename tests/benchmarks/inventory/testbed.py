"""The lookahead policy against the exact optimum on Zipkin's testbed, 16 items for each distribution."""

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from multiprocessing import get_context

import numpy as np

from serving.inventory.exact.lost_sales_model import LostSalesModel, demand_pmf
from serving.inventory.exact.optimum import optimal_cost
from serving.lost_sales_benchmark import Line, lookahead_line, sampler_of
from tests.benchmarks.figures import Figure, measured
from tests.benchmarks.inventory.estimates import estimate

HOW = (
    "16 lost-sales items, {} demand (simulated), mean 5, holding 1, stockout 4 to 39, lead time 1-4; the "
    "policy gets a demand sampler, costs and state; stationary chain of its decisions / dynamic programme; "
    "two processes"
)
STOCKOUT_COSTS, LEAD_TIMES = (39.0, 19.0, 9.0, 4.0), (4, 3, 2, 1)


@dataclass(frozen=True)
class Result:
    """One item's result."""

    name: str
    line: Line


def result(item: tuple[str, float, int]) -> Result:
    """Solves an item and evaluates the policy on it."""
    demand, stockout_cost, lead_time = item
    model = LostSalesModel(demand_pmf(demand, 5.0), lead_time, 1.0, stockout_cost)
    line = lookahead_line(model, sampler_of(demand, 5.0), optimal_cost(model).cost)
    return Result(f"{demand}_p{stockout_cost:g}_l{lead_time}", line)


def results(demand: str) -> list[Result]:
    """A distribution's results, printed as they come."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    found = []
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for each in pool.map(result, product([demand], STOCKOUT_COSTS, LEAD_TIMES)):
            print(f"{each.name}: {each.line.cost:.4f}, {100 * (each.line.ratio - 1):+.4f} %", flush=True)
            found.append(each)
    return found


def testbed_figures(demand: str) -> list[Figure]:
    """Mean and largest ratio, each item's, and the times of set-up, a decision and the evaluation."""
    found, how = results(demand), HOW.format(demand)
    ratios = [each.line.ratio for each in found]
    worst = max(found, key=lambda each: each.line.ratio)
    span, mean = (min(ratios), max(ratios)), float(np.mean(ratios))
    times = {what: [each.line.seconds[what] for each in found] for what in found[0].line.seconds}
    decision, label = 1000 * max(times["one_decision"]), f"lost_sales.{demand}"
    worst_how = f"{how}; worst: {worst.name}"
    return [
        estimate(f"{label}.mean", mean, span, "ratio", how, "<= 1.0010", lambda v: v <= 1.0010),
        estimate(f"{label}.max", max(ratios), span, "ratio", worst_how, "<= 1.0020", lambda v: v <= 1.0020),
        measured(f"{label}.set_up.max", [max(times["set_up"])], "s", how, "<= 60", lambda v: v <= 60),
        measured(f"{label}.decision.max", [decision], "ms", how, "<= 50", lambda v: v <= 50),
        measured(f"{label}.exact_evaluation.sum", [sum(times["exact_evaluation"])], "s", how),
        *(measured(f"lost_sales.{each.name}", [each.line.ratio], "ratio", how) for each in found),
    ]
