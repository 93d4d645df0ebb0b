from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from batch.forecaster.config import ForecasterConfig
from batch.forecaster.fitting import new_config, seasonal_effects
from batch.forecaster.loss import Targets, pinball_loss
from batch.forecaster.network import STEP_EMBEDDING, DemandNetwork
from batch.forecaster.panel import DemandPanel
from batch.forecaster.predictor import Predictor
from batch.forecaster.seasonality import EFFECTS
from batch.forecaster.training import (
    SERIES_AT_A_TIME,
    TrainingPlan,
    TrainingSet,
    _bases,
    learning_rate,
    new_network,
    new_optimizer,
    train_epoch,
    training_set,
)
from batch.forecaster.training_sets import TrainingSets
from batch.forecaster.windows import OWN_FEATURES, WEEKDAYS, horizon_features
from batch.training_worker import load_checkpoint, save_checkpoint

PLAN = TrainingPlan(epochs=2, steps_per_epoch=3, series_per_step=4, origins_per_series=3)


def weekly_panel(days: int = 560, series: int = 3) -> DemandPanel:
    rng = np.random.default_rng(11)
    rate = np.array([2.0, 10.0, 30.0])[:series, None] * (1 + 0.5 * (np.arange(days) % 7 == 0))
    yes = np.ones((series, days), dtype=np.bool_)
    return DemandPanel(
        series=tuple((f"sku{i}", "shop") for i in range(series)),
        first_day=date(2010, 1, 4),
        units=rng.poisson(rate).astype(np.float64),
        observed=yes,
        open=yes,
        location_open=yes,
        panel_hash="0" * 64,
    )


def small_config(panel: DemandPanel) -> ForecasterConfig:
    small = {"hidden_size": 8, "decoder_size": 8}
    return new_config(panel, seasonal_effects(panel, False)).model_copy(update=small)


def new_parts(
    panel: DemandPanel, seed: int = PLAN.seed
) -> tuple[ForecasterConfig, TrainingSet, DemandNetwork]:
    seasons, config = seasonal_effects(panel, False), small_config(panel)
    data = training_set(panel, slice(None), config, PLAN, seasons.effects)
    return config, data, new_network(config, seasons, seed)


def test_every_epoch_of_a_large_panel_learns_from_other_series_and_a_repeated_one_from_the_same() -> None:
    few = weekly_panel(days=64)
    panel = few.rows(np.arange(SERIES_AT_A_TIME + 500) % 3)
    panel = replace(panel, series=tuple((f"sku{n:04}", "shop") for n in range(len(panel.units))))
    config = small_config(few).model_copy(update={"series": panel.series})
    sets = TrainingSets(panel, config, PLAN, np.zeros((len(panel.units) + 1, EFFECTS)))
    first, second, again = (sets.of(epoch).series for epoch in (0, 1, 0))
    assert len(first) == len(second) == len(first.unique()) == SERIES_AT_A_TIME
    assert not torch.equal(first, second)
    assert torch.equal(first, again)


def test_workers_share_the_series_between_them() -> None:
    panel = weekly_panel()
    config, effects = small_config(panel), seasonal_effects(panel, False).effects
    parts = [TrainingSets(panel, config, PLAN, effects, rank, 2).of(0).series.tolist() for rank in (0, 1)]
    assert parts == [[1, 3], [2]]


def test_each_epoch_draws_anew_what_stock_outs_cut_and_a_repeated_one_the_same() -> None:
    panel = weekly_panel()
    cut = np.zeros(panel.units.shape, dtype=np.bool_)
    cut[:, 100:300:10] = True
    short = replace(panel, units=np.where(cut, np.ceil(panel.units / 2), panel.units), observed=~cut)
    config, effects = small_config(short), seasonal_effects(short, False).effects
    first, second, again = (TrainingSets(short, config, PLAN, effects).of(epoch) for epoch in (0, 1, 0))
    recorded = torch.from_numpy(short.units).float()
    where, days = torch.from_numpy(cut & (short.units > 0)), panel.units.shape[1]
    assert torch.equal(first.units, again.units)
    assert not torch.equal(first.units, second.units)
    for data in (first, second):
        assert (data.units[:, :days] >= recorded).all()
        assert torch.equal(data.units[:, :days][~where], recorded[~where])
        assert data.scored[:, :days][where].all()


def test_a_day_without_stock_on_which_nothing_was_sold_is_no_target() -> None:
    panel = weekly_panel()
    observed, units = panel.observed.copy(), panel.units.copy()
    observed[0, 50], units[0, 50] = False, 0.0
    panel = replace(panel, observed=observed, units=units)
    data = TrainingSets(panel, small_config(panel), PLAN, seasonal_effects(panel, False).effects).of(0)
    assert data.scored[0, 49:52].tolist() == [1, 0, 1]


def test_a_day_without_a_target_costs_nothing() -> None:
    one = torch.ones(1, 1, 1)
    targets = Targets(units=10 * one, scored=0 * one, scale=one)
    assert pinball_loss(torch.zeros(1, 1, 1, 1), targets, torch.tensor([0.5])) == 0


def test_inputs_of_training_and_of_forecasting_are_the_same() -> None:
    panel = weekly_panel()
    unmasked = replace(PLAN, masked_series=0.0)
    seasons, config = seasonal_effects(panel, False), small_config(panel)
    data = training_set(panel, slice(None), config, unmasked, seasons.effects)
    network = new_network(config, seasons, 1)
    predictor = Predictor(config, {k: v.numpy() for k, v in network.state_dict().items()})
    origin = 500
    window = panel.window(origin, config.history_days, 28)
    inputs, scale = predictor._inputs(window, panel.series, predictor._origin(window, panel.series))
    encoder = slice(origin + 1 - config.days_read(panel.day(origin)), origin + 1)
    steps = slice(origin + 1, origin + 29)
    rows, last = torch.arange(3), torch.full((3, 1), origin)
    bases = _bases(data, config, rows, last, data.level[:, [origin]])
    assert_allclose(data.days[:, encoder], inputs.days, rtol=1e-4, atol=1e-5)
    assert_allclose(bases, inputs.bases, rtol=1e-4)
    assert_allclose(data.ahead[:, steps], inputs.ahead[:, 0], rtol=1e-4, atol=1e-5)
    assert_allclose(data.level[:, [origin]] * torch.exp(data.ahead[:, steps, -1]), scale, rtol=1e-4)


def test_training_twice_gives_the_same_weights_bit_for_bit() -> None:
    panel = weekly_panel()
    states = []
    for _ in range(2):
        config, data, network = new_parts(panel)
        optimizer = new_optimizer(network, PLAN)
        for epoch in range(PLAN.epochs):
            train_epoch(network, optimizer, data, config, PLAN, epoch)
        states.append(network.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_network_that_saw_no_whole_year_gives_its_time_no_weight_however_long_it_learns() -> None:
    panel = weekly_panel(days=364)
    config, data, network = new_parts(panel)
    train_epoch(network, new_optimizer(network, PLAN), data, config, PLAN, 0)
    christmas, summer = (horizon_features(part, np.zeros((3, EFFECTS))) for part in (
        replace(panel.window(300, 1, 28), last_day=day) for day in (date(2010, 12, 6), date(2010, 7, 5))
    ))  # fmt: skip
    assert not np.allclose(christmas, summer)
    with torch.no_grad():
        seen = [network.future(torch.tensor(np.pad(ahead, ((0, 0), (0, 0), (0, STEP_EMBEDDING)))).float())
                for ahead in (christmas, summer)]  # fmt: skip
    assert torch.equal(*seen)
    assert (
        network.encoder.get_parameter("weight_ih_l0")[:, OWN_FEATURES : OWN_FEATURES + WEEKDAYS] != 0
    ).all()


def test_a_resumed_training_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    panel = weekly_panel()
    config, data, network = new_parts(panel)
    optimizer = new_optimizer(network, PLAN)
    train_epoch(network, optimizer, data, config, PLAN, 0)
    save_checkpoint(tmp_path, network, optimizer, epochs_done=1)
    train_epoch(network, optimizer, data, config, PLAN, 1)

    _, _, resumed = new_parts(panel, seed=99)
    resumed_optimizer = new_optimizer(resumed, PLAN)
    epoch = load_checkpoint(tmp_path, resumed, resumed_optimizer)
    train_epoch(resumed, resumed_optimizer, data, config, PLAN, epoch)
    assert all(torch.equal(value, resumed.state_dict()[name]) for name, value in network.state_dict().items())


def test_the_learning_rate_rises_to_its_peak_and_falls_to_zero() -> None:
    rates = [learning_rate(TrainingPlan(), step) for step in range(TrainingPlan().steps)]
    assert max(rates) == pytest.approx(TrainingPlan().learning_rate)
    assert np.argmax(rates) == pytest.approx(0.15 * len(rates), abs=1)
    assert rates[-1] < 1e-7


def test_training_lowers_the_loss_of_a_weekly_pattern() -> None:
    panel = weekly_panel()
    config, data, network = new_parts(panel)
    plan = TrainingPlan(epochs=6, steps_per_epoch=15, series_per_step=8, learning_rate=1e-2)
    optimizer = new_optimizer(network, plan)
    losses = [train_epoch(network, optimizer, data, config, plan, epoch) for epoch in range(plan.epochs)]
    assert losses[-1] < 0.97 * losses[0]
