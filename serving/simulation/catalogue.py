"""Simulated catalogue, calendar and policy around the real sample, from its history only."""

from decimal import Decimal

import numpy as np
import pandas as pd
import yaml

from infra.contracts.identity import seed
from infra.contracts.inventory import Policy
from infra.contracts.message import Money
from infra.contracts.shop import Item, LocationCalendar
from serving.simulation.sales_log import SAMPLE_DIR, DailyUnits
from serving.simulation.suppliers import assign_suppliers, usual_lead_time

CURRENCY = "GBP"
CYCLE_SERVICE_LEVEL = 0.95
BULK_QUANTILE = 0.99
CASE_PACKS = (1, 6, 12, 24)
COST_SHARES = (0.4, 0.6)
BUDGET_OVER_PEAK = Decimal("1.5")


def build_items(sales: pd.DataFrame, location: str, event_time_ms: int, shop_seed: int) -> dict[str, Item]:
    """One item per SKU of the sales history; supplier, cost, packs and lead time are simulated."""
    suppliers = assign_suppliers(sorted(sales["sku"].unique()), shop_seed)
    return {
        str(sku): _item(str(sku), lines, suppliers[str(sku)], location, event_time_ms, shop_seed)
        for sku, lines in sales.groupby("sku")
    }


def _item(
    sku: str, lines: pd.DataFrame, supplier: str, location: str, event_time_ms: int, shop_seed: int
) -> Item:
    price = Decimal(f"{lines['unit_price'].median():.2f}")
    share = np.random.default_rng(seed(shop_seed, "unit-cost", sku)).uniform(*COST_SHARES)
    pack = case_pack(float(lines["quantity"].median()))
    return Item(
        event_id=f"item-{sku}",
        event_time_ms=event_time_ms,
        sku=sku,
        location=location,
        supplier=supplier,
        planning_group=location,
        unit_cost=money(price * Decimal(f"{share:.3f}")),
        price=money(price),
        min_order_quantity=2 * pack,
        case_pack=pack,
        lead_time_days=usual_lead_time(supplier),
        cycle_service_level=CYCLE_SERVICE_LEVEL,
        bulk_threshold=float(lines["quantity"].quantile(BULK_QUANTILE)),
    )


def case_pack(typical_line: float) -> int:
    """The largest usual pack that is not larger than twice the typical line."""
    return max(pack for pack in CASE_PACKS if pack <= max(2 * typical_line, 1))


def money(amount: Decimal) -> Money:
    """An amount in the shop's currency, rounded to pence."""
    return Money(amount=f"{amount.quantize(Decimal('0.01'))}", currency=CURRENCY)


def build_calendar(location: str, event_time_ms: int) -> LocationCalendar:
    """The real shop's open days, as shipped with the sample."""
    known = yaml.safe_load((SAMPLE_DIR / "calendar.yaml").read_text())
    return LocationCalendar.model_validate(
        {**known, "location": location, "event_id": f"calendar-{location}", "event_time_ms": event_time_ms}
    )


def build_policy(year: DailyUnits, items: dict[str, Item], location: str, event_time_ms: int) -> Policy:
    """A weekly budget of 1.5 times the costliest week of the year before.

    Args:
        year: the last 52 weeks of history.
        items: unit costs.
        location: the planning group.
        event_time_ms: from when the policy holds.
    """
    costs = np.array([float(items[sku].unit_cost.amount) for sku in year.skus])
    peak = (costs @ year.units).reshape(-1, 7).sum(axis=1).max()
    return Policy(
        policy_id=f"budget-{location}",
        event_time_ms=event_time_ms,
        planning_group=location,
        budget=money(Decimal(f"{peak:.2f}") * BUDGET_OVER_PEAK),
        author="simulated-planner",
        reason="1.5 times the costliest week of the year before",
    )
