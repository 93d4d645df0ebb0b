"""What the system says about demand: features, forecasts, accuracy."""

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
    left_out_if_none,
)

QUANTILE_LEVELS = (
    0.005, 0.025, 0.05, 0.1, 0.165, 0.25, 0.35, 0.5, 0.65, 0.75, 0.8,
    0.835, 0.9, 0.925, 0.95, 0.965, 0.975, 0.985, 0.99, 0.995, 0.999,
)  # fmt: skip
"""Knots of every published quantile function; they contain M5's nine levels."""

HORIZON_DAYS = 28

EVALUATED_DAYS = (1, 7, 14, 28)
"""Days of the horizon that matured forecasts are scored and recalibrated at."""

Forecaster = Literal["lstm", "empirical_56_open_days", "cold_start", "seasonal_naive", "croston_sba", "tsb"]
Table = list[list[DemandUnits]]


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


class Recalibration(Record):
    """How far the quantiles were moved because of how earlier forecasts came out.

    `shifts[i][k]` was added, on the scale of the standard normal distribution, to the probability at which
    the forecaster's own quantile function was read for `quantile_levels[k]` on day `days[i]`; days between
    are interpolated. Learned from the scores that had matured by `matured_ms`, and from no later ones.
    """

    matured_ms: EventTimeMs
    days: list[Annotated[int, Field(ge=1)]]
    shifts: list[list[float]]


class Shadow(Record):
    """What the forecaster that did not serve would have said: `quantiles[i]` of day `days[i]`."""

    forecaster: Forecaster
    days: list[Annotated[int, Field(ge=1)]]
    quantiles: Table


class DemandForecast(Message):
    """The distribution of daily and cumulative demand after `origin_ms` (a local midnight).

    `quantiles[h][k]` is the `quantile_levels[k]` quantile of demand on day h + 1 after the origin;
    `cumulative[h][k]` that of the sum of days 1..h + 1, from the joint paths. `copula`, `seed` and `paths`
    regenerate the joint paths from this message alone. `recalibration` says what the quantiles above already
    contain; it is left out where nothing was moved. `shadow` is there to be scored, never to be used.
    `cold_start` forecasts a new item from what comparable items sell; `fallback_reason` says so. `segment` is
    what the forecaster was chosen for, by backtest; left out where the model serves all.
    """

    sku: Sku
    location: Location
    origin_ms: EventTimeMs
    forecaster: Forecaster
    fallback_reason: str | None = None
    model_id: Identifier
    panel_hash: Digest
    context_digest: Digest
    quantile_levels: list[Annotated[float, Field(gt=0, lt=1)]]
    quantiles: Table
    cumulative: Table
    copula: Copula
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    paths: Annotated[int, Field(ge=1, le=100_000)]
    segment: str | None = Field(None, exclude_if=left_out_if_none)
    recalibration: Recalibration | None = Field(None, exclude_if=left_out_if_none)
    shadow: Shadow | None = Field(None, exclude_if=left_out_if_none)

    @property
    def is_fallback(self) -> bool:
        """Whether another forecaster should have made it; a new item's is as it should be."""
        return self.fallback_reason is not None and self.forecaster != "cold_start"

    @model_validator(mode="after")
    def _quantiles_ascend(self) -> Self:
        for name, table in (("quantiles", self.quantiles), ("cumulative", self.cumulative)):
            if any(len(row) != len(self.quantile_levels) for row in table):
                raise ValueError(f"{name} must have {len(self.quantile_levels)} values per day")
            if any(row != sorted(row) for row in table):
                raise ValueError(f"{name} must not descend within a day")
        return self


class IntradayForecast(Message):
    """A forecast of the rest of a local day and the days after it, made within the day.

    By `forecast.origin_ms`, the end of the first feature row that said so, more had been sold than the 95 %
    quantile of the whole day that the forecast of `day_origin_ms` gave. Day 1 of `forecast` is the rest of
    that day: the total given that it is at least `sold_so_far`, less that, and at each level no less than
    what the clock has left of the usual; the days after are those of joint paths with such a first day.
    """

    sku: Sku
    location: Location
    day_origin_ms: EventTimeMs
    sold_so_far: DemandUnits
    forecast: DemandForecast


class Score(Record):
    """One forecast distribution against what happened.

    With stock-outs in the period `actual` is what was sold, a lower bound of demand: `censored`. What the
    bound does not settle is null then, and the running figures stand still. `covered_*` are the central
    intervals, both ends included; false on a censored day means that the bound alone lies above.

    `pit` is the randomised probability integral transform, uniform on [0, 1] if the forecast was right
    (Czado, Gneiting & Held 2009); of a censored period it is drawn between the bound's and 1, which is
    uniform as well if the forecast was right (Dunn & Smyth 1996). The draw is keyed by the record's identity.

    `pinball` is the mean over all knots, `bias` the forecast mean minus `actual`. `scored`, `cfe` (sum of
    actual minus forecast mean) and `mean_absolute_error` run over every uncensored score of the same SKU,
    location, horizon and model so far; `tracking_signal` is `cfe / mean_absolute_error`.
    """

    actual: DemandUnits
    censored: bool
    pit: Annotated[float, Field(ge=0, le=1)]
    covered_80: bool | None
    covered_95: bool | None
    pinball: Annotated[float, Field(ge=0)] | None
    bias: float | None
    scored: Annotated[int, Field(ge=0)]
    cfe: float
    mean_absolute_error: Annotated[float, Field(ge=0)] | None
    tracking_signal: float | None


class DemandAccuracy(Message):
    """A matured forecast against what happened, once per SKU, location, origin, horizon and forecaster.

    `day` scores the single day `horizon_days` after the origin, null where the location was closed; `total`
    the sum of all days up to it, for the forecast that served and horizons above one day. `matured_ms` is
    the end of the last of these days. `served` is false for a shadow.
    """

    sku: Sku
    location: Location
    origin_ms: EventTimeMs
    matured_ms: EventTimeMs
    horizon_days: Annotated[int, Field(ge=1)]
    forecaster: Forecaster
    model_id: Identifier
    served: bool
    day: Score | None
    total: Score | None


class RetrainRequest(Message):
    """A model forecast worse than the fallback and does not serve; open while it is the current model.

    `model_pinball` and `fallback_pinball` are sums over the paired scores of `days` matured days up to
    `event_time_ms`; `t_statistic` is that of the Diebold-Mariano test. One request per model.
    """

    request_id: Identifier
    event_time_ms: EventTimeMs
    model_id: Identifier
    location: Location
    reason: str
    days: Annotated[int, Field(ge=1)]
    model_pinball: Annotated[float, Field(ge=0)]
    fallback_pinball: Annotated[float, Field(ge=0)]
    t_statistic: float
