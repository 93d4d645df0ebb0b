"""The encoder's state kept per series and advanced by one day, instead of reading the window again.

The window that the encoder reads begins anew every `ForecasterConfig.anchor_days`, on dates that are fixed
for ever, and grows by a day in between. So a kept state is what encoding the window gives, and a restart that
encodes it, day by day and in batches of the same fixed size, comes to the same bytes.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import torch
from torch import Tensor

from batch.forecaster.predictor import BATCH_SIZE, Origin, Predictor, as_float
from batch.forecaster.windows import (
    BASE_LOOKBACK,
    LEVEL_DAYS,
    SCALE_DAYS,
    DayValues,
    DemandWindow,
    Flags,
    Floats,
    calendar_features,
    day_features,
    filled_units,
    level_of,
    log_index_of,
    ratio,
)

Key = tuple[str, str]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DayInputs:
    """Days of n series (n, days) in front of what the encoder reads of any of them.

    A day's features are sums over the `LEVEL_DAYS` until then, added up anew for each day: no bit of them
    depends on how long the window is, or on what else is computed.
    """

    window: DemandWindow
    index: Floats
    known: Flags
    sold: Floats
    expected: Floats

    @classmethod
    def of(cls, window: DemandWindow, effects: Floats) -> "DayInputs":
        """The days of a window, with their index from the effects (n, EFFECTS)."""
        index, known = np.exp(log_index_of(window, effects)), window.observed & window.open
        return cls(window, index, known, np.where(known, window.units, 0.0), np.where(known, index, 0.0))

    def rows(self, rows: Sequence[int]) -> "DayInputs":
        """Those of some of the series."""
        arrays = {name: getattr(self, name)[rows] for name in ("index", "known", "sold", "expected")}
        return replace(self, window=self.window.rows(rows), **arrays)

    def features(self, back: int) -> tuple[Floats, Floats]:
        """Features (n, DAY_FEATURES) and level (n,) of the day `back` days before the last."""
        end = self.window.units.shape[1] - back
        ratios, before = self._ratios(end, LEVEL_DAYS), level_of(self._ratios(end - 1, SCALE_DAYS))
        day, index = self.window.day(end - 1), self.index[:, end - 1 : end]
        known_days = self.known[:, max(0, end - max(LEVEL_DAYS)) : end].sum(axis=1, keepdims=True)
        filled = filled_units(day, index, before)
        values = DayValues(filled, index, level_of(ratios), ratios, known_days.astype(np.float64))
        calendar = calendar_features(np.array([day.last_day], dtype="datetime64[D]"))
        return day_features(day, values, calendar)[:, 0], values.level[:, 0]

    def _ratios(self, end: int, spans: Sequence[int]) -> dict[int, Floats]:
        def total(values: Floats, span: int) -> Floats:
            summed: Floats = values[:, max(0, end - span) : end].sum(axis=1, keepdims=True)
            return summed

        return {span: ratio(total(self.sold, span), total(self.expected, span)) for span in spans}


@dataclass(frozen=True)
class State:
    """What the encoder has made of a series up to `last_day`: (hidden size,) each."""

    last_day: date
    hidden: Tensor
    cell: Tensor


class KeptStates:
    """The states of any series after the last day that they were asked for, under one model."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self._states: dict[Key, State] = {}

    def predict(self, window: DemandWindow, keys: Sequence[Key]) -> Floats:
        """What `Predictor.predict` gives, to rounding; the day after an earlier call costs one step.

        Args:
            window: at least `config.history_days` days; those of an earlier call must not have changed.
            keys: (sku, location) of each row.
        """
        batches = (slice(start, start + BATCH_SIZE) for start in range(0, len(keys), BATCH_SIZE))
        return np.concatenate([self._predict_batch(window.rows(rows), keys[rows]) for rows in batches])

    def _predict_batch(self, window: DemandWindow, keys: Sequence[Key]) -> Floats:
        window = self.predictor.learned(window)
        # Broken weights make numbers that are not finite here, which `check_quantiles` finds.
        with np.errstate(invalid="ignore"):
            days = DayInputs.of(window, self.predictor.effects(keys))
            self.advance(days, keys)
            features, level = days.features(0)
            recent = slice(-BASE_LOOKBACK, None)
            units = window.units[:, recent] / days.index[:, recent]
            origin = Origin(features[:, None], level, units, days.known[:, recent])
            encoded = torch.stack([self._states[key].hidden for key in keys])[:, None]
            return self.predictor.decode(window, keys, origin, encoded)

    def state(self, key: Key) -> State:
        """The state of a series that was asked for."""
        return self._states[key]

    def advance(self, days: DayInputs, keys: Sequence[Key]) -> None:
        """Reads what each of at most `BATCH_SIZE` series has not read yet: the last days, or all of them."""
        steps = np.array([self._steps(key, days.window.last_day) for key in keys])
        for count in np.unique(steps[steps > 0]):
            self._read(days, keys, np.flatnonzero(steps == count).tolist(), int(count))

    def _steps(self, key: Key, last_day: date) -> int:
        """Days to read: those since the kept state, or all where the window has begun anew since."""
        config, state = self.predictor.config, self._states.get(key)
        behind = -1 if state is None else (last_day - state.last_day).days
        return behind if 0 <= behind <= config.days_since_anchor(last_day) else config.days_read(last_day)

    def _read(self, days: DayInputs, keys: Sequence[Key], rows: list[int], steps: int) -> None:
        last_day = days.window.last_day
        states = [self._states.get(keys[row]) for row in rows]
        if steps == self.predictor.config.days_read(last_day):
            states = [None] * len(rows)
            log.info("%s: %d states encoded anew from %d days", last_day, len(rows), steps)
        hidden, cell = self.read_days(days.rows(rows), steps, states)
        for place, row in enumerate(rows):
            self._states[keys[row]] = State(last_day, hidden[place], cell[place])

    @torch.inference_mode()
    def read_days(self, days: DayInputs, steps: int, states: Sequence[State | None]) -> tuple[Tensor, Tensor]:
        """(h, c) (rows, hidden size) after the last `steps` days, in one batch of the fixed size."""
        encoder = self.predictor.network.encoder
        empty = torch.zeros(encoder.hidden_size)
        before = [(empty, empty) if each is None else (each.hidden, each.cell) for each in states]
        pad = [(empty, empty)] * (BATCH_SIZE - len(before))
        h, c = (torch.stack(each)[None] for each in zip(*before, *pad, strict=True))
        for back in reversed(range(steps)):
            features = torch.zeros(BATCH_SIZE, 1, encoder.input_size)
            features[: len(before), 0] = as_float(days.features(back)[0])
            _, (h, c) = encoder(features, (h, c))
        return h[0], c[0]
