"""What a trained forecaster needs besides its weights."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from infra.contracts.demand import HORIZON_DAYS, QUANTILE_LEVELS, Copula

FEATURE_SCHEMA: Literal[1] = 1
"""Version of the inputs made by `batch.forecaster.windows`; a model of another version is refused."""


class ForecasterConfig(BaseModel):
    """Shapes, vocabulary and fitted constants of one model.

    `encoder_days` are read by the LSTM; `lookback_days` before each of them feed its running features.
    `base_days` are the window lengths, in known open days, of the empirical quantiles the network bends.
    `pooled_quantiles` are the quantiles of units / level over all training days, one per quantile level.
    A SKU or location that is not listed has index 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature_schema: Literal[1] = FEATURE_SCHEMA
    encoder_days: int = 112
    lookback_days: int = 112
    base_days: tuple[int, ...] = (28, 56, 90)
    horizon_days: int = HORIZON_DAYS
    quantile_levels: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = QUANTILE_LEVELS
    hidden_size: int = 48
    embedding_size: int = 8
    decoder_size: int = 64
    dropout: float = 0.1
    skus: tuple[str, ...]
    locations: tuple[str, ...]
    pooled_quantiles: tuple[float, ...]
    copula: Copula = Copula(level=0.0, decay=0.0)
    fallback_copula: Copula = Copula(level=0.0, decay=0.0)

    @property
    def history_days(self) -> int:
        """Days of history a forecast reads."""
        return self.encoder_days + self.lookback_days

    def sku_index(self, sku: str) -> int:
        return self.skus.index(sku) + 1 if sku in self.skus else 0

    def location_index(self, location: str) -> int:
        return self.locations.index(location) + 1 if location in self.locations else 0
