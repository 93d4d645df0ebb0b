"""The forecast that needs no model: empirical quantiles of the last 56 known open days."""

import numpy as np

from batch.forecaster.windows import DemandWindow, Floats, empirical_quantiles
from infra.contracts.demand import QUANTILE_LEVELS

FALLBACK_DAYS = 56


def empirical_forecast(window: DemandWindow) -> Floats:
    """Quantiles (series, horizon, levels) in units at `QUANTILE_LEVELS`; the same on every open day."""
    known = window.observed & window.open
    flat = empirical_quantiles(window.units, known, QUANTILE_LEVELS, FALLBACK_DAYS)
    return flat[:, None, :] * window.future_open.astype(np.float64)[:, :, None]
