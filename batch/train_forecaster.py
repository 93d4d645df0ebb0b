"""`stockstream train`: train the LSTM on the panel with Ray Train, score it, promote it if it is better."""

import logging
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import ray
import ray.train
import ray.train.torch
import typer

from batch.champion_choice import Choice, as_text, choose_champions
from batch.forecaster.artifact import Weights, save_artifact
from batch.forecaster.fitting import finished, is_yearly, learned_part, new_config, seasonal_effects
from batch.forecaster.panel import DemandPanel, read_panel, thinned
from batch.forecaster.predictor import Predictor
from batch.forecaster.segmentation import panel_segments, read_segments
from batch.forecaster.training import TrainingPlan
from batch.model_gate import (
    GATE_ORIGINS,
    compare,
    rolling_origins,
)
from batch.model_report import comparison_table
from batch.promote_model import promote_if_better
from batch.training_worker import train_worker, trained_weights, worker_arguments
from batch.worker_logging import errors_only
from infra.errors import StockstreamError, exit_with_message
from infra.ray_directory import ray_directory
from infra.settings import Settings, load_settings

GATE_SERIES = 4000
"""Series that are scored at most, evenly spaced: more would cost memory and tell no more."""

MAX_FAILURES = 2
OBJECT_STORE_BYTES = 100 * 1024 * 1024
RAY_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.5",
}
VERSIONED = ("ray", "torch", "numpy", "pandas", "safetensors")

app = typer.Typer(help=__doc__, add_completion=False)


@dataclass(frozen=True)
class Split:
    """The last day learned from, and the gate's origins; the first origin is that very day.

    The network and the copulas see nothing after `last_learned`; every gate origin is scored on later days.
    """

    last_learned: int
    gate: list[int]


def split(panel: DemandPanel) -> Split:
    """Keeps the last six origins' horizons out of training."""
    gate = rolling_origins(panel, GATE_ORIGINS)
    return Split(gate[0], gate)


def scaling(workers: int, gpus: int) -> ray.train.ScalingConfig:
    """One worker per GPU where there are GPUs, but no more than asked for; else workers on the CPU."""
    return ray.train.ScalingConfig(
        num_workers=min(workers, gpus) if gpus else workers,
        use_gpu=gpus > 0,
        resources_per_worker={"CPU": 0.5, "GPU": 1} if gpus else {"CPU": 0.5},
    )


@dataclass(frozen=True)
class TrainedNetwork:
    """Its weights, and the median seconds of a training step of the first worker."""

    weights: Weights
    seconds_per_step: float


def train_network(arguments: dict[str, Any], workers: int, run_dir: Path) -> TrainedNetwork:
    """Runs Ray Train on the cluster of `RAY_ADDRESS`, or on this machine's own short-lived one.

    Raises:
        StockstreamError: training failed more than `MAX_FAILURES` times.
    """
    # A folder of this run's own: Ray Train resumes a run of the same name that it finds in its storage.
    with _ray(run_dir), tempfile.TemporaryDirectory(prefix="training-", dir=run_dir) as results:
        gpus = int(ray.cluster_resources().get("GPU", 0))  # type: ignore[no-untyped-call]
        trainer = ray.train.torch.TorchTrainer(
            train_worker,
            train_loop_config=arguments,
            scaling_config=scaling(workers, gpus),
            run_config=ray.train.RunConfig(
                name="forecaster",
                storage_path=str(Path(results).resolve()),
                failure_config=ray.train.FailureConfig(max_failures=MAX_FAILURES),
            ),
        )
        try:
            result = trainer.fit()
        except ray.train.TrainingFailedError as error:
            raise StockstreamError(f"training failed: {str(error).strip().splitlines()[-1]}") from error
        if result.checkpoint is None or result.metrics is None:
            raise StockstreamError("training ended without a checkpoint")
        tensors = trained_weights(result.checkpoint)
        return TrainedNetwork(
            {name: tensor.numpy() for name, tensor in tensors.items()}, result.metrics["seconds_per_step"]
        )


@contextmanager
def _ray(run_dir: Path) -> Iterator[None]:
    os.environ |= RAY_ENVIRONMENT
    given = "RAY_ADDRESS" in os.environ
    cluster: AbstractContextManager[dict[str, Any]] = nullcontext({}) if given else _own_cluster(run_dir)
    with cluster as options:
        hook = {"worker_process_setup_hook": errors_only}
        ray.init(runtime_env=hook, logging_level=logging.WARNING, **options)
        try:
            yield
        finally:
            ray.shutdown()


@contextmanager
def _own_cluster(run_dir: Path) -> Iterator[dict[str, Any]]:
    """Options of a cluster that begins and ends with this process."""
    # Ray keeps to the first token that a process had.
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    with ray_directory(run_dir) as folder:
        yield {
            "address": "local",
            "num_cpus": 2,
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
            "_temp_dir": str(folder),
        }


def build_model(settings: Settings, plan: TrainingPlan, workers: int) -> str:
    """Trains, calibrates, scores and writes one model; returns its id."""
    panel = read_panel(settings.panel_dir)
    parts = split(panel)
    known = panel.until(parts.last_learned)
    learned = learned_part(known)
    config = new_config(learned, seasonal_effects(learned, is_yearly(learned)))
    last_day = learned.day(learned.units.shape[1] - 1)
    typer.echo(f"training on {len(panel.series)} series, {panel.first_day} to {last_day}, {workers} workers")
    arguments = worker_arguments(settings.panel_dir, last_day, config, plan)
    trained = train_network(arguments, workers, settings.run_dir)
    predictor = finished(known, config, trained.weights)
    config, scored = predictor.config, panel.sample(GATE_SERIES)
    typer.echo(
        f"bent share {config.bent_share}, recent share {config.recent_share}, copula {config.copula}, "
        f"fallback copula {config.fallback_copula}; "
        f"scoring {len(scored.series)} series at {GATE_ORIGINS} origins"
    )
    metrics = compare(scored, parts.gate, predictor)
    typer.echo(comparison_table(metrics))
    champions = _champions(settings.panel_dir, panel, parts.gate, predictor)
    metrics["champions"] = champions.record
    origin = {
        "panel_hash": panel.panel_hash,
        "learned_until": panel.day(parts.last_learned).isoformat(),
        "seed": plan.seed,
        "plan": vars(plan),
        "workers": workers,
        "seconds_per_step": trained.seconds_per_step,
        "versions": {name: version(name) for name in VERSIONED},
    }
    return save_artifact(settings.models_dir, config, predictor.weights, metrics, origin, champions.table)


def _champions(panel_dir: Path, panel: DemandPanel, gate: list[int], predictor: Predictor) -> Choice:
    """Who serves which segment, by the segments that history has written beside the panel."""
    segments = read_segments(panel_dir) or dict(
        zip(panel.series, panel_segments(panel).tolist(), strict=True)
    )
    rows = thinned(len(panel.series), GATE_SERIES)
    choice = choose_champions(panel, rows, gate, predictor, segments)
    typer.echo(as_text(choice))
    return choice


@app.command()
def main(
    workers: Annotated[int, typer.Option(min=1, help="Ray Train workers")] = 2,
    epochs: Annotated[int, typer.Option(min=1, help="passes of 30 steps each")] = TrainingPlan.epochs,
    promote: Annotated[bool, typer.Option(help="make the model current if it passes the gate")] = True,
) -> None:
    """Trains a forecaster and promotes it if it beats both baselines on both scores."""
    started = time.monotonic()
    settings = load_settings()
    plan = replace(TrainingPlan(), epochs=epochs)
    model_id = build_model(settings, plan, workers)
    typer.echo(f"model {model_id} written after {time.monotonic() - started:.0f} s")
    if promote:
        typer.echo(promote_if_better(settings.models_dir, model_id))


if __name__ == "__main__":
    exit_with_message(app)
