"""Forecasts from a model artifact, the same bytes for a series alone or among others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from batch.forecaster.artifact import Artifact, Weights
from batch.forecaster.config import ForecasterConfig
from batch.forecaster.errors import ForecastRejected, ModelRejected
from batch.forecaster.mixture_quantiles import mixture_quantiles
from batch.forecaster.network import DemandNetwork, NetworkInput
from batch.forecaster.windows import (
    BASE_LOOKBACK,
    DemandWindow,
    Flags,
    Floats,
    base_quantiles,
    demand_history,
    horizon_features,
)

COVARIATE_EFFECTS = {-2: ("promotion", "future_promotion"), -1: ("price", "future_price")}
"""The inputs of a window that each of the last effects stands for."""

BATCH_SIZE = 128
"""Series per call of the network, padded: another size would change the last bits."""


@dataclass(frozen=True)
class Origin:
    """What the network reads of n series up to the close of a day.

    Attributes:
        days: (n, days, DAY_FEATURES) features of the days that the encoder reads, or of the last one alone.
        level: (n,) the scale as of the last day.
        units: (n, days) recent demand over its index. known: (n, days) whether it was open and in stock.
    """

    days: Floats
    level: Floats
    units: Floats
    known: Flags


class Predictor:
    """A network ready to forecast."""

    def __init__(self, config: ForecasterConfig, weights: Weights) -> None:
        self.config = config
        self.weights = weights
        self.network = DemandNetwork(config)
        tensors = {name: torch.from_numpy(value.copy()) for name, value in weights.items()}
        try:
            self.network.load_state_dict(tensors)
        except RuntimeError as error:
            raise ModelRejected(f"weights do not fit the config: {str(error).splitlines()[0]}") from None
        self.network.eval()

    def predict(self, window: DemandWindow, series: Sequence[tuple[str, str]]) -> Floats:
        """Quantiles (series, horizon, levels) in units; unchecked, see `check_quantiles`.

        Args:
            window: at least `config.history_days` days and exactly `config.horizon_days` of open flags.
            series: (sku, location) of each row.
        """
        if window.units.shape[1] < self.config.history_days:
            days = window.units.shape[1]
            raise ValueError(f"window has {days} days, the model reads {self.config.history_days}")
        batches = (slice(start, start + BATCH_SIZE) for start in range(0, len(series), BATCH_SIZE))
        return np.concatenate([self._predict_batch(window.rows(rows), series[rows]) for rows in batches])

    def _predict_batch(self, window: DemandWindow, series: Sequence[tuple[str, str]]) -> Floats:
        window = self.learned(window)
        # Broken weights make numbers that are not finite here, which `check_quantiles` finds.
        with np.errstate(invalid="ignore"):
            return self.decode(window, series, self._origin(window, series))

    def decode(
        self,
        window: DemandWindow,
        series: Sequence[tuple[str, str]],
        origin: Origin,
        encoded: Tensor | None = None,
    ) -> Floats:
        """Quantiles (series, horizon, levels), of at most `BATCH_SIZE` series.

        Args:
            window: says what is known ahead.
            series: (sku, location) of each row.
            origin: what the network reads of the days until then.
            encoded: (series, 1, hidden size) what the encoder made of them; None lets it read them.
        """
        return self._quantiles(*self._inputs(window, series, origin), encoded)

    def effects(self, series: Sequence[tuple[str, str]]) -> Floats:
        """(series, EFFECTS) seasonal effects, those of all series for an unknown one."""
        by_series, _ = self.config.indices(series)
        effects: Floats = self.network.effects.numpy().astype(np.float64)[by_series]
        return effects

    def learned(self, window: DemandWindow) -> DemandWindow:
        """The window, with covariates neutral that no training day had: their weights mean nothing.

        The effects of such a covariate are exactly zero, since no day says anything of them.
        """
        unknown: dict[str, Any] = {
            name: None
            for column, names in COVARIATE_EFFECTS.items()
            if not self.network.effects[:, column].any()
            for name in names
        }
        return replace(window, **unknown)

    def _origin(self, window: DemandWindow, series: Sequence[tuple[str, str]]) -> Origin:
        config = self.config
        history = demand_history(window.last_days(config.history_days), self.effects(series))
        days, recent = config.days_read(window.last_day), slice(-BASE_LOOKBACK, None)
        return Origin(
            history.features[:, -days:],
            history.level[:, -1],
            history.units[:, recent],
            history.known[:, recent],
        )

    def _inputs(
        self, window: DemandWindow, series: Sequence[tuple[str, str]], origin: Origin
    ) -> tuple[NetworkInput, Floats]:
        """The network's inputs with one origin each, and the scale (series, horizon) of its outputs."""
        by_series, by_location = map(np.array, self.config.indices(series))
        ahead = horizon_features(window, self.effects(series))
        bases = base_quantiles(origin.units, origin.known, origin.level, self.config)
        inputs = NetworkInput(
            days=as_float(origin.days),
            origins=torch.full((len(series), 1), origin.days.shape[1] - 1),
            series=torch.from_numpy(by_series),
            location=torch.from_numpy(by_location),
            bases=as_float(bases)[:, None],
            ahead=as_float(ahead)[:, None],
            open=as_float(window.future_open)[:, None],
        )
        return inputs, origin.level[:, None] * np.exp(ahead[..., -1])

    @torch.inference_mode()
    def _quantiles(self, batch: NetworkInput, scale: Floats, encoded: Tensor | None) -> Floats:
        """(rows, horizon, levels) in units, of one batch that is padded to its fixed size."""
        rows = len(scale)
        repeat = torch.arange(BATCH_SIZE).clamp(max=rows - 1)
        full = NetworkInput(**{name: value[repeat] for name, value in vars(batch).items()})
        scale = scale[repeat.numpy()]
        heads = (
            self.network(full) if encoded is None else self.network.decode(encoded[repeat], full.days, full)
        )
        mixture, bent = (each[:, 0].numpy().astype(np.float64) for each in heads)
        quantiles = self._weighed(mixture, bent, full, scale)
        made_rows: Floats = quantiles[:rows]
        return made_rows

    def _weighed(self, mixture: Floats, bent: Floats, batch: NetworkInput, scale: Floats) -> Floats:
        """(rows, horizon, levels) in units: both heads and recent empirical quantiles, by their weights."""
        config, is_open = self.config, batch.open[:, 0].numpy()[..., None]
        quantiles = config.bent_share * bent * scale[..., None]
        if config.bent_share < 1:
            levels, components = config.quantile_levels, config.components
            made = mixture_quantiles(mixture, scale, levels, components, config.counts)
            quantiles += (1 - config.bent_share) * made * is_open
        if config.recent_share > 0:
            recent = batch.bases[:, 0, :-1].numpy().astype(np.float64).mean(axis=1)[:, None]
            quantiles *= 1 - config.recent_share
            quantiles += config.recent_share * recent * scale[..., None] * is_open
        return quantiles


def load_predictor(artifact: Artifact) -> Predictor:
    """The predictor of a verified artifact.

    Raises:
        ModelRejected: the weights do not fit the config.
    """
    return Predictor(artifact.config, artifact.weights)


def check_quantiles(quantiles: Floats) -> None:
    """Guards one series' forecast (horizon, levels).

    Raises:
        ForecastRejected: names what is wrong: not finite, negative, or descending within a day.
    """
    if not np.isfinite(quantiles).all():
        raise ForecastRejected("forecast has a quantile that is not finite")
    if (quantiles < 0).any():
        raise ForecastRejected(f"forecast has a negative quantile: {quantiles.min():g}")
    if (np.diff(quantiles, axis=-1) < 0).any():
        raise ForecastRejected("forecast has quantiles that descend within a day")


def quantile_problem(quantiles: Floats) -> str | None:
    """What `check_quantiles` finds wrong, or None."""
    try:
        check_quantiles(quantiles)
    except ForecastRejected as error:
        return str(error)
    return None


def as_float(values: NDArray[np.generic]) -> Tensor:
    """The values as the network reads them."""
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
