"""Quantiles that are ready to publish: whose they are, what moved them, and which serve."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from batch.forecaster.windows import Floats
from infra.contracts.demand import EVALUATED_DAYS, QUANTILE_LEVELS, Copula, Forecaster
from serving.calibration.recalibration import recalibrated, shifts_by_day
from serving.inventory.order_rules import MAX_UNITS
from serving.new_items import NewItem

COLD_START: Final[Forecaster] = "cold_start"

_DECIMALS = 4


@dataclass(frozen=True)
class MadeBy:
    """Quantiles (series, horizon, levels) ready to publish, of one forecaster, and what moved them."""

    forecaster: Forecaster
    quantiles: Floats
    shifts: Floats
    copula: Copula | None = None


class Made(NamedTuple):
    """Whose quantiles serve a series, whose are its shadow, and why the model's do not serve."""

    served: MadeBy
    shadow: MadeBy | None
    reason: str | None


def served_and_shadow(model: MadeBy, fallback: MadeBy, problem: str | None, suspended: str | None) -> Made:
    """The model's quantiles where they are sound and may serve, else the fallback's."""
    if problem is not None:
        return Made(fallback, None, problem)
    if suspended is not None:
        return Made(fallback, model, suspended)
    return Made(model, fallback, None)


def cold_start_made(new: NewItem, series: int) -> MadeBy:
    """The forecast of one row in the shape that forecasts of `series` rows have; nothing moves it."""
    quantiles = np.broadcast_to(publishable(new.quantiles), (series, *new.quantiles.shape))
    shifts = np.zeros((series, len(EVALUATED_DAYS), len(QUANTILE_LEVELS)))
    return MadeBy(COLD_START, quantiles, shifts, new.copula)


def corrected(forecaster: Forecaster, quantiles: Floats, shifts: Floats) -> MadeBy:
    """A forecaster's quantiles moved by shifts (series, evaluated days, levels)."""
    by_day = shifts_by_day(shifts, EVALUATED_DAYS, quantiles.shape[1])
    return MadeBy(forecaster, publishable(recalibrated(quantiles, by_day)), shifts)


def publishable(units: Floats) -> Floats:
    """Rounded to what is worth sending, and within what a message can carry."""
    return np.minimum(np.round(units, _DECIMALS), float(MAX_UNITS))
