"""Runs of policies and seeds, in processes of their own: the same bytes whatever their number."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from batch.forecaster.champions import FALLBACK
from infra.errors import StockstreamError
from serving.forecast_source import ForecastSource
from serving.inventory.cover import Floats
from serving.promoted_model import model_source
from serving.simulation.twin.costs import Costs
from serving.simulation.twin.loop import run
from serving.simulation.twin.policies import Simulated
from serving.simulation.twin.scores import Sums, sums_of
from serving.simulation.twin.world import World


@dataclass(frozen=True)
class Experiment:
    """What all runs have in common.

    Attributes:
        worlds: by seed.
        shelf_life_days: None for units that keep.
        warm_up: first days, which are not counted.
        models_dir: whose promoted model forecasts; None for the 56-day empirical fallback.
        paths: joint demand paths per forecast.
    """

    worlds: Mapping[int, World]
    costs: Costs
    shelf_life_days: int | None
    warm_up: int
    models_dir: Path | None
    paths: int

    @property
    def halves(self) -> tuple[slice, slice]:
        """The first and the second half of the counted days, counted from the first simulated one."""
        world = next(iter(self.worlds.values()))
        simulated = world.days - world.start
        middle = self.warm_up + (simulated - self.warm_up) // 2
        return slice(self.warm_up, middle), slice(middle, simulated)


@dataclass(frozen=True)
class Result:
    """One run: its sums, those of each half, and of each day stock value, units wanted and unmet."""

    sums: Sums
    halves: tuple[Sums, Sums]
    stock_value: Floats
    wanted: Floats
    unmet: Floats


def forecasts_of(models_dir: Path | None, panel_hash: str, paths: int) -> ForecastSource:
    """Where forecasts come from.

    Raises:
        StockstreamError: there is no promoted model that can serve.
    """
    if models_dir is None:
        return ForecastSource(None, FALLBACK, "simulated without a model", panel_hash, paths)
    source = model_source(models_dir, panel_hash, paths)
    if source.predictor is None:
        raise StockstreamError(f"option --model {models_dir}: {source.fallback_reason}")
    return source


def simulate(experiment: Experiment, source: ForecastSource, policy: Simulated, seed: int) -> Result:
    """One policy on one seed."""
    world = experiment.worlds[seed]
    trace = run(world, policy.planner(world, source), experiment.shelf_life_days)
    first, second = experiment.halves
    whole, early, late = (
        sums_of(trace, world, experiment.costs, days)
        for days in (slice(first.start, second.stop), first, second)
    )
    return Result(
        whole,
        (early, late),
        world.unit_costs @ trace.on_hand,
        trace.demand.sum(axis=0).astype(float),
        (trace.demand - trace.served).sum(axis=0).astype(float),
    )


def simulate_all(
    experiment: Experiment, policies: Sequence[Simulated], processes: int, say: Callable[[str], None]
) -> dict[Simulated, list[Result]]:
    """Every policy on every seed, seeds in ascending order."""
    tasks = [(policy, seed) for policy in policies for seed in sorted(experiment.worlds)]
    results: dict[Simulated, list[Result]] = {policy: [] for policy in policies}
    for number, ((policy, seed), result) in enumerate(
        zip(tasks, _results(experiment, tasks, processes), strict=True), start=1
    ):
        results[policy].append(result)
        say(f"{number}/{len(tasks)}  {policy.label}, seed {seed}")
    return results


def _results(
    experiment: Experiment, tasks: Sequence[tuple[Simulated, int]], processes: int
) -> Iterator[Result]:
    if min(processes, len(tasks)) == 1:
        source = _source(experiment)
        for policy, seed in tasks:
            yield simulate(experiment, source, policy, seed)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    workers = ProcessPoolExecutor(min(processes, len(tasks)), get_context("spawn"), _begin, (experiment,))
    with workers as pool:
        yield from pool.map(_simulate, *zip(*tasks, strict=True))


def _source(experiment: Experiment) -> ForecastSource:
    world = next(iter(experiment.worlds.values()))
    return forecasts_of(experiment.models_dir, world.panel_hash, experiment.paths)


_started: list[tuple[Experiment, ForecastSource]] = []
"""What this worker was started for, so that it travels once and not with every task."""


def _begin(experiment: Experiment) -> None:
    import torch

    torch.set_num_threads(1)
    _started.append((experiment, _source(experiment)))


def _simulate(policy: Simulated, seed: int) -> Result:
    return simulate(*_started[0], policy, seed)
