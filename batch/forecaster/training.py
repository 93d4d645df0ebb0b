"""How the network learns: forked origins, pinball loss, censored days, one seeded step after another.

Free of Ray, so that a test trains on a few series in a second.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from batch.forecaster.config import ForecasterConfig
from batch.forecaster.network import NetworkInput, QuantileForecaster
from batch.forecaster.panel import DemandPanel
from batch.forecaster.windows import (
    LEVEL_FLOOR,
    Flags,
    Floats,
    base_quantiles,
    calendar_features,
    day_features,
    demand_level,
    fill_censored,
)
from infra.errors import StockstreamError


@dataclass(frozen=True)
class TrainingPlan:
    """Everything that decides the outcome of a training run besides the data."""

    epochs: int = 20
    steps_per_epoch: int = 30
    series_per_step: int = 64
    origins_per_series: int = 12
    first_origin: int = 56
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    forgotten_ids: float = 0.1
    masked_share: float = 0.25
    seed: int = 7

    @property
    def steps(self) -> int:
        return self.epochs * self.steps_per_epoch


@dataclass(frozen=True)
class TrainingSet:
    """Inputs and targets of s series over t days, followed by a horizon without targets.

    Attributes:
        days: (s, t, 20) day features.
        bases: (s, t, bases, levels) in multiples of the level.
        level: (s, t) scale as of each day.
        usable: (s, t) 1 where the day may be an origin.
        units: (s, t + horizon) true demand.
        scored: (s, t + horizon) 1 where a target exists.
        uncensored: (s, t + horizon) 1 where the target is not a mere lower bound.
        open: (s, t + horizon) 1 where the location sold.
        calendar: (t + horizon, 13) calendar features.
        sku: (s,) index. location: likewise.
    """

    days: Tensor
    bases: Tensor
    level: Tensor
    usable: Tensor
    units: Tensor
    scored: Tensor
    uncensored: Tensor
    open: Tensor
    calendar: Tensor
    sku: Tensor
    location: Tensor


@dataclass(frozen=True)
class Targets:
    """(b, p, horizon) each, and the level (b, p) whose root the loss is divided by."""

    units: Tensor
    scored: Tensor
    uncensored: Tensor
    level: Tensor


BatchT = TypeVar("BatchT", NetworkInput, Targets)


def pooled_quantiles(panel: DemandPanel, config_levels: tuple[float, ...]) -> tuple[float, ...]:
    """Quantiles of units / level over all known days from the 57th on."""
    known = panel.observed & panel.open
    level = demand_level(fill_censored(panel.units, panel.observed, panel.open), known)
    settled = known & (np.cumsum(known, axis=1) > 56)
    if not settled.any():
        raise StockstreamError("panel: no SKU has more than 56 open days before the first gate origin")
    return tuple(float(q) for q in np.quantile((panel.units / level)[settled], config_levels))


def training_set(
    panel: DemandPanel, rows: slice, config: ForecasterConfig, plan: TrainingPlan
) -> TrainingSet:
    """The rows of the panel twice: as they are, and with random stretches hidden as if out of stock.

    Targets are the true demand in both. `panel` must end on the last day that may be learned from.
    """
    units, observed, open_days = panel.units[rows], panel.observed[rows], panel.open[rows]
    hidden = _random_stockouts(units.shape, plan)
    doubled = [np.concatenate([x, x]) for x in (units, observed, open_days, panel.location_open[rows])]
    visible = np.concatenate([observed, observed & ~hidden])
    seen = np.where(np.concatenate([np.zeros_like(hidden), hidden]), 0.0, doubled[0])
    inputs = _causal_inputs(seen, visible, doubled[2], panel, config)
    ahead = ((0, 0), (0, config.horizon_days))
    days = np.datetime64(panel.first_day, "D") + np.arange(units.shape[1] + config.horizon_days)
    names = panel.series[rows]
    return TrainingSet(
        **inputs,
        units=_tensor(np.pad(doubled[0], ahead)),
        scored=_tensor(np.pad(doubled[2], ahead)),
        uncensored=_tensor(np.pad(doubled[1], ahead)),
        open=_tensor(np.pad(doubled[3], ahead)),
        calendar=_tensor(calendar_features(days)),
        sku=torch.tensor([config.sku_index(sku) for sku, _ in names] * 2),
        location=torch.tensor([config.location_index(location) for _, location in names] * 2),
    )


def _causal_inputs(
    units: Floats, observed: Flags, open_days: Flags, panel: DemandPanel, config: ForecasterConfig
) -> dict[str, Tensor]:
    known = observed & open_days
    filled = fill_censored(units, observed, open_days)
    level = demand_level(filled, known)
    bases = []
    for day in range(units.shape[1]):
        recent = slice(max(0, day + 1 - config.history_days), day + 1)
        bases.append(base_quantiles(filled[:, recent], known[:, recent], level[:, day], config))
    return {
        "days": _tensor(day_features(filled, observed, open_days, panel.day(units.shape[1] - 1))),
        "bases": _tensor(np.stack(bases, axis=1)),
        "level": _tensor(level),
        "usable": _tensor(level > LEVEL_FLOOR),
    }


def _random_stockouts(shape: tuple[int, ...], plan: TrainingPlan) -> Flags:
    """About `masked_share` of the days, in stretches of 1 to 14."""
    rng = np.random.default_rng(plan.seed)
    starts = rng.random(shape) < plan.masked_share / 7.5
    lengths = rng.integers(1, 15, shape)
    hidden = np.zeros(shape, dtype=np.bool_)
    for ago in range(14):
        hidden[:, ago:] |= (starts & (lengths > ago))[:, : shape[1] - ago]
    return hidden


def _tensor(values: Floats | Flags) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def draw_batch(
    data: TrainingSet, config: ForecasterConfig, plan: TrainingPlan, size: int, generator: torch.Generator
) -> tuple[NetworkInput, Targets]:
    """`size` windows of random series and ends, each with random origins, ids forgotten now and then."""

    def randint(low: int, high: int, *shape: int) -> Tensor:
        return torch.randint(low, high, shape, generator=generator)

    row = randint(0, len(data.sku), size)
    start = randint(0, data.days.shape[1] - config.encoder_days + 1, size)
    origins = randint(plan.first_origin, config.encoder_days, size, plan.origins_per_series)
    last = start[:, None] + origins
    ahead = last[..., None] + 1 + torch.arange(config.horizon_days)
    known_id = (torch.rand(2, size, generator=generator) >= plan.forgotten_ids).long()
    batch = NetworkInput(
        days=data.days[row[:, None], start[:, None] + torch.arange(config.encoder_days)],
        origins=origins,
        sku=data.sku[row] * known_id[0],
        location=data.location[row] * known_id[1],
        bases=data.bases[row[:, None], last],
        calendar=data.calendar[ahead],
        open=data.open[row[:, None, None], ahead],
    )
    pick = (row[:, None, None], ahead)
    usable = data.usable[row[:, None], last][..., None]
    targets = Targets(
        units=data.units[pick],
        scored=data.scored[pick] * usable,
        uncensored=data.uncensored[pick],
        level=data.level[row[:, None], last],
    )
    return batch, targets


def pinball_loss(quantiles: Tensor, targets: Targets, levels: Tensor) -> Tensor:
    """Mean pinball loss in units, each origin divided by the square root of its level.

    Demand of a censored day is only a lower bound: forecasting more than it costs nothing.
    """
    error = targets.units[..., None] - quantiles * targets.level[..., None, None]
    over = (1 - levels) * torch.relu(-error) * targets.uncensored[..., None]
    loss = (levels * torch.relu(error) + over) * targets.scored[..., None]
    return (loss.mean(dim=(2, 3)) / targets.level.sqrt()).mean()


def learning_rate(plan: TrainingPlan, step: int) -> float:
    """Linear warm-up over 15 % of the steps, then a cosine to zero."""
    warm_up = 0.15 * plan.steps
    if step < warm_up:
        return plan.learning_rate * (step + 1) / warm_up
    return plan.learning_rate * 0.5 * (1 + float(np.cos(np.pi * (step - warm_up) / (plan.steps - warm_up))))


def train_epoch(
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    data: TrainingSet,
    config: ForecasterConfig,
    plan: TrainingPlan,
    epoch: int,
    rank: int = 0,
    workers: int = 1,
) -> float:
    """One epoch, reproducible from its number alone; returns the mean loss of this worker."""
    device = next(network.parameters()).device
    levels = torch.tensor(config.quantile_levels, device=device)
    seed = (plan.seed * 1_000 + epoch) * 1_000 + rank
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network.train()
    total = 0.0
    for step in range(plan.steps_per_epoch):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(plan, epoch * plan.steps_per_epoch + step)
        batch, targets = draw_batch(data, config, plan, plan.series_per_step // workers, generator)
        batch, targets = to_device(batch, device), to_device(targets, device)
        loss = pinball_loss(network(batch), targets, levels)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
    return total / plan.steps_per_epoch


def to_device(batch: BatchT, device: torch.device) -> BatchT:
    return type(batch)(**{name: value.to(device) for name, value in vars(batch).items()})


def new_optimizer(network: torch.nn.Module, plan: TrainingPlan) -> torch.optim.AdamW:
    return torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)


def new_network(config: ForecasterConfig, seed: int) -> QuantileForecaster:
    torch.manual_seed(seed)
    return QuantileForecaster(config)
