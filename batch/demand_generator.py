"""`stockstream generate-demand`: simulated demand of which everything is known, and what a shop sees of it.

Demand of a series on a day is negative binomial with mean

    exp(base + walk + weekly * sin(week) + annual * sin(year) + effect on promotion days)

and dispersion k (variance mean + mean ** 2 / k). Base is N(0, 1), log k is N(0.3, 0.5), the walk gathers
N(0, 0.01) a day. All series peak on the same day of the week and of the year unless each has phases of its
own. About half of the days sell nothing. Promotions and prices are known ahead. Stock-outs cut the history.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray
from scipy.stats import nbinom

from batch.forecaster.panel import DemandPanel, relative_price
from infra.errors import exit_with_message

Floats = NDArray[np.float64]

FIRST_DAY = date(2024, 1, 1)
LOCATION = "simulated-shop"
DISCOUNT = 0.2
MEAN_STOCKOUT_DAYS = 4
PANEL_FILE, ORACLE_FILE, PLAN_FILE = "panel.parquet", "oracle.parquet", "generator.json"

app = typer.Typer(add_completion=False, help=__doc__)


@dataclass(frozen=True)
class GeneratorPlan:
    """The generator's parameters.

    Attributes:
        series: how many SKUs, all at one location.
        days: days of history, in which stock-outs happen.
        future_days: days after them, without stock-outs.
        weekly: amplitude of the week in logs, 0.3 for about 30 % up and down. annual: likewise of the year.
        own_phases: whether each series peaks on its own day of the week and of the year.
        promotion_share: share of days on promotion.
        promotion_effect: log of what a promotion multiplies the mean by.
        walk: standard deviation of the daily step of the log level.
        stockout_share: share of the history's days with a stock-out.
        seed: decides everything that is drawn.
    """

    series: int = 1000
    days: int = 730
    future_days: int = 28
    weekly: float = 0.3
    annual: float = 0.3
    own_phases: bool = False
    promotion_share: float = 0.07
    promotion_effect: float = 0.7
    walk: float = 0.01
    stockout_share: float = 0.05
    seed: int = 1


@dataclass(frozen=True)
class GeneratedDemand:
    """Simulated demand; arrays are (series, days + future days) unless said otherwise.

    Attributes:
        plan: what it was made from.
        rate: mean of the demand, the walk included. walk: log of its share.
        dispersion: (series, 1) k of the negative binomial.
        demand: what customers wanted.
        units: what was sold. available: share of the day in stock.
        price: money per unit. promotion: 1 or 0.
    """

    plan: GeneratorPlan
    rate: Floats
    walk: Floats
    dispersion: Floats
    demand: Floats
    units: Floats
    available: Floats
    price: Floats
    promotion: Floats

    @property
    def series(self) -> tuple[tuple[str, str], ...]:
        return tuple((f"sku-{number:05d}", LOCATION) for number in range(self.plan.series))

    def panel(self) -> DemandPanel:
        """What a forecaster may know, future covariates included; every day is open."""
        always = np.ones(self.units.shape, dtype=np.bool_)
        return DemandPanel(
            series=self.series,
            first_day=FIRST_DAY,
            units=self.units,
            observed=self.available >= 1,
            open=always,
            location_open=always,
            panel_hash=f"{self.plan.seed:064x}",
            price=relative_price(self.price),
            promotion=self.promotion,
        )

    def oracle_quantiles(self, first: int, levels: tuple[float, ...]) -> Floats:
        """(series, days, levels) from column `first` on, for one who knows rate, walk and dispersion."""
        k, rate = self.dispersion[:, :, None], self.rate[:, first:, None]
        quantiles: Floats = nbinom.ppf(np.asarray(levels), k, k / (k + rate))
        return quantiles


def generate(plan: GeneratorPlan) -> GeneratedDemand:
    """Draws demand, promotions and stock-outs; the same plan gives the same numbers."""
    shape = (plan.series, plan.days + plan.future_days)
    walk = np.cumsum(_random(plan, "walk").normal(0, plan.walk, shape), axis=1)
    promotion = (_random(plan, "promotion").random(shape) < plan.promotion_share).astype(np.float64)
    base = _random(plan, "base").normal(0, 1, (plan.series, 1))
    rate = np.exp(base + walk + _seasons(plan, shape[1]) + plan.promotion_effect * promotion)
    dispersion = np.exp(_random(plan, "dispersion").normal(0.3, 0.5, (plan.series, 1)))
    demand = _random(plan, "demand").negative_binomial(dispersion, dispersion / (dispersion + rate))
    available = _available(plan, shape)
    sold = _random(plan, "sold").binomial(demand, available)
    list_price = np.round(np.exp(_random(plan, "price").normal(2, 0.5, (plan.series, 1))), 2)
    return GeneratedDemand(
        plan=plan,
        rate=rate,
        walk=walk,
        dispersion=dispersion,
        demand=demand.astype(np.float64),
        units=sold.astype(np.float64),
        available=available,
        price=list_price * (1 - DISCOUNT * promotion),
        promotion=promotion,
    )


def _random(plan: GeneratorPlan, purpose: str) -> np.random.Generator:
    """A stream of its own for each purpose, so that another walk leaves the promotions as they were."""
    return np.random.default_rng([plan.seed, *purpose.encode()])


def _seasons(plan: GeneratorPlan, days: int) -> Floats:
    """(series, days) log of both seasons' factors."""
    phases = _random(plan, "phases").random((2, plan.series, 1)) * plan.own_phases
    day = np.arange(days)
    week = plan.weekly * np.sin(2 * np.pi * (day / 7 + phases[0]))
    year = plan.annual * np.sin(2 * np.pi * (day / 365.25 + phases[1]))
    seasons: Floats = week + year
    return seasons


def _available(plan: GeneratorPlan, shape: tuple[int, int]) -> Floats:
    """1, or less on the first day of a stock-out and 0 on its others; lengths are geometric."""
    random = _random(plan, "stockouts")
    starts = random.random(shape) < plan.stockout_share / MEAN_STOCKOUT_DAYS
    lengths = random.geometric(1 / MEAN_STOCKOUT_DAYS, shape)
    left = np.zeros(plan.series, dtype=np.int64)
    available = np.ones(shape)
    for day in range(plan.days):
        begins = starts[:, day] & (left == 0)
        available[left > 0, day] = 0.0
        available[begins, day] = random.random(plan.series)[begins]
        left = np.where(begins, lengths[:, day], left) - ((left > 0) | begins)
    return available


def write_demand(generated: GeneratedDemand, folder: Path) -> None:
    """Writes the panel, what only the generator knows (oracle), and the parameters; each file in one step."""
    keys = _keys(generated)
    sold = {name: getattr(generated, name).ravel() for name in ("units", "available", "price", "promotion")}
    dispersion = np.broadcast_to(generated.dispersion, generated.rate.shape)
    hidden = {
        "demand": generated.demand.ravel(),
        "rate": generated.rate.ravel(),
        "walk": generated.walk.ravel(),
        "dispersion": dispersion.ravel(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / PANEL_FILE, lambda path: keys.assign(**sold).to_parquet(path, index=False))
    _replace(folder / ORACLE_FILE, lambda path: keys.assign(**hidden).to_parquet(path, index=False))
    plan = {"simulated": True, **asdict(generated.plan)}
    _replace(folder / PLAN_FILE, lambda path: path.write_text(json.dumps(plan, indent=1) + "\n"))


def _keys(generated: GeneratedDemand) -> pd.DataFrame:
    n, days = generated.units.shape
    dates = np.array([np.datetime64(FIRST_DAY + timedelta(days=day), "D") for day in range(days)])
    skus = [sku for sku, _ in generated.series]
    return pd.DataFrame({"sku": np.repeat(skus, days), "location": LOCATION, "date": np.tile(dates, n)})


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    write(unfinished)
    os.replace(unfinished, path)


@app.command()
def main(
    out: Annotated[Path, typer.Option(help="folder to write to")],
    series: Annotated[int, typer.Option(min=1, max=99_999, help="how many SKUs")] = GeneratorPlan.series,
    days: Annotated[int, typer.Option(min=1, help="days of history")] = GeneratorPlan.days,
    future_days: Annotated[
        int, typer.Option(min=0, help="days after them, without stock-outs")
    ] = GeneratorPlan.future_days,
    weekly: Annotated[float, typer.Option(min=0, max=1, help="amplitude of the week")] = GeneratorPlan.weekly,
    annual: Annotated[float, typer.Option(min=0, max=1, help="amplitude of the year")] = GeneratorPlan.annual,
    own_phases: Annotated[
        bool, typer.Option("--own-phases", help="each series peaks on days of its own")
    ] = GeneratorPlan.own_phases,
    promotion_share: Annotated[
        float, typer.Option(min=0, max=1, help="share of days on promotion")
    ] = GeneratorPlan.promotion_share,
    promotion_effect: Annotated[
        float, typer.Option(min=0, max=5, help="log of a promotion's factor")
    ] = GeneratorPlan.promotion_effect,
    walk: Annotated[
        float, typer.Option(min=0, max=1, help="daily step of the log level")
    ] = GeneratorPlan.walk,
    stockout_share: Annotated[
        float, typer.Option(min=0, max=1, help="share of the history's days with a stock-out")
    ] = GeneratorPlan.stockout_share,
    seed: Annotated[int, typer.Option(min=0, help="decides everything drawn")] = GeneratorPlan.seed,
) -> None:
    """Write simulated demand: `panel.parquet` as a shop sees it, `oracle.parquet` the truth behind it."""
    plan = GeneratorPlan(
        series, days, future_days, weekly, annual, own_phases, promotion_share, promotion_effect, walk,
        stockout_share, seed,
    )  # fmt: skip
    generated = generate(plan)
    write_demand(generated, out)
    empty = float((generated.demand == 0).mean())
    typer.echo(
        f"simulated demand of {series} series over {days} + {future_days} days, {empty:.1%} of it zero"
    )
    typer.echo(f"panel: {out / PANEL_FILE}, oracle: {out / ORACLE_FILE}")


if __name__ == "__main__":
    exit_with_message(app)
