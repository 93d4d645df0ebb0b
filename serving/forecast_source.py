"""Forecast messages from windows: the promoted model, or the empirical fallback with the reason why."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from batch.forecaster.artifact import current_model, load_artifact
from batch.forecaster.errors import ForecastRejected
from batch.forecaster.fallback import empirical_forecast
from batch.forecaster.panel import DemandPanel, read_panel
from batch.forecaster.predictor import Predictor, check_quantiles, load_predictor
from batch.forecaster.sampling import cumulative_quantiles, sample_paths
from batch.forecaster.windows import DemandWindow, Floats
from infra.contracts import identity
from infra.contracts.demand import HORIZON_DAYS, QUANTILE_LEVELS, Copula, DemandForecast
from infra.errors import StockstreamError
from serving.demand_context import context_digests
from serving.inventory.ledger import Key
from serving.inventory.order_rules import MAX_UNITS

FALLBACK: Final = "empirical_56_open_days"
FALLBACK_HISTORY_DAYS = 224
FALLBACK_COPULA = Copula(level=0.15, decay=0.4)
"""Where no model carries a fitted dependence; what was fitted to the empirical quantiles of the sample."""

_DECIMALS = 4

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ForecastSource:
    """A model that may serve, or the reason why there is none; with the panel it starts from."""

    predictor: Predictor | None
    model_id: str
    fallback_reason: str | None
    panel_hash: str
    paths: int

    @property
    def history_days(self) -> int:
        """Days of context a forecast reads."""
        return self.predictor.config.history_days if self.predictor else FALLBACK_HISTORY_DAYS

    @property
    def horizon_days(self) -> int:
        """Days ahead that a forecast covers."""
        return self.predictor.config.horizon_days if self.predictor else HORIZON_DAYS

    def forecast(self, window: DemandWindow, keys: Sequence[Key], origin_ms: int) -> list[DemandForecast]:
        """One message per series; a series that the model fails on gets the fallback and the reason."""
        reasons: list[str | None] = [self.fallback_reason] * len(keys)
        quantiles = empirical_forecast(window)
        if self.predictor is not None:
            made = self.predictor.predict(window, keys)
            reasons = [_problem(each) for each in made]
            usable = np.array([reason is None for reason in reasons])
            quantiles = np.where(usable[:, None, None], made, quantiles)
        quantiles = _publishable(quantiles)
        seeds = [identity.seed(*key, origin_ms, self.model_id) for key in keys]
        copulas = [self._copula(reason) for reason in reasons]
        cumulative = [
            self._cumulative(quantiles[row], copula, seed)
            for row, (copula, seed) in enumerate(zip(copulas, seeds, strict=True))
        ]
        return [
            DemandForecast(
                sku=keys[row][0],
                location=keys[row][1],
                origin_ms=origin_ms,
                forecaster="lstm" if reasons[row] is None else FALLBACK,
                fallback_reason=reasons[row],
                model_id=self.model_id,
                panel_hash=self.panel_hash,
                context_digest=digest,
                quantile_levels=list(QUANTILE_LEVELS),
                quantiles=quantiles[row].tolist(),
                cumulative=cumulative[row].tolist(),
                copula=copulas[row],
                seed=seeds[row],
                paths=self.paths,
            )
            for row, digest in enumerate(context_digests(window))
        ]

    def _copula(self, reason: str | None) -> Copula:
        if self.predictor is None:
            return FALLBACK_COPULA
        config = self.predictor.config
        return config.copula if reason is None else config.fallback_copula

    def _cumulative(self, quantiles: Floats, copula: Copula, seed: int) -> Floats:
        paths = sample_paths(QUANTILE_LEVELS, quantiles[None], copula, [seed], self.paths)
        table = cumulative_quantiles(paths, QUANTILE_LEVELS)[0]
        ascending: Floats = np.maximum.accumulate(_publishable(table), axis=1)
        return ascending


def load_source(models_dir: Path, panel_dir: Path, paths: int) -> tuple[ForecastSource, DemandPanel | None]:
    """The current model and the panel; whatever is missing or fails its checks leaves the fallback."""
    try:
        panel = read_panel(panel_dir)
    except StockstreamError as error:
        log.warning("%s", error)
        no_panel = identity.digest([])
        return ForecastSource(None, FALLBACK, f"no panel: {error}"[:300], no_panel, paths), None
    try:
        predictor, model_id = _current_predictor(models_dir)
    except StockstreamError as error:
        log.warning("the fallback forecasts: %s", error)
        return ForecastSource(None, FALLBACK, str(error)[:300], panel.panel_hash, paths), panel
    return ForecastSource(predictor, model_id, None, panel.panel_hash, paths), panel


def _current_predictor(models_dir: Path) -> tuple[Predictor, str]:
    model_id = current_model(models_dir)
    if model_id is None:
        raise StockstreamError("no model is promoted")
    predictor = load_predictor(load_artifact(models_dir, model_id))
    if predictor.config.quantile_levels != QUANTILE_LEVELS:
        raise StockstreamError(f"model {model_id} has other quantile levels than the contract")
    return predictor, model_id


def _publishable(units: Floats) -> Floats:
    """Rounded to what is worth sending, and within what a message can carry."""
    return np.minimum(np.round(units, _DECIMALS), float(MAX_UNITS))


def _problem(quantiles: Floats) -> str | None:
    try:
        check_quantiles(quantiles)
    except ForecastRejected as error:
        return str(error)
    return None
