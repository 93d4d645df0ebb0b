"""Forecasts that wait for their days, and their scores once those days are over."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from infra.contracts.demand import EVALUATED_DAYS, DemandAccuracy, DemandForecast, Forecaster, Score
from infra.contracts.identity import forecaster_name, uniform
from serving.calibration.scores import score
from serving.inventory.ledger import Key
from serving.matured_days import Outcome

_DECIMALS = 6

Period = Literal["day", "total"]


@dataclass(frozen=True)
class Awaited:
    """One forecaster's quantiles of one horizon, whose days are not all over yet."""

    key: Key
    origin_ms: int
    horizon_days: int
    forecaster: Forecaster
    model_id: str
    served: bool
    quantiles: dict[Period, list[float]]

    @property
    def name(self) -> str:
        return forecaster_name(self.forecaster, self.model_id)


@dataclass(frozen=True)
class Matured:
    """An awaited forecast with what happened; without the day where the location was closed."""

    awaited: Awaited
    matured_ms: int
    outcomes: dict[Period, Outcome]


def to_await(forecast: DemandForecast) -> Iterator[Awaited]:
    """What of a forecast will be scored: the forecaster that served, and its shadow's single days."""
    key, horizon = (forecast.sku, forecast.location), len(forecast.quantiles)
    shadow = forecast.shadow
    for days in (days for days in EVALUATED_DAYS if days <= horizon):
        served: dict[Period, list[float]] = {"day": forecast.quantiles[days - 1]}
        if days > 1:
            served["total"] = forecast.cumulative[days - 1]
        model_id = forecast.model_id
        yield Awaited(key, forecast.origin_ms, days, forecast.forecaster, model_id, True, served)
        if shadow is not None and days in shadow.days:
            quantiles: dict[Period, list[float]] = {"day": shadow.quantiles[shadow.days.index(days)]}
            yield Awaited(key, forecast.origin_ms, days, shadow.forecaster, model_id, False, quantiles)


def scores_of(wanted: Sequence[tuple[Matured, Period, Outcome]]) -> Iterator[Score]:
    """The scores in order, without running errors; computed together."""
    if not wanted:
        return
    actual = np.array([outcome.units for _, _, outcome in wanted])
    censored = np.array([outcome.censored for _, _, outcome in wanted])
    quantiles = np.array([matured.awaited.quantiles[period] for matured, period, _ in wanted])
    draws = np.array([_draw(matured.awaited, period) for matured, period, _ in wanted])
    made = score(quantiles, actual, censored, draws)
    for row in range(len(wanted)):
        known = not censored[row]
        yield Score(
            actual=_rounded(actual[row]),
            censored=not known,
            pit=_rounded(made.pit[row]),
            covered_80=_flag(made.covered_80[row]),
            covered_95=_flag(made.covered_95[row]),
            pinball=_rounded(made.pinball[row]) if known else None,
            bias=_rounded(made.mean[row] - actual[row]) if known else None,
            scored=0,
            cfe=0.0,
            mean_absolute_error=None,
            tracking_signal=None,
        )


def _draw(awaited: Awaited, period: Period) -> float:
    return uniform(*awaited.key, awaited.origin_ms, awaited.horizon_days, awaited.name, period)


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS)


def _flag(value: float) -> bool | None:
    return None if np.isnan(value) else bool(value)


def accuracy_record(matured: Matured, scores: Mapping[Period, Score]) -> DemandAccuracy:
    """The scores of a matured forecast as a message."""
    awaited = matured.awaited
    return DemandAccuracy(
        sku=awaited.key[0],
        location=awaited.key[1],
        origin_ms=awaited.origin_ms,
        matured_ms=matured.matured_ms,
        horizon_days=awaited.horizon_days,
        forecaster=awaited.forecaster,
        model_id=awaited.model_id,
        served=awaited.served,
        day=scores.get("day"),
        total=scores.get("total"),
    )
