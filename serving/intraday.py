"""Forecasts of the rest of a day that has outrun its forecast, from day-to-date rows.

The first row of a local day that says that more has been sold than the 95 % quantile of the whole day leads
to one; a SKU has at most one a day. What is known then is a lower bound of the day's demand, and nothing else
is assumed of when in a day customers come: everything may have been one order. So the day is forecast given
that bound, and the days after by the joint paths that begin with such a day.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from batch.forecaster.quantile_function import PROBABILITIES, whole_function
from batch.forecaster.sampling import cumulative_quantiles, sample_paths
from batch.forecaster.windows import Floats
from infra.contracts import identity
from infra.contracts.demand import QUANTILE_LEVELS, DemandFeatures, DemandForecast, IntradayForecast
from infra.contracts.topics import FORECASTS
from serving.board.packed import pack, unpack
from serving.inventory.ledger import Key
from serving.inventory.local_days import midnight_after
from serving.made_quantiles import publishable

OUTRUN_LEVEL = 0.95
PATHS = 20_000
MOST_UNUSUAL = 0.99
"""Beyond this probability of the day the paths of the days after are those of such days: 200 of `PATHS`."""

KEPT_DAYS = 2

_COLUMN = QUANTILE_LEVELS.index(OUTRUN_LEVEL)


def rest_of_day(forecast: DemandForecast, sold: float, origin_ms: int, day_end_ms: int) -> IntradayForecast:
    """The forecast after an instant within the day that another forecast begins with.

    Args:
        forecast: of the whole day, made at its beginning.
        sold: units sold since then.
        origin_ms: the instant.
        day_end_ms: the end of the day.
    """
    key, quantiles = (forecast.sku, forecast.location), np.array(forecast.quantiles)
    left = (day_end_ms - origin_ms) / (day_end_ms - forecast.origin_ms)
    below = float(np.interp(sold, _ascending(whole_function(quantiles[0])), PROBABILITIES))
    rest = np.maximum(_given(quantiles[0], below) - sold, left * quantiles[0])
    seed = identity.seed(*key, origin_ms, forecast.model_id)
    after = _after_such_a_day(forecast, quantiles, min(below, MOST_UNUSUAL), seed)
    table = np.maximum.accumulate(publishable(np.vstack([rest, after])), axis=1)
    paths = sample_paths(QUANTILE_LEVELS, table[None], forecast.copula, [seed], forecast.paths)
    sums = np.maximum.accumulate(publishable(cumulative_quantiles(paths, QUANTILE_LEVELS)[0]), axis=1)
    changed = {
        "origin_ms": origin_ms,
        "quantiles": table.tolist(),
        "cumulative": sums.tolist(),
        "context_digest": identity.digest([forecast.context_digest, sold]),
        "seed": seed,
        "shadow": None,
    }
    made = DemandForecast.model_validate(forecast.model_dump() | changed)
    return IntradayForecast(
        sku=key[0], location=key[1], day_origin_ms=forecast.origin_ms, sold_so_far=sold, forecast=made
    )


def _ascending(knots: Floats) -> Floats:
    """Knots made strictly ascending, so that equal ones are read at the highest probability."""
    return knots + np.arange(len(knots)) * 1e-9


def _given(quantiles: Floats, below: float) -> Floats:
    """(levels,) quantiles of what is above the quantile of probability `below`."""
    levels = below + (1 - below) * np.array(QUANTILE_LEVELS)
    given: Floats = np.interp(levels, PROBABILITIES, whole_function(quantiles))
    return given


def _after_such_a_day(forecast: DemandForecast, quantiles: Floats, below: float, seed: int) -> Floats:
    """(horizon - 1, levels) of the days after a first day at or above probability `below`."""
    paths = sample_paths(QUANTILE_LEVELS, quantiles[None], forecast.copula, [seed], PATHS)[0]
    first = np.interp(below, PROBABILITIES, whole_function(quantiles[0]))
    likely = paths[paths[:, 0] >= first]
    after: Floats = np.quantile(likely[:, 1:], QUANTILE_LEVELS, axis=0).T
    return after


@dataclass(frozen=True)
class _Day:
    """A SKU's forecast of a day, packed, and what the day has outrun it by."""

    limit: float
    packed: bytes


class IntradayWatch:
    """Rows within days beside the forecasts of those days, and what has been forecast of them.

    Whether and when a forecast is made depends on a SKU's rows in their order and on its day's forecast, not
    on which of them came first. A row of a day before the last `KEPT_DAYS` with a forecast is left alone.
    """

    def __init__(self) -> None:
        self._days: dict[Key, dict[int, _Day]] = {}
        self._early: dict[Key, list[DemandFeatures]] = {}
        self._made: dict[Key, int] = {}
        self._due: dict[tuple[Key, int], DemandFeatures] = {}

    def note_forecast(self, forecast: DemandForecast) -> None:
        """A day's forecast is in the log."""
        key = (forecast.sku, forecast.location)
        days = self._days.setdefault(key, {})
        days[forecast.origin_ms] = _Day(forecast.quantiles[0][_COLUMN], pack(FORECASTS, forecast))
        for old in sorted(days)[:-KEPT_DAYS]:
            del days[old]
        for row in self._early.pop(key, []):
            self.note_row(row)

    def note_made(self, made: IntradayForecast) -> None:
        """One is in the log: its day gets no other."""
        key = (made.sku, made.location)
        self._made[key] = max(self._made.get(key, -1), made.day_origin_ms)
        self._due.pop((key, made.day_origin_ms), None)

    def note_row(self, row: DemandFeatures) -> None:
        """A day-to-date row has come, in its partition's order; it waits for the forecast of its day."""
        key, start_ms, units = (row.sku, row.location), row.window_start_ms, row.values.get("units")
        days = self._days.get(key, {})
        if units is None or self._made.get(key, -1) >= start_ms:
            return
        if start_ms > max(days, default=-1):
            self._early.setdefault(key, []).append(row)
        elif start_ms in days and units > days[start_ms].limit:
            self._due.setdefault((key, start_ms), row)

    def due(self, time_zone: Callable[[str, int], str | None]) -> Iterator[IntradayForecast]:
        """What has become due, by SKU; `time_zone` of a location at an instant is None while unknown."""
        for (key, start_ms), row in sorted(self._due.items(), key=itemgetter(0)):
            zone = time_zone(key[1], row.window_end_ms)
            day = self._days[key].get(start_ms)
            if zone is not None and day is not None:
                forecast, sold = unpack(FORECASTS, day.packed), row.values["units"] or 0.0
                made = rest_of_day(forecast, sold, row.window_end_ms, midnight_after(start_ms, 1, zone))
                self.note_made(made)
                yield made
