"""Which forecaster serves which series: the table of champions that travels with a model.

Chosen by segment (`batch.champion_choice`); a series that the table does not have is the model's. Eligible
beside the model is what can be computed for 100,000 series every day in serving: about 0.1 ms a series.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from batch.forecaster.baselines import filled_seasonal_naive
from batch.forecaster.fallback import empirical_forecast
from batch.forecaster.intermittent import Smoothing, croston_sba, tsb
from batch.forecaster.windows import DemandWindow, Floats
from infra.contracts.demand import Copula, Forecaster

CHAMPIONS_SCHEMA: Literal[1] = 1

MODEL: Final[Forecaster] = "lstm"
FALLBACK: Final[Forecaster] = "empirical_56_open_days"

Rule = Callable[[DemandWindow], Floats]
"""Quantiles (series, horizon, levels) at `QUANTILE_LEVELS` from what is known of the series."""


def baselines(smoothing: Smoothing) -> dict[Forecaster, Rule]:
    """The forecasters that may serve beside a model; `smoothing` are TSB's constants."""
    return {
        FALLBACK: empirical_forecast,
        "seasonal_naive": filled_seasonal_naive,
        "croston_sba": croston_sba,
        "tsb": partial(tsb, smoothing=smoothing),
    }


@dataclass(frozen=True)
class Role:
    """Who forecasts a series, and who does if that one must not; None where nobody is left."""

    champion: Forecaster
    fallback: Forecaster | None
    segment: str | None = None


MODELS_OWN: Final = Role(MODEL, FALLBACK)
"""Of a series without a champion of its own."""

WITHOUT_MODEL: Final = Role(FALLBACK, None)


class SegmentChampion(BaseModel):
    """The best forecaster of a segment at past origins, and the best of the rest that needs no training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    champion: Forecaster
    fallback: Forecaster


class Champions(BaseModel):
    """The table: segments, the segment of each series by location and SKU, and what the baselines need."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = CHAMPIONS_SCHEMA
    segments: Mapping[str, SegmentChampion]
    series: Mapping[str, Mapping[str, str]]
    copulas: Mapping[Forecaster, Copula]
    smoothing: Smoothing

    @model_validator(mode="after")
    def _names_only_what_serves(self) -> Self:
        accepted = baselines(self.smoothing).keys()
        for name, segment in self.segments.items():
            if segment.champion not in {MODEL, *accepted} or segment.fallback not in accepted:
                raise ValueError(f"segment {name}: {segment.champion} or {segment.fallback} cannot serve")
            if segment.champion == segment.fallback:
                raise ValueError(f"segment {name}: {segment.champion} cannot be its own fallback")
        if missing := accepted - self.copulas.keys():
            raise ValueError(f"no copula of {sorted(missing)}")
        strange = {name for of in self.series.values() for name in of.values()} - self.segments.keys()
        if strange:
            raise ValueError(f"series of segments that have no champion: {sorted(strange)[:3]}")
        return self

    def role(self, key: tuple[str, str]) -> Role:
        """Who forecasts a (sku, location)."""
        segment = self.series.get(key[1], {}).get(key[0])
        if segment is None:
            return MODELS_OWN
        chosen = self.segments[segment]
        return Role(chosen.champion, chosen.fallback, segment)
