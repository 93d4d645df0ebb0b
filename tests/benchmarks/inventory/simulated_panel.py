"""A panel of simulated sales without a stock-out, as the twin reads it."""

from datetime import date

import numpy as np

from batch.forecaster.panel import DemandPanel
from batch.forecaster.sales_panel import SalesPanel
from serving.inventory.cover import Integers


def simulated_panel(units: Integers) -> SalesPanel:
    """Daily units (SKUs, days) of one shop that is always open."""
    always = np.ones(units.shape, dtype=np.bool_)
    series = tuple((f"sku-{row:04d}", "shop") for row in range(len(units)))
    days = DemandPanel(series, date(2024, 1, 1), units.astype(float), always, always, always, "0" * 64)
    return SalesPanel(days, True, None, {})
