"""What the system says about demand: features, forecasts, accuracy."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from infra.contracts.features import FEATURES
from infra.contracts.message import (
    DemandUnits,
    Digest,
    EventTimeMs,
    Identifier,
    Location,
    Message,
    Record,
    Sku,
)

QUANTILE_LEVELS = (
    0.005, 0.025, 0.05, 0.1, 0.165, 0.25, 0.35, 0.5, 0.65, 0.75, 0.8,
    0.835, 0.9, 0.925, 0.95, 0.965, 0.975, 0.985, 0.99, 0.995, 0.999,
)  # fmt: skip
"""Knots of every published quantile function; they contain M5's nine levels."""

HORIZON_DAYS = 28


def _declared_values() -> dict[str, JsonValue]:
    """JSON Schema of the values: every declared feature with its meaning, unit and null rule."""
    return {
        "properties": {
            feature.name: {
                "description": f"{feature.meaning} [{feature.unit}]; {feature.null_rule}",
                "type": ["number", "null"],
            }
            for feature in FEATURES
        }
    }


class DemandFeatures(Message):
    """Day-to-date features of one SKU at one location; the last row of a local day has `is_final`.

    `window_start_ms` is inclusive, `window_end_ms` exclusive. `values` holds one entry per feature that was
    declared (`infra.contracts.features`) when the row was written; null means unknown, never zero.
    """

    sku: Sku
    location: Location
    window_start_ms: EventTimeMs
    window_end_ms: EventTimeMs
    is_final: bool
    values: dict[str, float | None] = Field(json_schema_extra=_declared_values())


class Copula(Record):
    """Dependence of demand over the horizon's open days.

    Correlation of the normal scores of steps i and j is `level + (1 - level) * decay ** |i - j|`.
    """

    level: Annotated[float, Field(ge=0, lt=1)]
    decay: Annotated[float, Field(ge=0, lt=1)]


class DemandForecast(Message):
    """The distribution of daily and cumulative demand after `origin_ms` (a local midnight).

    `quantiles[h][k]` is the `quantile_levels[k]` quantile of demand on day h + 1 after the origin;
    `cumulative[h][k]` that of the sum of days 1..h + 1, from the joint paths. `copula`, `seed` and `paths`
    regenerate the joint paths from this message alone.
    """

    sku: Sku
    location: Location
    origin_ms: EventTimeMs
    forecaster: Literal["lstm", "empirical_56_open_days"]
    fallback_reason: str | None = None
    model_id: Identifier
    panel_hash: Digest
    context_digest: Digest
    quantile_levels: list[Annotated[float, Field(gt=0, lt=1)]]
    quantiles: list[list[DemandUnits]]
    cumulative: list[list[DemandUnits]]
    copula: Copula
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    paths: Annotated[int, Field(ge=1, le=100_000)]

    @model_validator(mode="after")
    def _quantiles_ascend(self) -> Self:
        for name, table in (("quantiles", self.quantiles), ("cumulative", self.cumulative)):
            if any(len(row) != len(self.quantile_levels) for row in table):
                raise ValueError(f"{name} must have {len(self.quantile_levels)} values per day")
            if any(a > b for row in table for a, b in pairwise(row)):
                raise ValueError(f"{name} must not descend within a day")
        return self


class DemandAccuracy(Message):
    """A matured forecast against what happened; `bias` is forecast median minus actual."""

    sku: Sku
    location: Location
    origin_ms: EventTimeMs
    horizon_days: Annotated[int, Field(ge=1)]
    model_id: Identifier
    actual: DemandUnits
    pinball: Annotated[float, Field(ge=0)]
    bias: float
    covered_80: bool
