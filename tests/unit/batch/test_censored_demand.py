from dataclasses import replace
from datetime import date
from math import gamma

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.special import gammaincc

from batch.forecaster.censored_demand import CensoredDemand
from batch.forecaster.panel import DemandPanel

Floats = np.typing.NDArray[np.float64]
DAYS = 100


def panel_of(demand: Floats) -> DemandPanel:
    yes = np.ones(demand.shape, dtype=np.bool_)
    return DemandPanel(
        series=tuple((f"sku{row}", "shop") for row in range(len(demand))),
        first_day=date(2024, 1, 1),
        units=demand,
        observed=yes,
        open=yes,
        location_open=yes,
        panel_hash="",
    )


def cut_by(stock: Floats, demand: Floats) -> DemandPanel:
    """What a shop records that opens with so much stock each day."""
    whole = panel_of(np.minimum(demand, stock))
    return replace(whole, observed=demand < stock)


def demand_of(kind: str, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Demand (300, DAYS) of series of different levels and shapes, and their levels (300, 1)."""
    level, shape = np.exp(rng.normal(1.5, 0.8, (300, 1))), np.exp(rng.normal(1.0, 0.3, (300, 1)))
    if kind == "counts":
        return rng.negative_binomial(shape, shape / (shape + level), (300, DAYS)).astype(np.float64), level
    return rng.gamma(shape, level / shape, (300, DAYS)), level


@pytest.mark.parametrize(("kind", "stock", "within"), [
    ("weight", 0.8, 4.0), ("weight", 2.0, 1.0), ("counts", 1.0, 4.0), ("counts", 2.0, 2.0),
])  # fmt: skip
def test_the_mean_is_found_where_stock_follows_a_level_that_differs_by_series(
    kind: str, stock: float, within: float
) -> None:
    rng = np.random.default_rng(3)
    demand, level = demand_of(kind, rng)
    opening = stock * level * np.exp(rng.normal(0, 0.5, demand.shape))
    cut = cut_by(np.ceil(opening) if kind == "counts" else opening, demand)
    drawn = CensoredDemand(cut, np.ones(demand.shape), kind == "counts").drawn(np.random.default_rng(1))
    sold, found = (100 * (each.sum() / demand.sum() - 1) for each in (cut.units, drawn.units))
    assert abs(found) < within < -sold / 3
    assert drawn.observed[cut.units > 0].all()


def test_draws_follow_the_distribution_of_the_days_with_stock_left_beyond_what_was_sold() -> None:
    shape, scale, sold, rng = 1.5, 20.0, 15.0, np.random.default_rng(5)
    index = np.exp(0.3 * np.sin(2 * np.pi * np.arange(4000) / 7))[None]
    demand = scale * rng.weibull(shape, index.shape) * index
    cut = np.arange(4000)[None] % 4 == 0
    panel = replace(panel_of(np.where(cut, sold * index, demand)), observed=~cut)
    drawn = CensoredDemand(panel, index, False).drawn(rng).units[cut] / index[cut]
    # E[Y | Y >= c] of a Weibull distribution
    hazard = (sold / scale) ** shape
    expected = scale * np.exp(hazard) * gamma(1 + 1 / shape) * gammaincc(1 + 1 / shape, hazard)
    assert drawn.min() >= sold
    assert drawn.mean() == pytest.approx(expected, rel=0.03)
    assert_array_equal(panel.units[~cut], demand[~cut])


def test_counts_are_drawn_whole_and_known_days_stay_as_they_are() -> None:
    rng = np.random.default_rng(7)
    demand = rng.poisson(3.0, (5, 300)).astype(np.float64)
    cut = cut_by(np.ceil(rng.uniform(0, 4, demand.shape)), demand)
    drawn = CensoredDemand(cut, np.ones(demand.shape), True).drawn(rng)
    assert_array_equal(drawn.units, np.round(drawn.units))
    assert_array_equal(drawn.units[cut.observed], cut.units[cut.observed])
    assert (drawn.units >= cut.units).all()
    assert drawn.units[~cut.observed].mean() > cut.units[~cut.observed].mean() + 0.5


def test_nothing_sold_without_stock_says_nothing_and_stays_unknown() -> None:
    demand = np.full((2, 60), 4.0)
    observed = np.ones(demand.shape, dtype=np.bool_)
    observed[0, 10:14] = False
    empty = replace(panel_of(np.where(observed, demand, 0.0)), observed=observed)
    estimate = CensoredDemand(empty, np.ones(demand.shape), True)
    assert estimate.is_known
    assert estimate.drawn(np.random.default_rng(0)) is empty


def test_a_series_that_always_sells_out_gets_finite_draws() -> None:
    demand = np.random.default_rng(9).poisson(5.0, (2, 90)).astype(np.float64)
    stock = np.stack([np.full(90, 1.0), np.full(90, 7.0)])
    drawn = CensoredDemand(cut_by(stock, demand), np.ones(demand.shape), True).drawn(np.random.default_rng(0))
    assert np.isfinite(drawn.units).all()
    assert 1.0 < drawn.units[0].mean() < 10.0
