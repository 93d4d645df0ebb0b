"""The encoder's state kept per series and advanced by one day, instead of reading the whole history again.

Running sums over each of `LEVEL_DAYS` stand beside the state (h, c) of the LSTM, so that a day costs the same
however long the history is. Sums drift by rounding only, about 1e-12 of their size a year.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import torch
from torch import Tensor

from batch.forecaster.predictor import Predictor
from batch.forecaster.windows import (
    LEVEL_DAYS,
    DayValues,
    DemandWindow,
    Floats,
    calendar_features,
    day_features,
    demand_history,
    filled_units,
    level_of,
    log_index_of,
    ratio,
)

LONGEST = max(LEVEL_DAYS)


class RunningLevels:
    """Sums of sold units, of the index they were sold at and of known days, over the days of each span."""

    def __init__(self, units: Floats, index: Floats, known: Floats) -> None:
        """Starts from the days of a history (series, days), oldest first."""
        missing = max(0, LONGEST - units.shape[1])
        days = np.stack([units * known, index * known, known])[:, :, -LONGEST:]
        self._ring = np.pad(days, ((0, 0), (0, 0), (missing, 0)))
        self._oldest = 0
        self._sums = {span: self._ring[:, :, -span:].sum(axis=2) for span in LEVEL_DAYS}

    def append(self, units: Floats, index: Floats, known: Floats) -> None:
        """Adds one day (series,)."""
        today = np.stack([units * known, index * known, known])
        for span, total in self._sums.items():
            total += today - self._ring[:, :, (self._oldest - span) % LONGEST]
        self._ring[:, :, self._oldest] = today
        self._oldest = (self._oldest + 1) % LONGEST

    @property
    def ratios(self) -> dict[int, Floats]:
        """Units per unit of index over each span."""
        return {span: ratio(total[0], total[1]) for span, total in self._sums.items()}

    @property
    def known_days(self) -> Floats:
        """Known days in the longest span."""
        days: Floats = np.maximum(self._sums[LONGEST][2], 0.0)
        return days


class KeptState:
    """The state of the encoder after the last day, for the given series.

    Attributes:
        last_day: the last day that has been read.
        hidden: (series, hidden size) output of the LSTM. cell: likewise its memory.
    """

    last_day: date
    hidden: Tensor
    cell: Tensor

    def __init__(
        self, predictor: Predictor, series: Sequence[tuple[str, str]], history: DemandWindow
    ) -> None:
        """Reads the whole history once, from an empty state."""
        self._encoder = predictor.network.encoder
        self._effects = predictor.effects(series)
        read = demand_history(history, self._effects)
        index = np.exp(read.log_index)
        self._levels = RunningLevels(history.units, index, read.known.astype(float))
        self._level = read.level[:, -1]
        self.last_day = history.last_day
        shape = (len(series), self._encoder.hidden_size)
        self.hidden, self.cell = torch.zeros(shape), torch.zeros(shape)
        self._read(read.features)

    def advance(self, day: DemandWindow) -> None:
        """Reads the next day, given as a window of that one day.

        Raises:
            ValueError: it is not the day after the last one.
        """
        if day.last_day != self.last_day + timedelta(days=1) or day.units.shape[1] != 1:
            raise ValueError(
                f"expected one day after {self.last_day}, got {day.units.shape[1]} to {day.last_day}"
            )
        log_of_index = log_index_of(day, self._effects)
        index, known = np.exp(log_of_index), day.observed & day.open
        filled = filled_units(day, index, self._level[:, None])
        self._levels.append(day.units[:, 0], index[:, 0], known[:, 0].astype(float))
        ratios = {span: each[:, None] for span, each in self._levels.ratios.items()}
        level = level_of(ratios)
        values = DayValues(filled, index, level, ratios, self._levels.known_days[:, None])
        calendar = calendar_features(np.array([day.last_day], dtype="datetime64[D]"))
        self._read(day_features(day, values, calendar))
        self._level, self.last_day = level[:, 0], day.last_day

    @torch.inference_mode()
    def _read(self, features: Floats) -> None:
        days = torch.from_numpy(features.astype(np.float32))
        _, (hidden, cell) = self._encoder(days, (self.hidden[None], self.cell[None]))
        self.hidden, self.cell = hidden[0], cell[0]
