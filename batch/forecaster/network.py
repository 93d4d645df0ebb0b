"""The LSTM that bends empirical quantile functions into a forecast."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from batch.forecaster.config import ForecasterConfig
from batch.forecaster.windows import DAY_FEATURES

CALENDAR_FEATURES = 13
STEP_EMBEDDING = 8
SUMMARY_LEVELS = (3, 5, 7, 9, 12, 14, 17)
"""Knots of the empirical quantile functions that the encoder's state is joined with."""


@dataclass(frozen=True)
class NetworkInput:
    """A batch of b series, each with p origins.

    Attributes:
        days: (b, encoder days, 20) day features.
        origins: (b, p) index of each origin's last known day in `days`.
        sku: (b,) index, 0 unknown. location: likewise.
        bases: (b, p, bases, levels) empirical quantile functions divided by the level at the origin.
        calendar: (b, p, horizon, 13) features of the forecast days.
        open: (b, p, horizon) 1 on open days, else 0.
    """

    days: Tensor
    origins: Tensor
    sku: Tensor
    location: Tensor
    bases: Tensor
    calendar: Tensor
    open: Tensor


class QuantileForecaster(nn.Module):
    """Direct multi-horizon quantile functions from every origin in a window (forked decoding).

    Each step mixes the bases, stretches every increment between knots and adds a small positive one, so that
    quantiles are non-negative and never cross (Wen et al. 2017, arXiv 1711.11053, for the forked training).
    """

    def __init__(self, config: ForecasterConfig) -> None:
        super().__init__()
        self.bases = len(config.base_days) + 1
        self.levels = len(config.quantile_levels)
        self.encoder = nn.LSTM(DAY_FEATURES, config.hidden_size, batch_first=True)
        self.sku = nn.Embedding(len(config.skus) + 1, config.embedding_size)
        self.location = nn.Embedding(len(config.locations) + 1, config.embedding_size)
        self.step = nn.Embedding(config.horizon_days, STEP_EMBEDDING)
        state = config.hidden_size + config.embedding_size + self.bases * len(SUMMARY_LEVELS)
        self.state = nn.Linear(state, config.decoder_size)
        self.future = nn.Linear(CALENDAR_FEATURES + 1 + STEP_EMBEDDING, config.decoder_size)
        self.hidden = nn.Linear(config.decoder_size, config.decoder_size)
        self.head = nn.Linear(config.decoder_size, self.bases + 1 + 2 * self.levels)
        self.dropout = nn.Dropout(config.dropout)
        self._start_at_the_bases()

    def _start_at_the_bases(self) -> None:
        for embedding in (self.sku, self.location):
            nn.init.normal_(embedding.weight, std=0.1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        with torch.no_grad():
            self.head.bias[-self.levels :] = -6.0

    def forward(self, batch: NetworkInput) -> Tensor:
        """Quantiles (b, p, horizon, levels) in multiples of the level at the origin; zero on closed days."""
        state = self._origin_state(batch)
        future = self._future_state(batch)
        hidden = torch.relu(state[:, :, None] + future)
        return self._bend(batch, self.head(torch.relu(self.hidden(self.dropout(hidden)))))

    def _origin_state(self, batch: NetworkInput) -> Tensor:
        encoded, _ = self.encoder(batch.days)
        b, p = batch.origins.shape
        encoded = encoded.gather(1, batch.origins[..., None].expand(b, p, encoded.shape[2]))
        identity = self.sku(batch.sku) + self.location(batch.location)
        summary = torch.log1p(batch.bases[..., SUMMARY_LEVELS]).flatten(2)
        joined = torch.cat([encoded, identity[:, None].expand(b, p, -1), summary], dim=2)
        state: Tensor = self.state(self.dropout(joined))
        return state

    def _future_state(self, batch: NetworkInput) -> Tensor:
        steps = self.step.weight.expand(*batch.open.shape, STEP_EMBEDDING)
        future: Tensor = self.future(torch.cat([batch.calendar, batch.open[..., None], steps], dim=3))
        return future

    def _bend(self, batch: NetworkInput, head: Tensor) -> Tensor:
        mix, shift, stretch, extra = torch.split(head, [self.bases, 1, self.levels, self.levels], dim=3)
        mixed = torch.einsum("bphn,bpnk->bphk", torch.softmax(mix, dim=3), batch.bases)
        steps = torch.diff(mixed, dim=3, prepend=torch.zeros_like(mixed[..., :1]))
        steps = steps * torch.exp((shift + stretch).clamp(-3, 3)) + nn.functional.softplus(extra)
        return torch.cumsum(steps, dim=3) * batch.open[..., None]
