"""A forecaster fitted in this process, without Ray: what a backtest retrains at each of its origins."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from batch.copula_fit import TAUS, fit_copula
from batch.forecaster.artifact import Weights
from batch.forecaster.categories import learnable_categories
from batch.forecaster.config import ForecasterConfig
from batch.forecaster.fallback import empirical_forecast
from batch.forecaster.panel import DemandPanel
from batch.forecaster.predictor import Predictor
from batch.forecaster.scores import weighted_quantile_loss
from batch.forecaster.seasonality import DAYS_FOR_A_YEAR, SeasonalEffects, fit_seasonality
from batch.forecaster.training import (
    SERIES_AT_A_TIME,
    TrainingPlan,
    new_network,
    new_optimizer,
    pooled_quantiles,
    train_epoch,
)
from batch.forecaster.training_sets import TrainingSets, censored_demand
from batch.forecaster.windows import DemandWindow, Floats
from batch.model_gate import HISTORY_DAYS, Outcomes, daily_forecasts
from infra.contracts.demand import HORIZON_DAYS, QUANTILE_LEVELS, Copula
from infra.errors import StockstreamError

REDRAWS = 2
"""With fewer, generated promotions look too weak by a quarter and more; with more, too strong."""

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
ENCODER_DAYS = 112
VALIDATION_DAYS = 56
LEAST_DAYS = 42
KEPT_BACK_SPACING_DAYS = 7
CALIBRATION_FORECASTS = 5000
"""On generated demand, intervals of 28 days were 2.2 points off on average with 1,300, and 1.7 with these."""


def fit_forecaster(panel: DemandPanel, plan: TrainingPlan) -> Predictor:
    """Trains on all but the last days, weighs the heads on those, and calibrates on the later origins.

    The same panel, plan and number of threads give the same predictor, bit for bit, on one CPU. Nothing but
    the panel is read: for a forecast at an origin, pass `panel.until(origin)`. Joint paths and cumulative
    quantiles follow from `Predictor.predict` and `Predictor.config.copula` (`batch.forecaster.sampling`).
    A panel of 308 days or less keeps nothing back: its heads weigh the same and its copulas are usual ones.

    Raises:
        StockstreamError: the panel has too few days, or no series with enough known ones.
    """
    if len(panel.units[0]) < LEAST_DAYS:
        raise StockstreamError(f"panel has {len(panel.units[0])} days: training needs at least {LEAST_DAYS}")
    learned = learned_part(panel)
    seasons = seasonal_effects(learned, is_yearly(learned))
    config = new_config(learned, seasons)
    data = TrainingSets(learned, config, plan, seasons.effects)
    network = new_network(config, seasons, plan.seed)
    optimizer = new_optimizer(network, plan)
    for epoch in range(plan.epochs):
        train_epoch(network, optimizer, data.of(epoch), config, plan, epoch)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    return finished(panel, config, weights)


def learned_part(panel: DemandPanel) -> DemandPanel:
    """The days that the network learns from: all but those that its heads are weighed on."""
    kept_back = VALIDATION_DAYS if can_validate(panel) else 0
    return panel.until(panel.units.shape[1] - 1 - kept_back)


def can_validate(panel: DemandPanel) -> bool:
    """Whether a panel is long enough to keep days back, and to look at its own past forecasts."""
    return len(panel.units[0]) > HISTORY_DAYS + HORIZON_DAYS + VALIDATION_DAYS


def is_yearly(learned: DemandPanel) -> bool:
    """Whether a panel is long enough to tell a year's pattern from a trend."""
    return len(learned.units[0]) >= DAYS_FOR_A_YEAR


def finished(panel: DemandPanel, config: ForecasterConfig, weights: Weights) -> Predictor:
    """Weighs the heads and fits the copulas on days the network has not seen, then updates the seasons.

    In that order: seasons that know the days kept back make sums of them look surer than they are.
    """
    if can_validate(panel):
        config = calibrate(panel, weigh_heads(panel, config, weights), weights)
    # The network knows the year's waves or does not: what it learned from decides, not what is known by now.
    seasons = seasonal_effects(panel, is_yearly(learned_part(panel)))
    current = {"effects": seasons.effects, "log_dispersion": seasons.log_dispersion}
    updated = {name: value.astype(np.float32) for name, value in current.items()}
    return Predictor(config, weights | updated)


def weigh_heads(panel: DemandPanel, config: ForecasterConfig, weights: Weights) -> ForecasterConfig:
    """The weights of the heads and of recent quantiles with the least loss at origins in the last days.

    First those of the heads among themselves, then that of the recent quantiles beside them.
    """
    origins, panel = _kept_back_origins(panel), panel.sample(SERIES_AT_A_TIME)
    outcome = Outcomes.of(_with_draws(panel, config, weights), origins)
    actual = outcome.demand[outcome.known]
    if not actual.any():
        return config

    def made(bent_share: float, recent_share: float) -> Floats:
        alone = config.model_copy(update={"bent_share": bent_share, "recent_share": recent_share})
        forecaster = partial(Predictor(alone, weights).predict, series=panel.series)
        quantiles: Floats = daily_forecasts(panel, origins, forecaster)[outcome.known]
        return quantiles

    def best(one: Floats, other: Floats) -> float:
        """The weight of the other."""
        return min(SHARES, key=lambda w: weighted_quantile_loss((1 - w) * one + w * other, actual))

    mixture, bent = made(0.0, 0.0), made(1.0, 0.0)
    bent_share = best(mixture, bent)
    heads = (1 - bent_share) * mixture + bent_share * bent
    shares = {"bent_share": bent_share, "recent_share": best(heads, made(1.0, 1.0))}
    return config.model_copy(update=shares)


def seasonal_effects(panel: DemandPanel, yearly: bool) -> SeasonalEffects:
    """The seasons of a panel that ends on the last day that may be learned from.

    Days with stock left alone would hide its peaks, for on them stock runs out. So what stock-outs cut is
    drawn by the seasons found so far, and the seasons are fitted again.
    """
    seasons, rng = _seasons_of_known_days(panel, yearly), np.random.default_rng(0)
    for _ in range(REDRAWS):
        drawn = _drawn_in_parts(panel, seasons.effects[1:], rng)
        if np.array_equal(drawn.observed, panel.observed):  # nothing is cut
            break
        seasons = _seasons_of_known_days(drawn, yearly)
    return seasons


def _drawn_in_parts(panel: DemandPanel, effects: Floats, rng: np.random.Generator) -> DemandPanel:
    """Draws for what stock-outs cut: some series at a time, for what each may have sold takes memory."""
    units, observed, counts = panel.units.copy(), panel.observed.copy(), panel.counts
    for first in range(0, len(units), SERIES_AT_A_TIME):
        rows = np.arange(first, min(first + SERIES_AT_A_TIME, len(units)))
        drawn = censored_demand(panel.rows(rows), effects[rows], counts).drawn(rng)
        units[rows], observed[rows] = drawn.units, drawn.observed
    return replace(panel, units=units, observed=observed)


def _seasons_of_known_days(panel: DemandPanel, yearly: bool) -> SeasonalEffects:
    known = panel.observed & panel.open
    return fit_seasonality(panel.units, known, panel.first_day, panel.price, panel.promotion, yearly)


def new_config(panel: DemandPanel, seasons: SeasonalEffects) -> ForecasterConfig:
    """The configuration of a model that learns from this panel; its copulas are still to be fitted."""
    return ForecasterConfig(
        encoder_days=min(ENCODER_DAYS, len(panel.units[0]) // 2),
        series=panel.series,
        locations=tuple(sorted({location for _, location in panel.series})),
        categories=learnable_categories(panel.category),
        counts=panel.counts,
        pooled_quantiles=pooled_quantiles(panel, seasons.effects[1:], QUANTILE_LEVELS),
    )


def calibrate(panel: DemandPanel, config: ForecasterConfig, weights: Weights) -> ForecasterConfig:
    """Fits both copulas on forecasts of the days kept back, of a sample of the series if there are many.

    Of days that the network has learned from, it knows too much: sums look surer than they are. A day on
    which nothing was sold for want of stock is unknown, and then no sum with that day counts.
    """
    origins = _kept_back_origins(panel)
    sample = panel.sample(CALIBRATION_FORECASTS // len(origins))
    outcome = Outcomes.of(_with_draws(sample, config, weights), origins)
    predictor = Predictor(config, weights)

    def fit(forecaster: Callable[[DemandWindow], Floats]) -> Copula:
        forecasts = np.concatenate(daily_forecasts(sample, origins, forecaster))
        return fit_copula(forecasts, *outcome.of_all_origins, config.counts)

    if not outcome.has_sums(min(TAUS)):
        return config
    model = partial(predictor.predict, series=sample.series)
    return config.model_copy(update={"copula": fit(model), "fallback_copula": fit(empirical_forecast)})


def _with_draws(panel: DemandPanel, config: ForecasterConfig, weights: Weights) -> DemandPanel:
    """The panel with draws for what stock-outs cut: days with stock left are not like the others."""
    effects = weights["effects"][config.indices(panel.series)[0]].astype(np.float64)
    return censored_demand(panel, effects, config.counts).drawn(np.random.default_rng(0))


def _kept_back_origins(panel: DemandPanel) -> list[int]:
    """The last days known at forecasts whose whole horizon lies in the days kept back."""
    last = panel.units.shape[1] - 1 - HORIZON_DAYS
    return list(range(last - VALIDATION_DAYS + HORIZON_DAYS, last + 1, KEPT_BACK_SPACING_DAYS))
