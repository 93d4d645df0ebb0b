"""The demand features, each declared once; Flink and Spark compile their queries from these declarations.

A feature's SQL is an ANSI aggregate over the facts of one SKU and location in one window. Facts are customer
events and stock changes, each once, with these columns:

    event_type      view, search, add_to_cart, remove_from_cart, purchase, return; `stock` for a stock change
    event_time_ms   milliseconds since 1970 UTC
    session_id      null where unknown
    quantity        base units, DECIMAL(13, 6); null for `stock`
    unit_price      paid for one base unit in the shop's currency, DECIMAL(16, 4); null where not given
    list_price      of one base unit before any reduction, DECIMAL(16, 4); null where not given
    promotion_id    the promotion the customer was shown or bought under; null without one
    bulk_threshold  of the catalogue at the event's time, DOUBLE; null where unknown
    in_stock        1 or 0: the state at a customer event, or just before a stock change; null where unknown
    stock_change    -1, 0 or 1 for `stock`, null where the state before is unknown; 0 for customer events
    carry           event_time_ms * 2 + in_stock on the first stock change of a millisecond, else null
    window_start_ms, window_end_ms   bounds of the window, inclusive and exclusive

Sums are over decimals and integers, so that they do not depend on the order of events.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """A demand feature: what it means, its unit, when it is null, and the ANSI SQL that computes it."""

    name: str
    meaning: str
    unit: str
    null_rule: str
    sql: str


def _count(event_type: str) -> str:
    return f"COUNT(CASE WHEN event_type = '{event_type}' THEN 1 END)"


def _sum(condition: str, value: str) -> str:
    return f"COALESCE(SUM(CASE WHEN {condition} THEN {value} END), 0)"


_NEVER = "never null: 0 without events"
_UNITS = "event_type = 'purchase'"
_REVENUE = f"SUM(CASE WHEN {_UNITS} THEN quantity * unit_price END)"
_SUM_UNITS = f"SUM(CASE WHEN {_UNITS} THEN quantity END)"
_LISTED_REVENUE = f"SUM(CASE WHEN {_UNITS} AND list_price IS NOT NULL THEN quantity * unit_price END)"
_REVENUE_AT_LIST = f"SUM(CASE WHEN {_UNITS} THEN quantity * list_price END)"
_UNKNOWN_STOCK = "COUNT(CASE WHEN event_type = 'stock' AND in_stock IS NULL THEN 1 END)"
_IN_STOCK_MS = (
    "MOD(MIN(carry), 2) * (window_end_ms - window_start_ms)"
    " + window_end_ms * SUM(stock_change) - SUM(stock_change * event_time_ms)"
)

FEATURES = (
    Feature("views", "product page shown", "events", _NEVER, _count("view")),
    Feature("searches", "shown in a list of search results", "events", _NEVER, _count("search")),
    Feature("add_to_carts", "put into a cart", "events", _NEVER, _count("add_to_cart")),
    Feature("removals", "taken out of a cart", "events", _NEVER, _count("remove_from_cart")),
    Feature("purchases", "purchase lines", "lines", _NEVER, _count("purchase")),
    Feature("units", "quantity of purchase lines", "base units", _NEVER, _sum(_UNITS, "quantity")),
    Feature(
        "bulk_units",
        "quantity of purchase lines above the catalogue's bulk threshold",
        "base units",
        "never null: a line without a known threshold is not bulk",
        _sum(f"{_UNITS} AND quantity > bulk_threshold", "quantity"),
    ),
    Feature(
        "returned_units",
        "quantity that customers returned; never negative demand",
        "base units",
        _NEVER,
        _sum("event_type = 'return'", "quantity"),
    ),
    Feature(
        "sessions",
        "distinct sessions over all customer events",
        "sessions",
        "never null: events without a session do not count",
        "COUNT(DISTINCT session_id)",
    ),
    Feature(
        "revenue",
        "quantity times unit price of purchase lines, gross of returns",
        "the shop's currency",
        _NEVER,
        f"COALESCE({_REVENUE}, 0)",
    ),
    Feature(
        "mean_paid_price",
        "revenue per purchased unit",
        "the shop's currency per base unit",
        "null without purchases",
        f"CAST({_REVENUE} AS DOUBLE) / NULLIF(CAST({_SUM_UNITS} AS DOUBLE), 0)",
    ),
    Feature(
        "relative_price",
        "revenue over its value at list prices, of purchase lines that have a list price",
        "ratio",
        "null without purchase lines with a list price above 0",
        f"CAST({_LISTED_REVENUE} AS DOUBLE) / NULLIF(CAST({_REVENUE_AT_LIST} AS DOUBLE), 0)",
    ),
    Feature(
        "promotion_on",
        "whether a customer was shown or bought it under a promotion",
        "1 or 0",
        "null without customer events other than returns",
        "MAX(CASE WHEN event_type NOT IN ('stock', 'return')"
        " THEN CASE WHEN promotion_id IS NULL THEN 0 ELSE 1 END END)",
    ),
    Feature(
        "conversion",
        "purchase lines per view",
        "lines per event",
        "null without views",
        f"CAST({_count('purchase')} AS DOUBLE) / NULLIF({_count('view')}, 0)",
    ),
    Feature(
        "in_stock_share",
        "share of the window with stock on hand, from stock changes, carried across windows",
        "share, 0 to 1",
        "null before the key's first stock level, and without a stock level in the window",
        f"CASE WHEN {_UNKNOWN_STOCK} = 0"
        f" THEN CAST({_IN_STOCK_MS} AS DOUBLE) / (window_end_ms - window_start_ms) END",
    ),
    Feature(
        "views_out_of_stock",
        "views while nothing was on hand: demand that could not buy",
        "events",
        "null where the stock at one of the views is unknown",
        "CASE WHEN COUNT(CASE WHEN event_type = 'view' AND in_stock IS NULL THEN 1 END) = 0"
        " THEN COUNT(CASE WHEN event_type = 'view' AND in_stock = 0 THEN 1 END) END",
    ),
    Feature(
        "units_out_of_stock",
        "quantity of purchase lines while nothing was on hand: sold ahead of a receipt, or stock miscounted",
        "base units",
        "null where the stock at one of the purchases is unknown",
        f"CASE WHEN COUNT(CASE WHEN {_UNITS} AND in_stock IS NULL THEN 1 END) = 0"
        f" THEN {_sum(f'{_UNITS} AND in_stock = 0', 'quantity')} END",
    ),
)
"""Every feature, in the order of `DemandFeatures.values`."""

FEATURE_NAMES = tuple(feature.name for feature in FEATURES)
