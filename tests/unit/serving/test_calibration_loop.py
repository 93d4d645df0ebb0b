"""The loop: a shift of demand moves the metric, engages the fallback, a retrained model serves, unaided.

Demand is simulated: six SKUs, busy on Mondays to Wednesdays, and after the shift on Thursdays to Saturdays.
Every stage is the real one, with the network, its artifact, the gate and the pointer; only Kafka is a list.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from batch.forecaster.artifact import current_model
from batch.forecaster.champions import FALLBACK
from batch.forecaster.panel import DemandPanel
from batch.retrain import open_request
from infra.contracts import identity
from infra.contracts.demand import DemandAccuracy, DemandFeatures, DemandForecast, RetrainRequest
from infra.contracts.topics import ACCURACY, CALENDARS, FEATURES, FORECASTS, PROMOTIONS, RETRAIN_REQUESTS
from serving.demand_context import DemandContext
from serving.evaluator_stage import EvaluatorStage
from serving.forecast_source import FALLBACK_HISTORY_DAYS
from serving.forecaster_stage import ForecasterStage
from serving.inventory.local_days import midnight_ms
from serving.partition_log import Stage
from serving.promoted_model import PromotedModel, model_source
from tests.unit.serving.records import (
    BOUND_MS,
    LOCATION,
    ZONE,
    MemoryLog,
    Tally,
    calendar,
    feed,
    heartbeats,
    local_ms,
    partition_of,
    publish,
)
from tests.unit.serving.small_model import train_and_gate

SKUS = tuple("ABCDEF")
FIRST = date(2010, 1, 4)  # a Monday
PANEL_DAYS = 330
SHIFT_DAY = 360
LAST_DAY = 720
AFTER_DAYS = 42
RETRAIN_EVERY = 56
SERIES = tuple((sku, LOCATION) for sku in SKUS)


def demand() -> NDArray[np.float64]:
    days = np.arange(LAST_DAY)
    busy = np.where(days < SHIFT_DAY, np.isin(days % 7, (0, 1, 2)), np.isin(days % 7, (3, 4, 5)))
    rate = np.linspace(4, 14, len(SKUS))[:, None] * np.where(busy, 2.2, 0.25)
    units: NDArray[np.float64] = np.random.default_rng(5).poisson(rate).astype(np.float64)
    return units


def panel(units: NDArray[np.float64], last_day: int) -> DemandPanel:
    """The days before `last_day` that a panel holds, all open and in stock."""
    first = last_day - PANEL_DAYS
    yes = np.ones((len(SKUS), PANEL_DAYS), dtype=np.bool_)
    digest = identity.digest([last_day])
    return DemandPanel(SERIES, FIRST + timedelta(days=first), units[:, first:last_day], yes, yes, yes, digest)


def day_ms(day: int) -> int:
    return midnight_ms(FIRST + timedelta(days=day), ZONE)


class Loop:
    """Evaluator and Forecaster on one log, and a scheduler that runs the retraining every eight weeks."""

    def __init__(self, models_dir: Path) -> None:
        self.models_dir, self.units, self.log = models_dir, demand(), MemoryLog()
        self.trained = [train_and_gate(panel(self.units, PANEL_DAYS), models_dir)]
        self.first_model = current_model(models_dir)
        self.log.append(CALENDARS, 0, calendar(event_time_ms=local_ms("2010-01-01"), closed_weekdays=[]))
        self.restart()

    def restart(self) -> None:
        """New processes: nothing but the log, the first panel and the models is left."""
        history = panel(self.units, PANEL_DAYS)
        source = model_source(self.models_dir, history.panel_hash, paths=50)
        promoted = PromotedModel(self.models_dir, source, FALLBACK_HISTORY_DAYS)
        context = DemandContext(FALLBACK_HISTORY_DAYS, history)
        self.stages: list[Stage] = [
            EvaluatorStage(Tally()),
            ForecasterStage(context, promoted, Tally(), 60, BOUND_MS),
        ]
        self.read = [0, 0]

    def turn(self) -> None:
        """Each stage reads what is new in the log and publishes what is due."""
        for number, stage in enumerate(self.stages):
            feed(stage, self.log.entries[self.read[number] :])
            self.read[number] = len(self.log.entries)
            for batch in stage.due(0.0):
                publish(self.log, batch)

    def run(self, days: Iterable[int]) -> Iterator[int]:
        """Closes day after day; yields each when its forecasts are there."""
        for day in days:
            for number, sku in enumerate(SKUS):
                self.log.append(FEATURES, partition_of(sku), self.row(sku, number, day))
            heartbeats(self.log, (PROMOTIONS,), day_ms(day + 1))
            self.turn()
            yield day

    def row(self, sku: str, number: int, day: int) -> DemandFeatures:
        return DemandFeatures(
            sku=sku,
            location=LOCATION,
            window_start_ms=day_ms(day),
            window_end_ms=day_ms(day + 1),
            is_final=True,
            values={"units": self.units[number, day], "in_stock_share": 1.0},
        )

    def retrain_if_asked(self, day: int) -> None:
        """What `stockstream retrain` does, with a smaller network and gate."""
        requests: list[RetrainRequest] = self.log.messages(RETRAIN_REQUESTS)
        if open_request(requests, current_model(self.models_dir)):
            self.trained.append(train_and_gate(panel(self.units, day + 1), self.models_dir))

    def forecasts(self, day: int) -> list[DemandForecast]:
        """Of the day after `day`, which has just closed."""
        recent = [entry.message for entry in self.log.entries[-10 * len(SKUS) :] if entry.topic == FORECASTS]
        return [each for each in recent if each.origin_ms == day_ms(day + 1)]

    def loss(self, first: int, last: int) -> float:
        """Mean pinball loss of served forecasts of the day ahead, per unit sold, days first..last."""
        scored: list[DemandAccuracy] = self.log.messages(ACCURACY)
        served = [
            each.day
            for each in scored
            if each.served and each.day and each.horizon_days == 1
            if day_ms(first) <= each.origin_ms < day_ms(last)
        ]
        return sum(day.pinball or 0.0 for day in served) / sum(day.actual for day in served)


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_a_shift_engages_the_fallback_and_a_retrained_model_brings_the_metric_back(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    suspended = promoted = None
    for day in loop.run(range(PANEL_DAYS, LAST_DAY)):
        made = loop.forecasts(day)
        assert len(made) == len(SKUS)
        if suspended is None and made[0].forecaster == FALLBACK:
            suspended, reason = day, str(made[0].fallback_reason)
        if suspended and not promoted and made[0].forecaster == "lstm":
            promoted = day
        if promoted and day == promoted + AFTER_DAYS:
            break
        if (day - SHIFT_DAY) % RETRAIN_EVERY == 0:
            loop.retrain_if_asked(day)
    assert suspended is not None
    assert promoted is not None

    assert SHIFT_DAY < suspended <= SHIFT_DAY + 28
    assert "worse than the fallback" in reason
    (request,) = loop.log.messages(RETRAIN_REQUESTS)
    assert request.model_id == loop.first_model != current_model(tmp_path)
    assert request.event_time_ms == day_ms(suspended + 1)

    usual = loop.loss(SHIFT_DAY - 20, SHIFT_DAY)
    shifted = loop.loss(SHIFT_DAY, suspended)
    fallback = loop.loss(suspended + 1, promoted)
    recovered = loop.loss(promoted, promoted + AFTER_DAYS)
    assert shifted > 3 * usual
    assert recovered < fallback < shifted
    assert recovered - usual < 0.1 * (shifted - usual)
    assert {each.model_id for each in made} == {current_model(tmp_path)}

    before = len(loop.log.entries)
    loop.restart()
    loop.turn()
    assert len(loop.log.entries) == before
