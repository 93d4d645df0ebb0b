"""Whether the production policy's stock falls when it learns from its own cut-off sales, in the twin.

The golden case: daily demand (simulated) negative binomial with mean 4 and variance 12, R = 7, L = 0, lost
sales; the 56-day empirical forecaster starts with 56 days of demand and sees sales only for 60 weeks. What is
held after each review is compared between the first and the last 20 weeks. The true levels of a week are 27,
32 and 40; a planner that takes sales for demand falls to 19.2, 25.0 and 35.5 (`golden_numbers`).
"""

import numpy as np

from serving.inventory.cover import Floats
from serving.simulation.twin.costs import read_costs
from serving.simulation.twin.lead_time_odds import parse_lead_time
from serving.simulation.twin.loop import run
from serving.simulation.twin.panel_world import Supply, panel_worlds
from serving.simulation.twin.policies import OWN, Policy
from serving.simulation.twin.runs import forecasts_of
from tests.benchmarks.figures import Figure
from tests.benchmarks.inventory.estimates import Z95, estimate
from tests.benchmarks.inventory.golden_numbers import NAIVE, RATIOS, WEEKS, drawn
from tests.benchmarks.inventory.simulated_panel import simulated_panel

HISTORY_DAYS, PART = 56, 20


def held_after_reviews(ratio: float, shops: int, paths: int) -> Floats:
    """Units on the shelf after each weekly order (shops, reviews)."""
    panel = simulated_panel(drawn((shops, HISTORY_DAYS + 7 * WEEKS + 1), 7))
    supply = Supply(parse_lead_time("0"), "independent", 0, 1, 1, ratio, "lost")
    world = panel_worlds(panel, 7 * WEEKS + 1, supply, read_costs(), 1)[1]
    planner = Policy(OWN, None).planner(world, forecasts_of(None, world.panel_hash, paths))
    trace = run(world, planner)
    reviews = np.array(world.review_columns()) - world.start
    held: Floats = (trace.on_hand[:, reviews - 1] + trace.ordered[:, reviews]).astype(float)
    return held


def figures() -> list[Figure]:
    """Of each critical ratio: last weeks over first weeks, and the level of the last weeks."""
    made = []
    for ratio, naive in zip(RATIOS, NAIVE, strict=True):
        held = held_after_reviews(ratio, 100, 500)
        first, last = held[:, :PART].mean(axis=1), held[:, -PART:].mean(axis=1)
        change, level = last / first, float(last.mean())
        error = Z95 * float(change.std(ddof=1)) / len(change) ** 0.5
        mean, how = float(change.mean()), f"simulated, 100 shops, weeks 41-60 / 1-20, cycle service {ratio:g}"
        made += [
            estimate(
                f"own_sales.{ratio:g}.change", mean, (mean - error, mean + error), "ratio", how,
                ">= 0.95", lambda value: value >= 0.95,
            ),
            estimate(
                f"own_sales.{ratio:g}.level", level, (float(last.min()), float(last.max())), "units",
                f"{how}; spread: over shops; a planner that takes sales for demand: {naive:g}",
            ),
        ]  # fmt: skip
    return made
