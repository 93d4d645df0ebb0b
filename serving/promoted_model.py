"""Which model forecasts: the current one over a panel, loaded and checked, or the reason why none can."""

import logging
from pathlib import Path

from batch.forecaster.artifact import Artifact, current_model, load_artifact
from batch.forecaster.champions import FALLBACK
from batch.forecaster.cold_start import ColdStart
from batch.forecaster.panel import DemandPanel, read_panel
from batch.forecaster.predictor import load_predictor
from infra.contracts import identity
from infra.contracts.demand import QUANTILE_LEVELS
from infra.errors import StockstreamError
from serving.forecast_source import ForecastSource
from serving.model_record import ModelRecord
from serving.new_items import current_cold_start

_NO_PANEL = identity.digest([])

log = logging.getLogger(__name__)


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
    return ForecastSource(
        predictor, artifact.model_id, None, panel_hash, paths, cold_start, training, artifact.champions
    )


def _current_artifact(models_dir: Path) -> Artifact:
    model_id = current_model(models_dir)
    if model_id is None:
        raise StockstreamError("no model is promoted")
    artifact = load_artifact(models_dir, model_id)
    if artifact.config.quantile_levels != QUANTILE_LEVELS:
        raise StockstreamError(f"model {model_id} has other quantile levels than the contract")
    return artifact
