"""Forecasts from a model artifact, the same bytes for a series alone or among others."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from batch.forecaster.artifact import Artifact, Weights
from batch.forecaster.config import ForecasterConfig
from batch.forecaster.errors import ForecastRejected, ModelRejected
from batch.forecaster.network import NetworkInput, QuantileForecaster
from batch.forecaster.windows import (
    DemandWindow,
    Floats,
    base_quantiles,
    calendar_features,
    day_features,
    demand_level,
    fill_censored,
)

BATCH_SIZE = 128
"""Series per call of the network, padded: another size would change the last bits."""


class Predictor:
    """A network ready to forecast."""

    def __init__(self, config: ForecasterConfig, weights: Weights) -> None:
        self.config = config
        self._network = QuantileForecaster(config)
        tensors = {name: torch.from_numpy(value.copy()) for name, value in weights.items()}
        try:
            self._network.load_state_dict(tensors)
        except RuntimeError as error:
            raise ModelRejected(f"weights do not fit the config: {str(error).splitlines()[0]}") from None
        self._network.eval()

    def predict(self, window: DemandWindow, series: Sequence[tuple[str, str]]) -> Floats:
        """Quantiles (series, horizon, levels) in units; unchecked, see `check_quantiles`.

        Args:
            window: at least `config.history_days` days and exactly `config.horizon_days` of open flags.
            series: (sku, location) of each row.
        """
        if window.units.shape[1] < self.config.history_days:
            days = window.units.shape[1]
            raise ValueError(f"window has {days} days, the model reads {self.config.history_days}")
        inputs, level = self._inputs(window, series)
        parts = []
        for start in range(0, len(series), BATCH_SIZE):
            rows = slice(start, start + BATCH_SIZE)
            parts.append(self._forward(NetworkInput(**{k: v[rows] for k, v in inputs.items()})))
        return np.concatenate(parts).astype(np.float64) * level[:, None, None]

    def _inputs(
        self, window: DemandWindow, series: Sequence[tuple[str, str]]
    ) -> tuple[dict[str, Tensor], Floats]:
        config = self.config
        recent = slice(window.units.shape[1] - config.history_days, None)
        observed, open_days = window.observed[:, recent], window.open[:, recent]
        units = fill_censored(window.units[:, recent], observed, open_days)
        level = demand_level(units, observed & open_days)[:, -1]
        days = day_features(units, observed, open_days, window.last_day)[:, -config.encoder_days :]
        bases = base_quantiles(units, observed & open_days, level, config)
        first = np.datetime64(window.last_day + timedelta(days=1), "D")
        ahead = calendar_features(np.arange(first, first + config.horizon_days))
        inputs = {
            "days": _float(days),
            "origins": torch.full((len(series), 1), config.encoder_days - 1),
            "sku": torch.tensor([config.sku_index(sku) for sku, _ in series]),
            "location": torch.tensor([config.location_index(location) for _, location in series]),
            "bases": _float(bases)[:, None],
            "calendar": _float(ahead).expand(len(series), 1, *ahead.shape),
            "open": _float(window.future_open)[:, None],
        }
        return inputs, level

    @torch.inference_mode()
    def _forward(self, batch: NetworkInput) -> NDArray[np.float32]:
        rows = len(batch.sku)
        repeat = torch.arange(BATCH_SIZE).clamp(max=rows - 1)
        full = NetworkInput(**{name: value[repeat] for name, value in vars(batch).items()})
        quantiles: NDArray[np.float32] = self._network(full)[:rows, 0].numpy()
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


def _float(values: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
