"""What each epoch of training learns from."""

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from batch.forecaster.censored_demand import CensoredDemand
from batch.forecaster.config import ForecasterConfig
from batch.forecaster.panel import DemandPanel
from batch.forecaster.training import SERIES_AT_A_TIME, TrainingPlan, TrainingSet, targets, training_set
from batch.forecaster.windows import Floats, log_index_of

DRAWS = 1
"""Marks the stream of random numbers that draws what stock-outs cut."""


class TrainingSets:
    """What each epoch of one worker learns from: its share of the series, or a new draw of a large one."""

    def __init__(
        self,
        panel: DemandPanel,
        config: ForecasterConfig,
        plan: TrainingPlan,
        effects: Floats,
        rank: int = 0,
        workers: int = 1,
    ) -> None:
        self._share = np.arange(rank, len(panel.series), workers)
        self._seed = [plan.seed, rank]
        self._panel, self._config, self._effects = panel, config, effects
        self._make = partial(training_set, panel, config=config, plan=plan, effects=effects)
        self._whole: tuple[TrainingSet, CensoredDemand] | None = None

    def of(self, epoch: int) -> TrainingSet:
        """The same for the same epoch, whatever came before; every epoch draws what stock-outs cut anew."""
        data, demand = self._inputs(epoch)
        if demand.is_known:
            return data
        drawn = demand.drawn(np.random.default_rng([*self._seed, epoch, DRAWS]))
        return replace(data, **targets(drawn, self._config.horizon_days))

    def _inputs(self, epoch: int) -> tuple[TrainingSet, CensoredDemand]:
        if len(self._share) > SERIES_AT_A_TIME:
            drawn = np.random.default_rng([*self._seed, epoch]).permutation(self._share)
            return self._of_rows(np.sort(drawn[:SERIES_AT_A_TIME]))
        if self._whole is None:
            self._whole = self._of_rows(self._share)
        return self._whole

    def _of_rows(self, rows: NDArray[np.intp]) -> tuple[TrainingSet, CensoredDemand]:
        panel = self._panel.rows(rows)
        effects = self._effects[self._config.indices(panel.series)[0]]
        return self._make(rows), censored_demand(panel, effects, self._config.counts)


def censored_demand(panel: DemandPanel, effects: Floats, counts: bool) -> CensoredDemand:
    """What stock-outs cut of a panel; effects are (series, EFFECTS), of its own series."""
    days = panel.units.shape[1]
    return CensoredDemand(panel, np.exp(log_index_of(panel.window(days - 1, days, 0), effects)), counts)
