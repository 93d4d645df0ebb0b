"""Forecast messages from windows: the promoted model, or the empirical fallback with the reason why."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from batch.forecaster.artifact import Artifact, current_model, load_artifact
from batch.forecaster.cold_start import ColdStart
from batch.forecaster.fallback import empirical_forecast
from batch.forecaster.kept_state import KeptStates
from batch.forecaster.panel import DemandPanel, read_panel
from batch.forecaster.predictor import Predictor, load_predictor, quantile_problem
from batch.forecaster.sampling import cumulative_quantiles, sample_paths
from batch.forecaster.windows import DemandWindow, Floats
from infra.contracts import identity
from infra.contracts.demand import (
    EVALUATED_DAYS,
    HORIZON_DAYS,
    QUANTILE_LEVELS,
    Copula,
    DemandForecast,
    Forecaster,
    Recalibration,
    Shadow,
)
from infra.contracts.shop import Item
from infra.errors import StockstreamError
from serving.demand_context import context_digests
from serving.inventory.ledger import Key
from serving.made_quantiles import (
    Made,
    MadeBy,
    cold_start_made,
    corrected,
    publishable,
    served_and_shadow,
)
from serving.model_record import ModelRecord
from serving.new_items import NewItem, current_cold_start, forecast_new_items

FALLBACK: Final[Forecaster] = "empirical_56_open_days"
FALLBACK_HISTORY_DAYS = 476
"""As many as a model reads, so that the first one to be promoted serves without a restart."""

FALLBACK_COPULA = Copula(level=0.15, decay=0.4)
"""Where no model carries a fitted dependence; what was fitted to the empirical quantiles of the sample."""

_NO_PANEL = identity.digest([])

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Correction:
    """Shifts (series, evaluated days, levels) of both forecasters, and the instant they are known at."""

    matured_ms: int
    model: Floats
    fallback: Floats


@dataclass(frozen=True)
class ForecastSource:
    """A model that may serve, or the reason why there is none; with the panel it starts from."""

    predictor: Predictor | None
    model_id: str
    fallback_reason: str | None
    panel_hash: str
    paths: int
    cold_start: ColdStart | None = None
    training: ModelRecord | None = None

    @property
    def history_days(self) -> int:
        """Days of context a forecast reads."""
        return self.predictor.config.history_days if self.predictor else FALLBACK_HISTORY_DAYS

    @property
    def horizon_days(self) -> int:
        """Days ahead that a forecast covers."""
        return self.predictor.config.horizon_days if self.predictor else HORIZON_DAYS

    def forecast(
        self,
        window: DemandWindow,
        keys: Sequence[Key],
        origin_ms: int,
        correction: Correction,
        suspended: str | None = None,
        states: KeptStates | None = None,
        items: Sequence[Item | None] = (),
    ) -> list[DemandForecast]:
        """One message per series; a series that the model fails on gets the fallback and the reason.

        A new item of the catalogue is forecast from comparable items (`serving.new_items`).

        Args:
            window: what is known of the series.
            keys: (sku, location) of each row.
            origin_ms: the midnight after the window's last day.
            correction: what matured scores say about either forecaster's quantiles.
            suspended: why the model must not serve; its forecast is made and published as a shadow then.
            states: the model's states after earlier days of the same series; the same bytes with and without.
            items: what the catalogue says of each series; empty where there is none.
        """
        made = self.made(window, keys, correction, suspended, states)
        digests = context_digests(window)
        for new in self._new_items(window, keys, items):
            made[new.row] = Made(cold_start_made(new, len(keys)), None, new.reason)
            digests[new.row] = identity.digest([digests[new.row], new.attributes_digest])
        return [
            self._message(keys[row], origin_ms, digests[row], row, made[row], correction)
            for row in range(len(keys))
        ]

    def made(
        self,
        window: DemandWindow,
        keys: Sequence[Key],
        correction: Correction,
        suspended: str | None = None,
        states: KeptStates | None = None,
    ) -> list[Made]:
        """What `forecast` says of each series, new items apart, without the messages."""
        fallback = corrected(FALLBACK, empirical_forecast(window), correction.fallback)
        if self.predictor is None:
            return [Made(fallback, None, self.fallback_reason)] * len(keys)
        raw = (states or KeptStates(self.predictor)).predict(window, keys)
        problems = [quantile_problem(each) for each in raw]
        usable = np.array([problem is None for problem in problems])[:, None, None]
        model = corrected("lstm", np.where(usable, raw, 0.0), correction.model)
        return [served_and_shadow(model, fallback, problem, suspended) for problem in problems]

    def _new_items(
        self, window: DemandWindow, keys: Sequence[Key], items: Sequence[Item | None]
    ) -> list[NewItem]:
        if self.cold_start is None:
            return []
        learned = self.predictor.config.indices(keys)[0] if self.predictor else [0] * len(keys)
        return forecast_new_items(self.cold_start, window, keys, items, [index > 0 for index in learned])

    def _message(
        self,
        key: Key,
        origin_ms: int,
        digest: str,
        row: int,
        made: Made,
        correction: Correction,
    ) -> DemandForecast:
        served, shadow = made.served, made.shadow
        seed = identity.seed(*key, origin_ms, self.model_id)
        copula = served.copula or self._copula(served.forecaster)
        quantiles = served.quantiles[row]
        return DemandForecast(
            sku=key[0],
            location=key[1],
            origin_ms=origin_ms,
            forecaster=served.forecaster,
            fallback_reason=made.reason,
            model_id=self.model_id,
            panel_hash=self.panel_hash,
            context_digest=digest,
            quantile_levels=list(QUANTILE_LEVELS),
            quantiles=quantiles.tolist(),
            cumulative=self._cumulative(quantiles, copula, seed).tolist(),
            copula=copula,
            seed=seed,
            paths=self.paths,
            recalibration=_recalibration(correction.matured_ms, served.shifts[row]),
            shadow=None if shadow is None else _shadow(shadow, row),
        )

    def _copula(self, forecaster: str) -> Copula:
        if self.predictor is None:
            return FALLBACK_COPULA
        config = self.predictor.config
        return config.copula if forecaster == "lstm" else config.fallback_copula

    def _cumulative(self, quantiles: Floats, copula: Copula, seed: int) -> Floats:
        paths = sample_paths(QUANTILE_LEVELS, quantiles[None], copula, [seed], self.paths)
        table = cumulative_quantiles(paths, QUANTILE_LEVELS)[0]
        ascending: Floats = np.maximum.accumulate(publishable(table), axis=1)
        return ascending


def _recalibration(matured_ms: int, shifts: Floats) -> Recalibration | None:
    if not shifts.any():
        return None
    return Recalibration(matured_ms=matured_ms, days=list(EVALUATED_DAYS), shifts=shifts.tolist())


def _shadow(made: MadeBy, row: int) -> Shadow:
    days = [day for day in EVALUATED_DAYS if day <= made.quantiles.shape[1]]
    quantiles = [made.quantiles[row, day - 1].tolist() for day in days]
    return Shadow(forecaster=made.forecaster, days=days, quantiles=quantiles)


def load_source(models_dir: Path, panel_dir: Path, paths: int) -> tuple[ForecastSource, DemandPanel | None]:
    """The current model and the panel; whatever is missing or fails its checks leaves the fallback."""
    try:
        panel = read_panel(panel_dir)
    except StockstreamError as error:
        log.warning("%s", error)
        return ForecastSource(None, FALLBACK, f"no panel: {error}"[:300], _NO_PANEL, paths), None
    return model_source(models_dir, panel.panel_hash, paths, current_cold_start(panel_dir)), panel


class PromotedModel:
    """The source to forecast with now: another model is loaded when another one is promoted.

    Args:
        models_dir: where models and the pointer to the current one are.
        source: what `load_source` gave at the start. Without a panel it stays: history needs a restart.
        history_days: days of context that are kept; a model that reads more is refused until a restart.
    """

    def __init__(self, models_dir: Path, source: ForecastSource, history_days: int) -> None:
        self._models_dir, self._source, self._history_days = models_dir, source, history_days
        self._has_panel = source.panel_hash != _NO_PANEL
        self._pointer = current_model(models_dir)

    def __call__(self) -> ForecastSource:
        """The current model, or the fallback with the reason."""
        pointer = current_model(self._models_dir)
        if self._has_panel and pointer != self._pointer:
            self._pointer = pointer
            self._source = self._load()
            log.info("model %s is current now", self._source.model_id)
        return self._source

    def _load(self) -> ForecastSource:
        before = self._source
        source = model_source(self._models_dir, before.panel_hash, before.paths, before.cold_start)
        if source.history_days <= self._history_days:
            return source
        reason = f"model {source.model_id} reads {source.history_days} days: restart to keep as many"
        return ForecastSource(None, FALLBACK, reason, source.panel_hash, source.paths, before.cold_start)


def model_source(
    models_dir: Path, panel_hash: str, paths: int, cold_start: ColdStart | None = None
) -> ForecastSource:
    """The current model over a panel, or the fallback with the reason why it cannot serve."""
    try:
        artifact = _current_artifact(models_dir)
        predictor = load_predictor(artifact)
    except StockstreamError as error:
        log.warning("the fallback forecasts: %s", error)
        return ForecastSource(None, FALLBACK, str(error)[:300], panel_hash, paths, cold_start)
    training = ModelRecord(artifact.manifest, artifact.metrics)
    return ForecastSource(predictor, artifact.model_id, None, panel_hash, paths, cold_start, training)


def _current_artifact(models_dir: Path) -> Artifact:
    model_id = current_model(models_dir)
    if model_id is None:
        raise StockstreamError("no model is promoted")
    artifact = load_artifact(models_dir, model_id)
    if artifact.config.quantile_levels != QUANTILE_LEVELS:
        raise StockstreamError(f"model {model_id} has other quantile levels than the contract")
    return artifact
