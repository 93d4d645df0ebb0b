"""Forecasts learned from sales that stock-outs cut, on real days of which the uncut demand is known.

FreshRetailNet's censored-truth panel (`batch.censored_truth`): only days without stock-out exist; a made
stock cuts them, and every forecaster is shown cut sales and status alone. Scored on what was recorded before
the cut. Only series that never served for development.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from batch.backtesting.forecaster import Forecast, Forecaster, History
from batch.backtesting.rolling import rolling_origins, segments_at
from batch.backtesting.runs import Run, Task
from batch.censored_truth import CensoredTruth, censored_truth, existing_days, is_development
from batch.forecaster.panel import DemandPanel, thinned
from batch.forecaster.quantile_function import mean
from batch.forecaster.sales_panel import SalesPanel
from batch.forecaster.windows import Floats
from tests.benchmarks.data_file import data_file
from tests.benchmarks.figures import Figure, measured
from tests.benchmarks.forecasting.measured_runs import (
    CLASSICAL,
    OURS,
    NewForecaster,
    contestants,
    loss_ratio_figure,
    measured_runs,
)
from tests.data.fresh_retail import FreshRetail, read_fresh_retail

FILE = "freshretailnet_dev.parquet"
FACTORS, SEED = (0.8, 1.2, 2.0), 1
SERIES, HORIZON, ORIGINS, REFIT_EVERY = 2000, 7, 6, 3
PEERS = (*CLASSICAL[1:], "lightgbm", "deepar")
LEAST_SHARE_OF_DEMAND = 0.005
"""A store's or category's bias is told where it has so much of all demand."""


@dataclass(frozen=True)
class Shop:
    """Uncut demand of n series, and the second-level category and store of each."""

    whole: DemandPanel
    sales: FreshRetail
    groups: dict[str, list[str]]


class OfCutSales:
    """A forecaster that is shown the cut sales of the series it is asked for."""

    def __init__(self, inner: Forecaster, cut: DemandPanel) -> None:
        self.sums = inner.sums
        self._inner, self._cut = inner, cut
        self._row = {key: row for row, key in enumerate(cut.series)}

    def fit(self, history: History) -> None:
        self._inner.fit(self._seen(history))

    def forecast(self, history: History) -> Forecast:
        return self._inner.forecast(self._seen(history))

    def _seen(self, history: History) -> History:
        rows = np.array([self._row[key] for key in history.panel.series])
        return replace(history, panel=self._cut.rows(rows).until(history.panel.units.shape[1] - 1))


def figures() -> list[Figure]:
    """All figures at full size."""
    return measure(SERIES, FACTORS, PEERS, development=False)


def measure(series: int, factors: Sequence[float], peers: Sequence[str], development: bool) -> list[Figure]:
    """Per factor of the stock: bias of the mean forecast, and pinball loss by every peer's."""
    shop = _shop(series, development)
    size = len(shop.whole.series)
    how = (
        f"FreshRetailNet, {size} series {'' if development else 'not '}used in development, real days without"
        f" stock-out, {ORIGINS} weekly origins, h = {HORIZON}, learned anew every {REFIT_EVERY}"
    )
    task = _task(shop)
    uncut = measured_runs(f"fresh-retail-{size}-uncut", task, contestants(OURS))
    made = []
    for factor in factors:
        cut = _cut(shop, factor)
        models = {name: _of_cut(new, cut) for name, new in contestants(*peers, OURS).items()}
        runs = measured_runs(f"fresh-retail-{size}-{factor:g}", task, models)
        told = f"{how}; opening stock made: {factor:g} x mean x exp(z/2)"
        made += _bias(f"censored_f{factor:g}", shop, runs[OURS], uncut[OURS], told)
        made += [
            loss_ratio_figure(f"censored_f{factor:g}_pinball_by_{name}", runs[OURS], theirs, None, told)
            for name, theirs in runs.items()
            if name != OURS
        ]
    return made


def _of_cut(new: NewForecaster, cut: DemandPanel) -> NewForecaster:
    return lambda: OfCutSales(new(), cut)


def _task(shop: Shop) -> Task:
    panel = SalesPanel(
        demand=shop.whole,
        calendar_known=True,
        price=None,
        facts={},
    )
    rolling = rolling_origins(panel, HORIZON, ORIGINS, HORIZON)
    everyone = tuple(range(len(shop.whole.series)))
    return Task(panel, rolling, segments_at(panel, rolling.columns[0]), everyone, REFIT_EVERY)


def _bias(label: str, shop: Shop, cut: Sequence[Run], uncut: Sequence[Run], how: str) -> list[Figure]:
    """Mean forecast learned from cut sales minus that learned from uncut ones, in % of the latter."""
    ours, reference = (np.stack([mean(run.shown).sum(axis=1) for run in runs]) for runs in (cut, uncut))
    bias = 100 * (np.nansum(ours) / np.nansum(reference) - 1)
    each = [100 * (np.nansum(a) / np.nansum(b) - 1) for a, b in zip(ours, reference, strict=True)]
    told = f"{how}; mean forecast minus that of the same model learned from uncut sales; spread over origins"
    whole = replace(
        measured(f"{label}_bias", each, "%", told, "within 1 %"), value=float(bias), met=bool(abs(bias) <= 1)
    )
    of_groups = [_group_bias(f"{label}_bias_by_{kind}", names, ours, reference, how)
                 for kind, names in shop.groups.items()]  # fmt: skip
    return [whole, *of_groups]


def _group_bias(label: str, names: list[str], ours: Floats, reference: Floats, how: str) -> Figure:
    groups = pd.DataFrame({"ours": np.nansum(ours, axis=0), "reference": np.nansum(reference, axis=0)})
    sums = groups.groupby(np.array(names)).sum()
    large = sums[sums["reference"] >= LEAST_SHARE_OF_DEMAND * sums["reference"].sum()]
    biases = 100 * (large["ours"] / large["reference"] - 1)
    return measured(label, biases.tolist(), "%", f"{how}; median and range over {len(large)} large groups")


def _shop(series: int, development: bool) -> Shop:
    path = data_file(FILE)
    data = read_fresh_retail(path)
    chosen = [at for at, name in enumerate(data.names) if is_development(name) == development]
    data = data.of(chosen)
    exists = existing_days(data.sales.sum(2), data.stockout_hours)
    kept = np.flatnonzero(exists.any(axis=1))
    kept = kept[thinned(len(kept), series)]
    data, exists = data.of(kept.tolist()), exists[kept]
    known = _known_ahead(path, data.names)
    whole = DemandPanel(
        series=tuple((name.split("/")[1], name.split("/")[0]) for name in data.names),
        first_day=date(1970, 1, 1) + timedelta(days=data.first_day),
        units=np.where(exists, data.sales.sum(2), 0.0),
        observed=exists,
        open=np.ones_like(exists),
        location_open=np.ones_like(exists),
        panel_hash="",
        price=known["discount"].unstack("dt").to_numpy(dtype=np.float64),
        promotion=known["activity_flag"].unstack("dt").to_numpy(dtype=np.float64),
    )
    category = known["second_category_id"].unstack("dt").iloc[:, 0].astype(str).tolist()
    whole = replace(whole, category=tuple(category))
    return Shop(whole, data, {"store": [store for _, store in whole.series], "category": category})


def _known_ahead(path: Path, names: list[str]) -> pd.DataFrame:
    """Discount, activity and category of each series and day, in the order of `names`."""
    columns = ["store_id", "product_id", "dt", "discount", "activity_flag", "second_category_id"]
    rows = pd.read_parquet(path, columns=columns)
    rows["name"] = rows["store_id"].astype(str) + "/" + rows["product_id"].astype(str)
    rows = rows[rows["name"].isin(names)]
    place = pd.Categorical(rows["name"], categories=names, ordered=True)
    return rows.assign(name=place).set_index(["name", "dt"]).sort_index()


def _cut(shop: Shop, factor: float) -> DemandPanel:
    data = shop.sales
    rng = np.random.default_rng(SEED)
    made: CensoredTruth = censored_truth(data.sales, data.stockout_hours, data.first_day, factor, rng)
    where = (made.days.series, made.days.day - data.first_day)
    units, observed = np.zeros_like(shop.whole.units), np.zeros_like(shop.whole.observed)
    units[where], observed[where] = made.days.recorded, ~made.days.censored
    return replace(shop.whole, units=units, observed=observed)
