"""Forecasts that are made once: runs share every history that their decisions have not yet set apart."""

from collections.abc import Sequence

import numpy as np

from batch.forecaster.windows import DemandWindow
from infra.contracts.demand import EVALUATED_DAYS, QUANTILE_LEVELS, DemandForecast
from serving.demand_context import context_digests
from serving.forecast_source import Correction, ForecastSource
from serving.inventory.ledger import Key

MOST = 8000
"""Messages that are kept: about 300 MB."""


class RememberedForecasts:
    """The messages of a source; a series' message depends on its own window alone, bit for bit.

    Nothing recalibrates them: that takes forecasts and scores of every day, not of reviews only.
    """

    def __init__(self, source: ForecastSource) -> None:
        self._source = source
        self._made: dict[tuple[Key, int, str], DemandForecast] = {}

    @property
    def history_days(self) -> int:
        """Days of context a forecast reads."""
        return self._source.history_days

    def forecast(self, window: DemandWindow, keys: Sequence[Key], origin_ms: int) -> list[DemandForecast]:
        """One message per series."""
        wanted = [(key, origin_ms, digest) for key, digest in zip(keys, context_digests(window), strict=True)]
        missing = [row for row, each in enumerate(wanted) if each not in self._made]
        if missing:
            unmoved = np.zeros((len(missing), len(EVALUATED_DAYS), len(QUANTILE_LEVELS)))
            correction, some = Correction(origin_ms, unmoved, unmoved), [keys[row] for row in missing]
            made = self._source.forecast(window.rows(missing), some, origin_ms, correction)
            self._made |= dict(zip((wanted[row] for row in missing), made, strict=True))
        answer = [self._made[each] for each in wanted]
        for oldest in list(self._made)[: max(0, len(self._made) - MOST)]:
            del self._made[oldest]
        return answer
