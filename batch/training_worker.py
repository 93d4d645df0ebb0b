"""What each Ray Train worker runs: its share of the series, one network kept equal by DDP."""

import tempfile
import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import ray.train
import ray.train.torch
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from batch.forecaster.config import ForecasterConfig
from batch.forecaster.fitting import is_yearly, seasonal_effects
from batch.forecaster.panel import read_panel
from batch.forecaster.training import (
    TrainingPlan,
    new_network,
    new_optimizer,
    train_epoch,
)
from batch.forecaster.training_sets import TrainingSets

CHECKPOINT_FILE = "training.safetensors"
EPOCHS_PER_CHECKPOINT = 4


def worker_arguments(
    panel_dir: Path, last_day: date, config: ForecasterConfig, plan: TrainingPlan
) -> dict[str, Any]:
    """What `train_worker` receives, as plain values."""
    return {
        "panel_dir": str(panel_dir.resolve()),
        "last_day": last_day.isoformat(),
        "config": config.model_dump_json(),
        "plan": asdict(plan),
    }


def train_worker(arguments: dict[str, Any]) -> None:
    """Trains from the panel's files, resuming from the last checkpoint after a failure."""
    torch.set_num_threads(1)
    context = ray.train.get_context()
    rank, workers = context.get_world_rank(), context.get_world_size()
    config = ForecasterConfig.model_validate_json(arguments["config"])
    plan = TrainingPlan(**arguments["plan"])
    panel = read_panel(Path(arguments["panel_dir"]))
    learned = panel.until(panel.index(date.fromisoformat(arguments["last_day"])))
    seasons = seasonal_effects(learned, is_yearly(learned))
    data = TrainingSets(learned, config, plan, seasons.effects, rank, workers)
    network = ray.train.torch.prepare_model(new_network(config, seasons, plan.seed))
    optimizer = new_optimizer(network, plan)
    seconds: list[float] = []
    for epoch in range(_resume(network, optimizer), plan.epochs):
        learned_from, began = data.of(epoch), time.perf_counter()
        loss = train_epoch(network, optimizer, learned_from, config, plan, epoch, rank, workers)
        seconds.append((time.perf_counter() - began) / plan.steps_per_epoch)
        if rank == 0:
            windows = plan.series_per_step / seconds[-1]
            print(f"epoch {epoch + 1}/{plan.epochs}: loss {loss:.4f}, {windows:.0f} windows/s", flush=True)
        done = epoch + 1
        if done % EPOCHS_PER_CHECKPOINT == 0 or done == plan.epochs:
            metrics = {"epochs": done, "loss": loss, "seconds_per_step": median(seconds)}
            _report(network, optimizer, metrics, rank)


def trained_weights(checkpoint: ray.train.Checkpoint) -> dict[str, torch.Tensor]:
    """The network's tensors of a checkpoint, by their name in the network."""
    with checkpoint.as_directory() as folder, safe_open(Path(folder) / CHECKPOINT_FILE, "pt") as file:
        names = [name for name in file.keys() if name.startswith("network.")]  # noqa: SIM118
        return {name.removeprefix("network."): file.get_tensor(name) for name in names}


def _report(
    network: torch.nn.Module, optimizer: torch.optim.Optimizer, metrics: dict[str, Any], rank: int
) -> None:
    if rank > 0:
        ray.train.report(metrics)
        return
    with tempfile.TemporaryDirectory() as folder:
        save_checkpoint(Path(folder), network, optimizer, metrics["epochs"])
        ray.train.report(metrics, checkpoint=ray.train.Checkpoint.from_directory(folder))


def _resume(network: torch.nn.Module, optimizer: torch.optim.Optimizer) -> int:
    checkpoint = ray.train.get_checkpoint()
    if checkpoint is None:
        return 0
    with checkpoint.as_directory() as folder:
        return load_checkpoint(Path(folder), network, optimizer)


def save_checkpoint(
    folder: Path, network: torch.nn.Module, optimizer: torch.optim.Optimizer, epochs_done: int
) -> None:
    """Writes the whole state of a training run as safetensors."""
    tensors = {f"network.{name}": value for name, value in _bare(network).state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
    contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    save_file(contiguous, folder / CHECKPOINT_FILE, metadata={"epochs": str(epochs_done)})


def load_checkpoint(folder: Path, network: torch.nn.Module, optimizer: torch.optim.Optimizer) -> int:
    """Restores network and optimizer; returns the epochs done."""
    with safe_open(folder / CHECKPOINT_FILE, "pt") as file:
        epochs = int(file.metadata()["epochs"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    own = {name.removeprefix("network."): v for name, v in tensors.items() if name.startswith("network.")}
    _bare(network).load_state_dict(own)
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    return epochs


def _bare(network: torch.nn.Module) -> torch.nn.Module:
    """The network without the DDP wrapper."""
    inner = getattr(network, "module", network)
    assert isinstance(inner, torch.nn.Module)
    return inner
