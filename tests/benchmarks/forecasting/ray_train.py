"""Seconds of a training step inside Ray Train, with one worker and with two, and in a bare torch loop."""

import json
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import torch

from batch.demand_generator import PANEL_FILE, GeneratorPlan, generate, write_demand
from batch.forecaster.fitting import new_config, seasonal_effects
from batch.forecaster.panel import DemandPanel, read_panel
from batch.forecaster.training import (
    TrainingPlan,
    new_network,
    new_optimizer,
    train_epoch,
)
from batch.forecaster.training_sets import TrainingSets
from batch.train_forecaster import train_network
from batch.training_worker import worker_arguments
from tests.benchmarks.figures import Figure, measured

REPEATS = 3
SERIES, EPOCHS = 500, 8


def figures() -> list[Figure]:
    """Bare, with one worker and with two, in turns; a step is 64 series in all three."""
    plan = TrainingPlan(epochs=EPOCHS)
    seconds: dict[str, list[float]] = {"bare": [], "one": [], "two": []}
    with tempfile.TemporaryDirectory() as folder:
        _write_panel(Path(folder) / "panel")
        panel = read_panel(Path(folder) / "panel")
        for _ in range(REPEATS):
            seconds["bare"].append(_bare(panel, plan))
            for name, workers in (("one", 1), ("two", 2)):
                seconds[name].append(_with_ray(Path(folder), panel, plan, workers))
            print({name: round(values[-1], 4) for name, values in seconds.items()}, flush=True)
    how = f"simulated, {SERIES} series x 758 days, {plan.steps} steps of 64 series, one thread a worker, CPU"
    ratios = {
        name: (np.array(seconds[name]) / np.array(seconds[base])).tolist()
        for name, base in (("one", "bare"), ("two", "one"))
    }
    return [
        measured(
            "ray_train_step_by_bare", ratios["one"], "ratio", how, "<= 1.02", lambda value: value <= 1.02
        ),
        measured("ray_train_step_two_workers_by_one", ratios["two"], "ratio", how),
        *(measured(f"step_{name}", values, "s", how) for name, values in seconds.items()),
    ]


def _write_panel(folder: Path) -> None:
    write_demand(generate(GeneratorPlan(series=SERIES, seed=3)), folder.parent / "generated")
    folder.mkdir()
    rows = pd.read_parquet(folder.parent / "generated" / PANEL_FILE)
    rows.assign(open=True).to_parquet(folder / PANEL_FILE)
    (folder / "_manifest.json").write_text(json.dumps({"panel_hash": "a" * 64}))


def _bare(panel: DemandPanel, plan: TrainingPlan) -> float:
    """Median seconds of a step of the same loop, in this process."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    seasons = seasonal_effects(panel, True)
    config = new_config(panel, seasons)
    data, network = (
        TrainingSets(panel, config, plan, seasons.effects),
        new_network(config, seasons, plan.seed),
    )
    optimizer, seconds = new_optimizer(network, plan), []
    for epoch in range(plan.epochs):
        learned_from, began = data.of(epoch), time.perf_counter()
        train_epoch(network, optimizer, learned_from, config, plan, epoch)
        seconds.append((time.perf_counter() - began) / plan.steps_per_epoch)
    torch.set_num_threads(threads)
    return median(seconds)


def _with_ray(folder: Path, panel: DemandPanel, plan: TrainingPlan, workers: int) -> float:
    config = new_config(panel, seasonal_effects(panel, True))
    last_day = panel.day(panel.units.shape[1] - 1)
    arguments = worker_arguments(folder / "panel", last_day, config, plan)
    return train_network(arguments, workers, folder).seconds_per_step
