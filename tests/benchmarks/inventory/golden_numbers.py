"""Numbers that every planner's mathematics must reproduce, from this project's functions.

Demand (simulated) is negative binomial with mean 4 and variance 12 a day, independent from day to day; L = 7,
R = 7 days unless said otherwise, backorders. Levels come from draws of demand; cycle service is the value of
the exact distribution function at the level, fill rates are simulated.

A level that is learnt from one's own sales falls, because what was wanted of an empty shelf is never seen.
Two planners for comparison learn weekly levels from the last 26 weeks, one from sales as if they were demand,
the other by expectation maximisation with sold-out weeks as lower bounds of a normal distribution.
"""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom, norm

from serving.inventory.order_up_to import Supply, simulate_order_up_to
from serving.inventory.stock_levels import level_for_cycle_service
from tests.benchmarks.figures import Figure, measured

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Learner = Callable[[Floats, NDArray[np.bool_], float], Floats]

SIZE, CHANCE = 2, 1 / 3
DRAWS, SKUS, CYCLES, WARM_UP = 400_000, 250, 400, 50
RATIOS, WEEKS, WINDOW, START_WEEKS, SHOPS = (0.5, 0.7, 0.9), 60, 26, 4, 1000
NAIVE, CORRECTED = (19.2, 25.0, 35.5), (27.2, 31.9, 38.9)


def drawn(shape: tuple[int, ...], seed: int) -> Integers:
    """Daily demand."""
    return np.random.default_rng(seed).negative_binomial(SIZE, CHANCE, shape).astype(np.int64)


def within(days: int, units: float) -> float:
    """The exact chance that demand over so many days is at most so many units."""
    return float(nbinom(SIZE * days, CHANCE).cdf(units))


def level(days: int, target: float) -> int:
    """The level that the project's function finds for demand over so many days."""
    sums = np.random.default_rng(days).negative_binomial(SIZE * days, CHANCE, (1, DRAWS)).astype(float)
    return int(level_for_cycle_service(sums, np.array([target]))[0])


def service_at_review(units: int) -> float:
    """Cycle service of a level under periodic review: of demand over L + R."""
    return within(14, units)


def service_when_checked_daily(reorder_point: int) -> float:
    """Cycle service of (s, S), checked each day: demand over L after the position has undershot s.

    How far below is the stationary excess of a day's demand, exact for a large S - s.
    """
    below = np.arange(200)
    chance = nbinom(SIZE, CHANCE).sf(below) / nbinom(SIZE, CHANCE).mean()
    return float(chance @ nbinom(SIZE * 7, CHANCE).cdf(reorder_point - below))


def service_of_two_lead_times(units: float) -> float:
    """Cycle service of a level with L of 5 (80 %) or 25 days (20 %): of demand over L + R."""
    return 0.8 * within(12, units) + 0.2 * within(32, units)


def normal_level(with_lead_time_variance: bool) -> float:
    """The normal formula's level for 95 % there; variance E(L) var + mean^2 var(L), or of L + R days."""
    lead, spread = 0.8 * 5 + 0.2 * 25, 0.8 * 16 + 0.2 * 256
    variance = lead * 12 + 16 * spread if with_lead_time_variance else (lead + 7) * 12
    return 4 * (lead + 7) + NormalDist().inv_cdf(0.95) * float(np.sqrt(variance))


def simulated_fill_rate(units: int) -> float:
    """Units served on their day / units wanted."""
    demand = drawn((1, SKUS, (WARM_UP + CYCLES) * 7), 1).astype(float)
    lead_days = np.full((1, SKUS, WARM_UP + CYCLES), 7)
    supply = Supply("fifo", "backordered", 7)
    return float(
        simulate_order_up_to(np.full((1, 1, 1), units), demand, lead_days, supply, WARM_UP).fill_rate[0]
    )


def cycle_services() -> dict[str, tuple[float, float]]:
    """Of each case: the golden share in percent, and what comes out."""
    return {
        "sum_of_daily_medians": (15.0, 100 * service_at_review(14 * level(1, 0.5))),
        "covers_l_only": (19.0, 100 * service_at_review(level(7, 0.95))),
        "one_day_short": (91.0, 100 * service_at_review(level(13, 0.95))),
        "daily_check_covers_l": (91.0, 100 * service_when_checked_daily(level(7, 0.95))),
        "daily_check_covers_l_and_a_day": (96.0, 100 * service_when_checked_daily(level(8, 0.95))),
        "two_lead_times_normal": (86.5, 100 * service_of_two_lead_times(normal_level(True))),
        "two_lead_times_variance_ignored": (80.0, 100 * service_of_two_lead_times(normal_level(False))),
    }


def levels() -> dict[str, tuple[float, float]]:
    """Of each case: the golden units, and what comes out."""
    return {
        "sum_of_daily_p95": (154, 14 * level(1, 0.95)),
        "p95_of_14_days": (79, level(14, 0.95)),
        "sum_of_daily_medians": (42, 14 * level(1, 0.5)),
        "median_of_14_days": (55, level(14, 0.5)),
    }


def fill_rates() -> dict[str, tuple[float, float]]:
    """Of each case: the golden share in percent, and what comes out."""
    targets = {
        "cycle_service_80": (94.4, 0.80),
        "cycle_service_90": (97.4, 0.90),
        "cycle_service_95": (98.9, 0.95),
    }
    found = {name: (gold, 100 * simulated_fill_rate(level(14, at))) for name, (gold, at) in targets.items()}
    return found | {"covers_l_only": (55.0, 100 * simulated_fill_rate(level(7, 0.95)))}


def from_sales(sold: Floats, sold_out: NDArray[np.bool_], ratio: float) -> Floats:
    """A normal quantile of sales, taken as if they were demand (shops,)."""
    level: Floats = sold.mean(axis=1) + norm.ppf(ratio) * sold.std(axis=1, ddof=1)
    return level


def by_maximum_likelihood(sold: Floats, sold_out: NDArray[np.bool_], ratio: float) -> Floats:
    """The same with sold-out weeks as lower bounds, by expectation maximisation (shops,)."""
    mean, deviation = sold.mean(axis=1), np.maximum(sold.std(axis=1), 1.0)
    for _ in range(30):
        score = (sold - mean[:, None]) / deviation[:, None]
        hazard = np.exp(norm.logpdf(score) - norm.logsf(score))
        first = np.where(sold_out, mean[:, None] + deviation[:, None] * hazard, sold)
        spread = deviation[:, None] ** 2 * (1 + score * hazard - hazard**2)
        mean = first.mean(axis=1)
        excess = np.where(sold_out, np.maximum(spread, 0), 0) + (first - mean[:, None]) ** 2
        deviation = np.sqrt(np.maximum(excess.mean(axis=1), 1e-9))
    level: Floats = mean + norm.ppf(ratio) * deviation
    return level


def learnt_level(learner: Learner, ratio: float, weeks: int = WEEKS, shops: int = SHOPS) -> float:
    """Mean weekly order-up-to level (R = 7, L = 0) after so many weeks, from a month of demand on."""
    rng = np.random.default_rng(1)
    sold = rng.negative_binomial(SIZE * 7, CHANCE, (shops, START_WEEKS)).astype(float)
    sold_out = np.zeros(sold.shape, dtype=np.bool_)
    level = np.empty(shops)
    for _ in range(weeks):
        level = np.maximum(learner(sold[:, -WINDOW:], sold_out[:, -WINDOW:], ratio), 0.0)
        wanted = rng.negative_binomial(SIZE * 7, CHANCE, shops)
        sold = np.column_stack([sold, np.minimum(wanted, level)])
        sold_out = np.column_stack([sold_out, wanted >= level])
    return float(level.mean())


def _figure(name: str, gold: float, value: float, unit: str, how: str) -> Figure:
    goal = f"{gold:g} +- 0.5"
    return measured(f"golden.{name}", [value], unit, how, goal, lambda found: abs(found - gold) <= 0.5)


def figures() -> list[Figure]:
    """Cycle services, levels, fill rates, and the levels of both learners."""
    made = [
        _figure(f"{kind}.{name}", gold, value, unit, how)
        for kind, found, unit, how in (
            ("cycle_service", cycle_services(), "%", "exact distribution function at the level"),
            ("level", levels(), "units", f"{DRAWS:,} draws"),
            ("fill_rate", fill_rates(), "%", f"simulated, {SKUS * CYCLES:,} cycles"),
        )
        for name, (gold, value) in found.items()
    ]
    for name, learner, golds in (
        ("learnt_from_sales", from_sales, NAIVE),
        ("corrected_for_stock_outs", by_maximum_likelihood, CORRECTED),
    ):
        for ratio, gold in zip(RATIOS, golds, strict=True):
            how = (
                f"simulated, {WEEKS} weeks, {SHOPS} shops, true level {nbinom(SIZE * 7, CHANCE).ppf(ratio):g}"
            )
            made.append(_figure(f"{name}.{ratio:g}", gold, learnt_level(learner, ratio), "units", how))
    return made
