"""The LSTM that turns the recent days of a series into a distribution for each day ahead."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from batch.forecaster.config import ForecasterConfig
from batch.forecaster.items import NO_ATTRIBUTE
from batch.forecaster.seasonality import EFFECTS
from batch.forecaster.windows import (
    CALENDAR_FEATURES,
    DAY_FEATURES,
    FUTURE_FEATURES,
    OWN_FEATURES,
    WEEKDAYS,
)

STEP_EMBEDDING = 8
SUMMARY_LEVELS = (3, 5, 7, 9, 12, 14, 17)
"""Knots of the empirical quantile functions that the encoder's state is joined with."""

LOG_BOUND = 4.0
FIRST_SPREAD, FIRST_LOG_SHAPE, FIRST_EMBEDDING = 0.3, 0.4, 0.1


@dataclass(frozen=True)
class NetworkInput:
    """A batch of b series, each with p origins.

    Attributes:
        days: (b, encoder days, DAY_FEATURES) day features.
        origins: (b, p) index of each origin's last known day in `days`.
        series: (b,) index, 0 unknown. location: likewise.
        bases: (b, p, bases, levels) empirical quantile functions divided by the level at the origin.
        ahead: (b, p, horizon, FUTURE_FEATURES) what is known of the forecast days.
        open: (b, p, horizon) 1 on open days, else 0.
    """

    days: Tensor
    origins: Tensor
    series: Tensor
    location: Tensor
    bases: Tensor
    ahead: Tensor
    open: Tensor


class CategoryEmbedding(nn.Module):
    """A vector per category, and one for unknown ones; a series stays in the category it was trained in."""

    of_series: Tensor

    def __init__(self, categories: Sequence[str], size: int) -> None:
        super().__init__()
        known = sorted(set(categories) - {NO_ATTRIBUTE})
        place = {name: index for index, name in enumerate(known, 1)} | {NO_ATTRIBUTE: 0}
        index = torch.tensor([0, *(place[name] for name in categories)])
        self.register_buffer("of_series", index, persistent=False)
        self.embedding = nn.Embedding(len(place), size)
        nn.init.normal_(self.embedding.weight, std=FIRST_EMBEDDING)

    def forward(self, series: Tensor) -> Tensor:
        """(b, size) vectors of series (b,) by index, 0 unknown."""
        found: Tensor = self.embedding(self.of_series[series])
        return found


class DemandNetwork(nn.Module):
    """Direct multi-horizon distributions from every origin in a window (forked decoding).

    Two heads share the encoder. One gives a mixture, negative binomial or zero-inflated Weibull. The other
    mixes the bases, stretches every increment between knots and adds a small positive one, so that quantiles
    are non-negative and never cross (Wen et al. 2017, arXiv 1711.11053, for the forked training).
    """

    effects: Tensor
    log_dispersion: Tensor

    def __init__(self, config: ForecasterConfig) -> None:
        super().__init__()
        self.counts = config.counts
        self.components = config.components
        self.bases = len(config.base_days) + 1
        self.levels = len(config.quantile_levels)
        size = config.decoder_size
        self.encoder = nn.LSTM(DAY_FEATURES, config.hidden_size, batch_first=True)
        self.location = nn.Embedding(len(config.locations) + 1, config.embedding_size)
        self.step = nn.Embedding(config.horizon_days, STEP_EMBEDDING)
        summary = self.bases * len(SUMMARY_LEVELS)
        self.state = nn.Linear(config.hidden_size + OWN_FEATURES + config.embedding_size + summary + 1, size)
        self.future = nn.Linear(FUTURE_FEATURES + STEP_EMBEDDING, size)
        self.mixture_hidden, self.bent_hidden = nn.Linear(size, size), nn.Linear(size, size)
        self.mixture = nn.Linear(size, 3 * self.components + (not config.counts))
        self.bent = nn.Linear(size, self.bases + 1 + 2 * self.levels)
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("effects", torch.zeros(len(config.series) + 1, EFFECTS))
        self.register_buffer("log_dispersion", torch.zeros(len(config.series) + 1))
        self._start_at_the_bases()
        names = config.categories
        self.category = None if names is None else CategoryEmbedding(names, config.embedding_size)

    def _start_at_the_bases(self) -> None:
        nn.init.normal_(self.location.weight, std=FIRST_EMBEDDING)
        for head in (self.mixture, self.bent):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
        with torch.no_grad():
            self.bent.bias[-self.levels :] = -6.0
            spread = torch.linspace(-FIRST_SPREAD, FIRST_SPREAD, self.components)
            self.mixture.bias[self.components : 2 * self.components] = spread
            if not self.counts:
                self.mixture.bias[2 * self.components : 3 * self.components] = FIRST_LOG_SHAPE

    def forget_the_year(self) -> None:
        """Gives the time of the year no weight, before and after training.

        Before a whole year was seen, every time ahead is one that nothing is known of.
        """
        for weight, first in (
            (self.encoder.get_parameter("weight_ih_l0"), OWN_FEATURES),
            (self.future.weight, 0),
        ):
            year = slice(first + WEEKDAYS, first + CALENDAR_FEATURES)
            with torch.no_grad():
                weight[:, year] = 0.0
            weight.register_hook(partial(_without_columns, year))

    def forward(self, batch: NetworkInput) -> tuple[Tensor, Tensor]:
        """Both heads for every step, in multiples of level times index.

        Returns:
            Raw mixture parameters (b, p, horizon, parameters), see `batch.forecaster.likelihood`, and bent
            quantiles (b, p, horizon, levels).
        """
        encoded, _ = self.encoder(batch.days)
        b, p = batch.origins.shape
        pick = batch.origins[..., None]
        encoded = encoded.gather(1, pick.expand(b, p, encoded.shape[2]))
        return self.decode(encoded, batch.days.gather(1, pick.expand(b, p, batch.days.shape[2])), batch)

    def decode(self, encoded: Tensor, today: Tensor, batch: NetworkInput) -> tuple[Tensor, Tensor]:
        """Both heads from the encoder's outputs (b, p, hidden) and the origins' own day features."""
        b, p = encoded.shape[:2]
        identity = self.location(batch.location)
        if self.category is not None:
            identity = identity + self.category(batch.series)
        log_k = self.log_dispersion[batch.series][:, None, None].expand(b, p, 1)
        summary = torch.log1p(batch.bases[..., SUMMARY_LEVELS]).flatten(2)
        parts = [encoded, identity[:, None].expand(b, p, -1), summary, today[..., :OWN_FEATURES], log_k]
        state = self.state(self.dropout(torch.cat(parts, dim=2)))
        steps = self.step.weight.expand(*batch.open.shape, STEP_EMBEDDING)
        future = self.future(torch.cat([batch.ahead, steps], dim=3))
        hidden = self.dropout(torch.relu(state[:, :, None] + future))
        raw = self.mixture(torch.relu(self.mixture_hidden(hidden)))
        bent = self._bend(batch, self.bent(torch.relu(self.bent_hidden(hidden))))
        return self._bounded(raw, log_k), bent

    def _bounded(self, raw: Tensor, log_k: Tensor) -> Tensor:
        logits, location, spread, rest = torch.split(
            raw, [self.components] * 3 + [raw.shape[-1] - 3 * self.components], dim=-1
        )
        if self.counts:
            spread = spread + log_k[..., None]
        location = location.clamp(-LOG_BOUND, LOG_BOUND)
        return torch.cat([logits, location, spread.clamp(-LOG_BOUND, LOG_BOUND), rest], dim=-1)

    def _bend(self, batch: NetworkInput, head: Tensor) -> Tensor:
        mix, shift, stretch, extra = torch.split(head, [self.bases, 1, self.levels, self.levels], dim=3)
        mixed = torch.einsum("bphn,bpnk->bphk", torch.softmax(mix, dim=3), batch.bases)
        steps = torch.diff(mixed, dim=3, prepend=torch.zeros_like(mixed[..., :1]))
        steps = steps * torch.exp((shift + stretch).clamp(-3, 3)) + nn.functional.softplus(extra)
        return torch.cumsum(steps, dim=3) * batch.open[..., None]


def _without_columns(columns: slice, gradient: Tensor) -> Tensor:
    kept = gradient.clone()
    kept[:, columns] = 0.0
    return kept
