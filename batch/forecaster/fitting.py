"""A forecaster fitted in this process, without Ray: what a backtest retrains at each of its origins."""

import numpy as np

from batch.copula_fit import fit_copula
from batch.forecaster.artifact import Weights
from batch.forecaster.config import ForecasterConfig
from batch.forecaster.fallback import empirical_forecast
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
from batch.forecaster.windows import DemandWindow, Floats
from batch.model_gate import CUMULATIVE_DAYS, HISTORY_DAYS, actuals, daily_forecasts, rolling_origins
from infra.contracts.demand import HORIZON_DAYS, QUANTILE_LEVELS, Copula

CALIBRATION_ORIGINS = 13
CALIBRATION_SPACING_DAYS = 28


def fit_forecaster(panel: DemandPanel, plan: TrainingPlan) -> Predictor:
    """Trains on the whole panel, and calibrates the dependence between days on its own later origins.

    The same panel, plan and number of threads give the same predictor, bit for bit, on one CPU. Nothing but
    the panel is read: for a forecast at an origin, pass `panel.until(origin)`. Joint paths and cumulative
    quantiles follow from `Predictor.predict` and `Predictor.config.copula` (`batch.forecaster.sampling`).
    """
    config = new_config(panel)
    data = training_set(panel, slice(None), config, plan)
    network = new_network(config, plan.seed)
    optimizer = new_optimizer(network, plan)
    for epoch in range(plan.epochs):
        train_epoch(network, optimizer, data, config, plan, epoch)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    return Predictor(calibrate(panel, config, weights), weights)


def new_config(panel: DemandPanel) -> ForecasterConfig:
    """The configuration of a model that learns from this panel; its copulas are still to be fitted."""
    return ForecasterConfig(
        skus=tuple(sorted({sku for sku, _ in panel.series})),
        locations=tuple(sorted({location for _, location in panel.series})),
        pooled_quantiles=pooled_quantiles(panel, QUANTILE_LEVELS),
    )


def calibrate(panel: DemandPanel, config: ForecasterConfig, weights: Weights) -> ForecasterConfig:
    """Fits both copulas on forecasts of the year before the gate; `panel` ends on the last learned day."""
    origins = rolling_origins(panel, _calibration_origins(panel), CALIBRATION_SPACING_DAYS)
    actual = actuals(panel, origins)
    predictor = Predictor(config, weights)

    def fit(forecast: Floats) -> Copula:
        near = (Ellipsis, slice(0, CUMULATIVE_DAYS))
        rows = forecast[:, :, :CUMULATIVE_DAYS].reshape(-1, CUMULATIVE_DAYS, forecast.shape[-1])
        return fit_copula(rows, actual[near].reshape(-1, CUMULATIVE_DAYS))

    def model(window: DemandWindow) -> Floats:
        return predictor.predict(window, panel.series)

    fitted = {
        "copula": fit(daily_forecasts(panel, origins, model)),
        "fallback_copula": fit(daily_forecasts(panel, origins, empirical_forecast)),
    }
    return config.model_copy(update=fitted)


def _calibration_origins(panel: DemandPanel) -> int:
    room = panel.units.shape[1] - 1 - HORIZON_DAYS - HISTORY_DAYS
    return int(np.clip(room // CALIBRATION_SPACING_DAYS + 1, 1, CALIBRATION_ORIGINS))
