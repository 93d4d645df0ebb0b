"""Forecasters on a real shop, UCI Online Retail I and II: every peer, daily, twelve disjoint origins."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from batch.backtesting.models import BASELINES
from batch.backtesting.rolling import Origins, rolling_origins, segments_at
from batch.backtesting.runs import Run, Task
from batch.backtesting.summary import metrics
from batch.forecaster.sales_panel import SalesPanel, read_sales_panel
from infra.local.verify import current_commit
from tests.benchmarks.data_file import data_file
from tests.benchmarks.figures import Figure
from tests.benchmarks.forecasting.measured_runs import (
    CLASSICAL,
    OURS,
    contestants,
    loss_ratio_figure,
    measured_runs,
    pooled,
)

FILE = "online_retail.parquet"
SALE_DAYS, HORIZON, ORIGINS, REFIT_EVERY = 250, 28, 12, 3
PEERS = (*CLASSICAL[1:], "auto-arima", "lightgbm", "deepar")


def figures() -> list[Figure]:
    """All figures at full size."""
    return measure(None, ORIGINS, PEERS)


def measure(series: int | None, origins: int, peers: Sequence[str]) -> list[Figure]:
    """Ratios to every peer and the coverage, on so many of the series (all if None), evenly picked."""
    panel = _panel(series)
    rolling = rolling_origins(panel, HORIZON, origins, HORIZON)
    task = Task(panel, rolling, segments_at(panel, rolling.columns[0]), (0,), REFIT_EVERY)
    size = len(panel.demand.series)
    runs = measured_runs(f"online-retail-{size}-{origins}", task, contestants(*peers, OURS))
    how = (
        f"UCI Online Retail, {size} SKUs with {SALE_DAYS} sale days or more, {origins} disjoint origins,"
        f" h = {HORIZON}, learned anew every {REFIT_EVERY} origins"
    )
    return [*_ratios(runs, rolling, how), *_calibration(runs[OURS], rolling, how)]


def _panel(series: int | None) -> SalesPanel:
    with tempfile.TemporaryDirectory() as folder:
        _daily(series).to_parquet(Path(folder) / FILE)
        return read_sales_panel(Path(folder) / FILE)


def _daily(series: int | None) -> pd.DataFrame:
    """One row per SKU and day from its first sale on; the shop is open on days with any sale."""
    lines = _sales()
    shop_days = pd.date_range(lines["date"].min(), lines["date"].max())
    units = lines.groupby(["StockCode", "date"])["Quantity"].sum()
    days_sold = units.groupby("StockCode").size()
    skus = days_sold.index[days_sold >= SALE_DAYS].sort_values()
    if series is not None:
        skus = skus[np.linspace(0, len(skus) - 1, series).astype(int)]
    wide = units.unstack("date").reindex(index=skus, columns=shop_days)
    first = wide.notna().to_numpy().argmax(axis=1)
    long = wide.fillna(0.0).stack().reset_index()
    long.columns = pd.Index(["sku", "date", "units"])
    day = np.tile(np.arange(len(shop_days)), len(skus))
    open_days = set(lines["date"])
    long = long.assign(location="gb-main", open=[date in open_days for date in long["date"]])
    return long[day >= np.repeat(first, len(shop_days))]


def _sales() -> pd.DataFrame:
    """Lines of products sold; a sale that the same customer cancelled on the same day is left out."""
    lines = pd.read_parquet(data_file(FILE))
    lines["date"] = lines["InvoiceDate"].dt.normalize()
    lines = lines[lines["StockCode"].str.fullmatch(r"\d{5}[A-Za-z]{0,2}")]
    key = ["Customer ID", "StockCode", "date", "size"]
    lines = lines.assign(size=lines["Quantity"].abs())
    cancelled = lines.loc[lines["Invoice"].str.startswith("C"), key].drop_duplicates()
    sold = lines[~lines["Invoice"].str.startswith("C") & (lines["Quantity"] > 0) & (lines["Price"] > 0)]
    marked = sold.merge(cancelled, on=key, how="left", indicator="found")
    return marked[(marked["found"] == "left_only") | marked["Customer ID"].isna()]


def _ratios(runs: Mapping[str, Sequence[Run]], origins: Origins, how: str) -> list[Figure]:
    places = ((None, "days"), *((place, f"{tau}_days") for place, tau in enumerate(origins.taus)))
    return [
        loss_ratio_figure(
            f"retail_{kind}_by_{name}",
            runs[OURS],
            theirs,
            place,
            how,
            "<= 0.90" if name in BASELINES else None,
        )
        for name, theirs in runs.items()
        if name != OURS
        for place, kind in places
    ]


def _calibration(runs: Sequence[Run], origins: Origins, how: str) -> list[Figure]:
    whole = pooled({OURS: runs})[OURS]
    each = [metrics(run.sums, origins.taus) for run in runs]
    made = []
    for tau in (None, *origins.taus):
        shares = np.array([[_coverage(one, tau)[p] for p in ("50", "80", "95")] for one in each])
        pooled_shares = _coverage(metrics(whole, origins.taus), tau)
        errors = np.array([100 * abs(share - float(p) / 100) for p, share in pooled_shares.items()])
        standard_error = 100 * shares.std(axis=0, ddof=1) / np.sqrt(len(shares))
        worst = int(np.argmax(errors - 2 * standard_error))
        allowed = 2 + 2 * float(standard_error[worst])
        value = float(errors[worst])
        label = f"retail_coverage_error_{'days' if tau is None else f'{tau}_days'}"
        made.append(
            Figure(
                label, value, "points", f"<= {allowed:.2f} (2 + 2 SE)", value <= allowed, len(runs),
                (float(errors.min()), float(errors.max())),
                f"{how}; worst of 50, 80, 95 %, randomised PIT; spread over the three", current_commit(),
            )
        )  # fmt: skip
    return made


def _coverage(scores: dict[str, dict[str, dict[str, dict[str, float]]]], tau: int | None) -> dict[str, float]:
    found = scores if tau is None else scores["cumulative"][str(tau)]
    shares: dict[str, float] = found["pit_coverage"]  # type: ignore[assignment]
    return shares
