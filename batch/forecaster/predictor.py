"""Forecasts from a model artifact, the same bytes for a series alone or among others."""

from collections.abc import Sequence

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
    Floats,
    base_quantiles,
    demand_history,
    horizon_features,
)

BATCH_SIZE = 128
"""Series per call of the network, padded: another size would change the last bits."""


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
        # Broken weights make numbers that are not finite here, which `check_quantiles` finds.
        with np.errstate(invalid="ignore"):
            batches = (slice(start, start + BATCH_SIZE) for start in range(0, len(series), BATCH_SIZE))
            parts = [self._quantiles(*self._inputs(window.rows(rows), series[rows])) for rows in batches]
        return np.concatenate(parts)

    def effects(self, series: Sequence[tuple[str, str]]) -> Floats:
        """(series, EFFECTS) seasonal effects, those of all series for an unknown one."""
        by_series, _ = self.config.indices(series)
        effects: Floats = self.network.effects.numpy().astype(np.float64)[by_series]
        return effects

    def _inputs(self, window: DemandWindow, series: Sequence[tuple[str, str]]) -> tuple[NetworkInput, Floats]:
        """The network's inputs with one origin each, and the scale (series, horizon) of its outputs."""
        config = self.config
        by_series, by_location = map(np.array, config.indices(series))
        effects = self.effects(series)
        history = demand_history(window.last_days(config.history_days), effects)
        ahead = horizon_features(window, effects)
        level = history.level[:, -1]
        recent = slice(-BASE_LOOKBACK, None)
        bases = base_quantiles(history.units[:, recent], history.known[:, recent], level, config)
        inputs = NetworkInput(
            days=_float(history.features[:, -config.encoder_days :]),
            origins=torch.full((len(series), 1), config.encoder_days - 1),
            series=torch.from_numpy(by_series),
            location=torch.from_numpy(by_location),
            bases=_float(bases)[:, None],
            ahead=_float(ahead)[:, None],
            open=_float(window.future_open)[:, None],
        )
        return inputs, level[:, None] * np.exp(ahead[..., -1])

    @torch.inference_mode()
    def _quantiles(self, batch: NetworkInput, scale: Floats) -> Floats:
        """(rows, horizon, levels) in units, of one batch that is padded to its fixed size."""
        rows = len(scale)
        repeat = torch.arange(BATCH_SIZE).clamp(max=rows - 1)
        full = NetworkInput(**{name: value[repeat] for name, value in vars(batch).items()})
        scale = scale[repeat.numpy()]
        mixture, bent = (each[:, 0].numpy().astype(np.float64) for each in self.network(full))
        share, config = self.config.bent_share, self.config
        quantiles = share * bent * scale[..., None]
        if share < 1:
            made = mixture_quantiles(mixture, scale, config.quantile_levels, config.components, config.counts)
            quantiles += (1 - share) * made * full.open[:, 0].numpy()[..., None]
        made_rows: Floats = quantiles[:rows]
        return made_rows


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


def _float(values: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
