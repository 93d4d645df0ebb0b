"""Who forecasts each series and what it says, moved by what matured scores teach."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from batch.forecaster.champions import Role
from batch.forecaster.predictor import quantile_problem
from batch.forecaster.windows import DemandWindow, Floats
from infra.contracts.demand import EVALUATED_DAYS, QUANTILE_LEVELS, Copula, Forecaster
from infra.contracts.identity import forecaster_name
from serving.calibration.recalibration import recalibrated, shifts_by_day
from serving.forecast_feedback import ForecastFeedback, Pair
from serving.inventory.ledger import Key
from serving.inventory.order_rules import MAX_UNITS
from serving.new_items import NewItem

COLD_START: Final[Forecaster] = "cold_start"
LEVELS = len(QUANTILE_LEVELS)

_DECIMALS = 4

Rule = Callable[[DemandWindow, Sequence[Key]], Floats]
"""Quantiles (series, horizon, levels) of one forecaster."""

Suspended = Mapping[Pair, str]
"""Why a champion stands back for its fallback, by both names."""


@dataclass(frozen=True)
class Correction:
    """What scores that had matured by an instant say about any forecaster's quantiles of some series.

    `shifts` gives (series, evaluated days, levels), see `serving.calibration.recalibration`.
    """

    matured_ms: int
    shifts: Callable[[Forecaster, Sequence[Key]], Floats]


def learned(feedback: ForecastFeedback, model_id: str, matured_ms: int) -> Correction:
    """What the scores teach of any forecaster beside a model."""

    def shifts(forecaster: Forecaster, keys: Sequence[Key]) -> Floats:
        return feedback.shifts(keys, forecaster_name(forecaster, model_id), matured_ms)

    return Correction(matured_ms, shifts)


def uncorrected(matured_ms: int) -> Correction:
    """Nothing is known of how earlier forecasts came out."""
    return Correction(matured_ms, lambda _, keys: np.zeros((len(keys), len(EVALUATED_DAYS), LEVELS)))


@dataclass(frozen=True)
class MadeBy:
    """One forecaster's quantiles (horizon, levels) of one series, ready to publish.

    Attributes:
        shifts: (evaluated days, levels) that they were moved by.
        problem: why they cannot be used.
        copula: where it is the series' own.
    """

    forecaster: Forecaster
    quantiles: Floats
    shifts: Floats
    problem: str | None = None
    copula: Copula | None = None


class Made(NamedTuple):
    """Whose quantiles serve a series, whose are its shadow, and why the champion's do not serve."""

    served: MadeBy
    shadow: MadeBy | None = None
    reason: str | None = None


def made_of(
    window: DemandWindow,
    keys: Sequence[Key],
    roles: Sequence[Role],
    rules: Mapping[Forecaster, Rule],
    correction: Correction,
    suspended: Suspended,
) -> list[Made]:
    """Every series' champion with its fallback as shadow; the other way round where it is suspended.

    A champion that answers nonsense for a series leaves it to the fallback, without a shadow.
    """
    needed: dict[Forecaster, list[int]] = {}
    for row, role in enumerate(roles):
        for name in (role.champion, role.fallback):
            if name is not None:
                needed.setdefault(name, []).append(row)
    made = {
        name: _made_by(name, rules[name], window, keys, rows, correction) for name, rows in needed.items()
    }
    return [_served_and_shadow(made, row, role, suspended) for row, role in enumerate(roles)]


def _made_by(
    name: Forecaster,
    rule: Rule,
    window: DemandWindow,
    keys: Sequence[Key],
    rows: list[int],
    correction: Correction,
) -> dict[int, MadeBy]:
    """What one forecaster says of some rows; nothing where its quantiles have a problem."""
    some = [keys[row] for row in rows]
    raw = rule(window if len(rows) == len(keys) else window.rows(rows), some)
    problems = [quantile_problem(each) for each in raw]
    usable = np.array([problem is None for problem in problems])[:, None, None]
    shifts = correction.shifts(name, some)
    by_day = shifts_by_day(shifts, EVALUATED_DAYS, raw.shape[1])
    quantiles = publishable(recalibrated(np.where(usable, raw, 0.0), by_day))
    return {row: MadeBy(name, quantiles[i], shifts[i], problems[i]) for i, row in enumerate(rows)}


def _served_and_shadow(
    by: Mapping[Forecaster, Mapping[int, MadeBy]], row: int, role: Role, suspended: Suspended
) -> Made:
    champion = by[role.champion][row]
    if role.fallback is None:
        return Made(champion)
    fallback, reason = by[role.fallback][row], suspended.get((role.champion, role.fallback))
    if champion.problem is not None:
        return Made(fallback, reason=champion.problem)
    return Made(champion, fallback) if reason is None else Made(fallback, champion, reason)


def cold_start_made(new: NewItem) -> MadeBy:
    """The forecast of a new item; nothing moves it."""
    shifts = np.zeros((len(EVALUATED_DAYS), LEVELS))
    return MadeBy(COLD_START, publishable(new.quantiles), shifts, copula=new.copula)


def publishable(units: Floats) -> Floats:
    """Rounded to what is worth sending, and within what a message can carry."""
    return np.minimum(np.round(units, _DECIMALS), float(MAX_UNITS))
