"""A real network, small enough to be trained in about two seconds, with its artifact and promotion."""

from pathlib import Path

from batch.forecaster.artifact import Weights, save_artifact
from batch.forecaster.config import ForecasterConfig
from batch.forecaster.fitting import seasonal_effects
from batch.forecaster.panel import DemandPanel
from batch.forecaster.predictor import Predictor
from batch.forecaster.training import (
    TrainingPlan,
    new_network,
    new_optimizer,
    pooled_quantiles,
    train_epoch,
    training_set,
)
from batch.model_gate import compare, rolling_origins
from batch.promote_model import promote_if_better
from infra.contracts.demand import QUANTILE_LEVELS

PLAN = TrainingPlan(
    epochs=10,
    steps_per_epoch=20,
    series_per_step=8,
    origins_per_series=8,
    first_origin=28,
    learning_rate=6e-3,
)


def trained(panel: DemandPanel) -> tuple[ForecasterConfig, Weights]:
    seasons = seasonal_effects(panel, yearly=False)
    config = ForecasterConfig(
        encoder_days=42,
        lookback_days=112,
        hidden_size=12,
        decoder_size=16,
        series=panel.series,
        locations=tuple({location for _, location in panel.series}),
        pooled_quantiles=pooled_quantiles(panel, seasons.effects[1:], QUANTILE_LEVELS),
    )
    data = training_set(panel, slice(None), config, PLAN, seasons.effects)
    network = new_network(config, seasons, PLAN.seed)
    optimizer = new_optimizer(network, PLAN)
    for epoch in range(PLAN.epochs):
        train_epoch(network, optimizer, data, config, PLAN, epoch)
    return config, {name: tensor.numpy() for name, tensor in network.state_dict().items()}


def train_and_gate(panel: DemandPanel, models_dir: Path) -> str:
    """Trains on all but the last six origins' days, scores on those, promotes what passes; says which.

    The gate looks at single days alone: sums over fourteen days are all but constant in the tests' demand.
    """
    origins = rolling_origins(panel, 6)
    config, weights = trained(panel.until(origins[0]))
    scored = compare(panel, origins, Predictor(config, weights), paths=50)
    metrics = {"passes": scored["ratio_to_better_baseline"]["wql"] < 1, **scored["pooled"]}
    model_id = save_artifact(models_dir, config, weights, metrics, {"panel_hash": panel.panel_hash})
    return promote_if_better(models_dir, model_id)
