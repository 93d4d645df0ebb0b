"""What a forecaster is given at an origin, and what it must answer."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from batch.forecaster.baselines import filled_demand
from batch.forecaster.panel import DemandPanel
from batch.forecaster.windows import DemandWindow, Flags, Floats


@dataclass(frozen=True)
class History:
    """What is known about n series at the close of an origin's day.

    Attributes:
        panel: demand up to the origin; all series have been launched.
        future_open: (n, horizon) the open days known ahead.
        future_price: (n, horizon) known ahead, in multiples of the usual price. future_promotion: likewise.
        category: (n,) index of the series' category.
        taus: numbers of days whose total demand is to be forecast, ascending.
    """

    panel: DemandPanel
    future_open: Flags
    future_price: Floats
    future_promotion: Floats
    category: NDArray[np.int64]
    taus: tuple[int, ...]

    @property
    def horizon(self) -> int:
        return int(self.future_open.shape[1])

    @property
    def known(self) -> Flags:
        """(n, days) where sales are demand: open, recorded, in stock all day."""
        return self.panel.observed & self.panel.open

    @property
    def filled(self) -> Floats:
        """(n, days) units; where sales are not demand, at least the mean of the known of 56 days before."""
        return filled_demand(self.panel.units, self.panel.open, self.known)

    def window(self, days: int, ahead: int) -> DemandWindow:
        """The last `days` days, and `ahead` days known ahead, repeated by weeks beyond the horizon."""
        last = self.panel.units.shape[1] - 1
        past = self.panel.window(last, days, 0)
        step = np.arange(ahead)
        step = np.where(step < self.horizon, step, self.horizon - 1 - (self.horizon - 1 - step) % 7)
        return DemandWindow(
            last_day=past.last_day,
            units=past.units,
            observed=past.observed,
            open=past.open,
            future_open=self.future_open[:, np.maximum(step, 0)],
            price=past.price,
            promotion=past.promotion,
            future_price=self.future_price[:, np.maximum(step, 0)],
            future_promotion=self.future_promotion[:, np.maximum(step, 0)],
        )


@dataclass(frozen=True)
class Forecast:
    """Quantiles at `QUANTILE_LEVELS`, ascending and at least 0.

    Attributes:
        daily: (n, horizon, levels) of demand per day.
        cumulative: (n, taus, levels) of demand of the first tau days.
    """

    daily: Floats
    cumulative: Floats


class Forecaster(Protocol):
    """A method of forecasting; nothing but the history it is given may reach its answer.

    Attributes:
        sums: how it makes the distribution of summed demand, in words.
    """

    sums: str

    def fit(self, history: History) -> None:
        """Learns what is learned across series or once for several origins.

        Raises:
            StockstreamError: the method cannot be used on such data.
        """

    def forecast(self, history: History) -> Forecast:
        """Forecasts at the close of the history, which may be later than the one fitted on."""


def ascending(quantiles: Floats) -> Floats:
    """Quantiles cut off at 0 and sorted along the last axis, which never raises the pinball loss.

    Source: Chernozhukov, Fernández-Val and Galichon 2010, Quantile and probability curves without crossing.
    """
    sorted_quantiles: Floats = np.sort(np.maximum(quantiles, 0.0), axis=-1)
    return sorted_quantiles


def of_paths(paths: Floats, future_open: Flags, taus: tuple[int, ...], levels: tuple[float, ...]) -> Forecast:
    """The forecast of n series from sample paths (n, paths, horizon), cut off at 0 and on closed days."""
    paths = np.maximum(paths, 0.0) * future_open[:, None, :]
    daily = np.moveaxis(np.quantile(paths, levels, axis=1), 0, 2)
    sums = np.stack([paths[:, :, :tau].sum(axis=2) for tau in taus], axis=1)
    return Forecast(daily, np.moveaxis(np.quantile(sums, levels, axis=2), 0, 2))
