"""What a trained forecaster needs besides its weights."""

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from infra.contracts.demand import HORIZON_DAYS, QUANTILE_LEVELS, Copula
from infra.contracts.message import left_out_if_none

FEATURE_SCHEMA: Literal[3] = 3
"""Version of the network's inputs and of what its outputs mean; a model of another version is refused."""


class ForecasterConfig(BaseModel):
    """Shapes, vocabulary and fitted constants of one model.

    At most `encoder_days` are read by the LSTM (`days_read`); `lookback_days` before each of them feed its
    running features.
    `base_days` are the window lengths, in known open days, of the empirical quantiles the network bends.
    `pooled_quantiles` are the quantiles of units / level over all training days, one per quantile level.
    A series or location that is not listed has index 0. `categories` holds that of each of `series`, `none`
    where none is known, and is absent where there are not two. `counts` says whether demand is whole units.
    `recent_share` is the weight of the mean of the empirical quantiles as they are; of the rest, `bent_share`
    is the weight of the bent ones, and what remains is the parametric mixture's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature_schema: Literal[3] = FEATURE_SCHEMA
    encoder_days: int = 112
    lookback_days: int = 364
    base_days: tuple[int, ...] = (28, 56, 90)
    horizon_days: int = HORIZON_DAYS
    quantile_levels: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = QUANTILE_LEVELS
    hidden_size: int = 64
    embedding_size: int = 8
    decoder_size: int = 64
    dropout: float = 0.1
    components: int = 3
    counts: bool = True
    bent_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    recent_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    series: tuple[tuple[str, str], ...]
    locations: tuple[str, ...]
    categories: tuple[str, ...] | None = Field(None, exclude_if=left_out_if_none)
    pooled_quantiles: tuple[float, ...]
    copula: Copula = Copula(level=0.1, decay=0.0)
    fallback_copula: Copula = Copula(level=0.15, decay=0.4)

    @property
    def anchor_days(self) -> int:
        """Days after which the window that the encoder reads begins anew."""
        return max(1, self.encoder_days // 4)

    def days_since_anchor(self, last_day: date) -> int:
        """Days since the window began anew, on a date that is the same for every series and run."""
        return last_day.toordinal() % self.anchor_days

    def days_read(self, last_day: date) -> int:
        """Days until `last_day` that the encoder reads: at most `encoder_days`, and more than 3/4 of them.

        Within what training draws, so that a kept state is no stranger to the network.
        """
        return self.encoder_days - self.anchor_days + 1 + self.days_since_anchor(last_day)

    @property
    def history_days(self) -> int:
        """Days of history a forecast reads."""
        return self.encoder_days + self.lookback_days

    def indices(self, series: Sequence[tuple[str, str]]) -> tuple[list[int], list[int]]:
        """Indices of each (sku, location) as a series, and of its location."""
        by_series, by_location = self._vocabulary
        return (
            [by_series.get((sku, location), 0) for sku, location in series],
            [by_location.get(location, 0) for _, location in series],
        )

    @cached_property
    def _vocabulary(self) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
        return (
            {key: place for place, key in enumerate(self.series, 1)},
            {location: place for place, location in enumerate(self.locations, 1)},
        )
