"""How the network learns: forked origins, pinball loss, censored days, one seeded step after another.

Free of Ray, so that a test trains on a few series in a second.
"""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from batch.forecaster.config import ForecasterConfig
from batch.forecaster.loss import Targets, training_loss
from batch.forecaster.network import DemandNetwork, NetworkInput
from batch.forecaster.panel import DemandPanel, thinned
from batch.forecaster.seasonality import SeasonalEffects
from batch.forecaster.windows import (
    BASE_LOOKBACK,
    LEVEL_FLOOR,
    Flags,
    Floats,
    base_quantiles,
    demand_history,
    horizon_features,
)
from infra.errors import StockstreamError

SERIES_AT_A_TIME = 2000
"""Series whose features are held in memory; of a larger panel every epoch sees other ones."""

SETTLED_DAYS = 56
"""Known days of a series before its level is taken for settled."""


@dataclass(frozen=True)
class TrainingPlan:
    """Everything that decides the outcome of a training run besides the data."""

    epochs: int = 12
    steps_per_epoch: int = 30
    series_per_step: int = 64
    origins_per_series: int = 12
    first_origin: int = 56
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    forgotten_ids: float = 0.1
    masked_series: float = 0.3
    masked_share: float = 0.25
    bent_loss: float = 1.0
    bfloat16: bool = True
    seed: int = 7

    @property
    def steps(self) -> int:
        return self.epochs * self.steps_per_epoch


@dataclass(frozen=True)
class TrainingSet:
    """Inputs and targets of s series over t days, followed by a horizon without targets.

    Attributes:
        days: (s, t, DAY_FEATURES) day features.
        recent: (s, t) demand over its index, which empirical quantiles are taken of. known: (s, t) likewise.
        level: (s, t) scale as of each day.
        ahead: (s, t + horizon, FUTURE_FEATURES) what is known ahead of each day.
        units: (s, t + horizon) true demand.
        scored: (s, t + horizon) 1 where it is known.
        open: (s, t + horizon) 1 where the location sold.
        series: (s,) index. location: likewise.
    """

    days: Tensor
    recent: Tensor
    known: Tensor
    level: Tensor
    ahead: Tensor
    units: Tensor
    scored: Tensor
    open: Tensor
    series: Tensor
    location: Tensor


BatchT = TypeVar("BatchT", NetworkInput, Targets)


def pooled_quantiles(panel: DemandPanel, effects: Floats, levels: tuple[float, ...]) -> tuple[float, ...]:
    """Quantiles of demand over level and index, over all known days of settled series, a sample if many."""
    days, rows = panel.units.shape[1], thinned(len(panel.series), SERIES_AT_A_TIME)
    history = demand_history(panel.rows(rows).window(days - 1, days, 0), effects[rows])
    least = min(SETTLED_DAYS, days // 2)
    settled = history.known & (np.cumsum(history.known, axis=1) > least)
    if not settled.any():
        raise StockstreamError(f"panel: no series has more than {least} open days in stock to learn from")
    return tuple(float(q) for q in np.quantile((history.units / history.level)[settled], levels))


def training_set(
    panel: DemandPanel,
    rows: NDArray[np.intp] | slice,
    config: ForecasterConfig,
    plan: TrainingPlan,
    effects: Floats,
) -> TrainingSet:
    """The rows of the panel; in some of them random stretches are hidden as if out of stock.

    Targets are the known demand, hidden or not. `panel` must end on the last day that may be learned from.
    """
    part = panel.rows(rows)
    indices = config.indices(part.series)
    own = effects[indices[0]]
    hidden = _random_stockouts(part.units.shape, plan)
    seen = replace(part, units=np.where(hidden, 0.0, part.units), observed=part.observed & ~hidden)
    days = part.units.shape[1]
    history = demand_history(seen.window(days - 1, days, 0), own)
    ahead = horizon_features(part.window(-1, 0, days), own)
    later = ((0, 0), (0, config.horizon_days))
    return TrainingSet(
        days=_tensor(history.features),
        recent=_tensor(history.units),
        known=torch.from_numpy(history.known),
        level=_tensor(history.level),
        ahead=_tensor(np.pad(ahead, (*later, (0, 0)))),
        **targets(part, config.horizon_days),
        open=_tensor(np.pad(part.location_open, later)),
        **dict(zip(("series", "location"), map(torch.tensor, indices), strict=True)),
    )


def targets(panel: DemandPanel, horizon_days: int) -> dict[str, Tensor]:
    """What of a training set is to be forecast, and where it is known."""
    later = ((0, 0), (0, horizon_days))
    known = panel.open & panel.observed
    return {"units": _tensor(np.pad(panel.units, later)), "scored": _tensor(np.pad(known, later))}


def _random_stockouts(shape: tuple[int, ...], plan: TrainingPlan) -> Flags:
    """About `masked_share` of the days of `masked_series` of the series, in stretches of 1 to 14."""
    rng = np.random.default_rng(plan.seed)
    starts = rng.random(shape) < plan.masked_share / 7.5
    starts &= rng.random((shape[0], 1)) < plan.masked_series
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

    row = randint(0, len(data.series), size)
    start = randint(0, data.days.shape[1] - config.encoder_days + 1, size)
    first = min(plan.first_origin, config.encoder_days // 2)
    origins = randint(first, config.encoder_days, size, plan.origins_per_series)
    last = start[:, None] + origins
    known_id = (torch.rand(size, generator=generator) >= plan.forgotten_ids).long()
    pick = (row[:, None, None], last[..., None] + 1 + torch.arange(config.horizon_days))
    level = data.level[row[:, None], last]
    ahead = data.ahead[pick]
    batch = NetworkInput(
        days=data.days[row[:, None], start[:, None] + torch.arange(config.encoder_days)],
        origins=origins,
        series=data.series[row] * known_id,
        location=data.location[row],
        bases=_bases(data, config, row, last, level),
        ahead=ahead,
        open=data.open[pick],
    )
    targets = Targets(
        units=data.units[pick],
        scored=data.scored[pick] * (level > LEVEL_FLOOR)[..., None],
        scale=level[..., None] * torch.exp(ahead[..., -1]),
    )
    return batch, targets


def _bases(data: TrainingSet, config: ForecasterConfig, row: Tensor, last: Tensor, level: Tensor) -> Tensor:
    past = (last[..., None] - torch.arange(BASE_LOOKBACK - 1, -1, -1)).flatten(0, 1)
    where = (row.repeat_interleave(last.shape[1])[:, None], past.clamp(min=0))
    known = (data.known[where] & (past >= 0)).numpy()
    bases = base_quantiles(data.recent[where].numpy(), known, level.flatten().numpy(), config)
    shaped: Tensor = _tensor(bases).unflatten(0, last.shape)
    return shaped


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
        # Half the bits on a GPU only, and only in the network: likelihoods need all of them.
        half = plan.bfloat16 and device.type == "cuda"
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
            mixture, bent = network(batch)
        loss = training_loss(mixture.float(), bent.float(), targets, config, plan.bent_loss)
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


def new_network(config: ForecasterConfig, seasons: SeasonalEffects, seed: int) -> DemandNetwork:
    torch.manual_seed(seed)
    network = DemandNetwork(config)
    if not seasons.saw_a_year:
        network.forget_the_year()
    network.effects.copy_(_tensor(seasons.effects))
    network.log_dispersion.copy_(_tensor(seasons.log_dispersion))
    return network
