"""The features in plain pandas, written from their meaning and not from their SQL.

Quantities are counted in millionths and prices in ten-thousandths, as integers, so that sums are exact.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from infra.contracts.topics import CLICKSTREAM, ITEMS, STOCK_LEVELS
from tests.parity.event_log import Sent

KEY = ["sku", "location"]
WINDOW = [*KEY, "window_start_ms", "window_end_ms"]
WHOLE_NUMBERS = ["views", "searches", "add_to_carts", "removals", "purchases", "sessions"]
WHOLE_NUMBERS += ["promotion_on", "views_out_of_stock"]
_NOTHING_WITHOUT_CLICKS = [*WHOLE_NUMBERS[:6], "units", "bulk_units", "returned_units", "revenue"]
_NOTHING_WITHOUT_CLICKS += ["views_out_of_stock", "units_out_of_stock"]
_MILLIONTHS, _PRICE_PARTS = 1_000_000, 10_000


def final_rows(log: Sequence[Sent], zone: str) -> pd.DataFrame:
    """The final rows of a log of events that are readable and not late, in order of arrival.

    Returns:
        One row per SKU, location and local day with a click or a stock level, indexed by WINDOW; the columns
        of WHOLE_NUMBERS as Int64, the others as float64; what is unknown is missing.
    """
    clicks, stock, items = (_events(log, topic, zone) for topic in (CLICKSTREAM, STOCK_LEVELS, ITEMS))
    stock["in_stock"] = (stock["on_hand"] > 0).astype("float64")
    clicks = _as_integers(_as_of(_as_of(clicks, stock, "in_stock"), items, "bulk_threshold"))
    parts = [_counts(clicks), _quantities(clicks), _prices(clicks), _unavailable(clicks)]
    rows = pd.concat([*parts, _in_stock_share(stock)], axis=1)
    without_clicks = ~rows.index.isin(parts[0].index)
    rows.loc[without_clicks, _NOTHING_WITHOUT_CLICKS] = 0
    types = {name: "Int64" if name in WHOLE_NUMBERS else "float64" for name in rows}
    return rows.astype(types).sort_index()


def _events(log: Sequence[Sent], topic: str, zone: str) -> pd.DataFrame:
    """The events of a topic, each once, in order of time and then of arrival, with their local day."""
    messages = pd.DataFrame([message for sent_to, message in log if sent_to == topic])
    once = messages.drop_duplicates("event_id").sort_values("event_time_ms", kind="stable", ignore_index=True)
    local = pd.to_datetime(once["event_time_ms"], unit="ms", utc=True).dt.tz_convert(zone)
    day = local.dt.normalize()
    bounds = {"window_start_ms": day, "window_end_ms": day + pd.DateOffset(days=1)}
    return once.assign(**{name: bound.astype("int64") // 1_000_000 for name, bound in bounds.items()})


def _as_of(clicks: pd.DataFrame, versions: pd.DataFrame, column: str) -> pd.DataFrame:
    """The clicks with the value at their time; missing before the first."""
    known = versions[[*KEY, "event_time_ms", column]].astype({column: "float64"})
    return pd.merge_asof(clicks, known, on="event_time_ms", by=KEY)


def _as_integers(clicks: pd.DataFrame) -> pd.DataFrame:
    """The clicks with what was paid, and what that would have been at list prices."""
    quantity = (clicks["quantity"].astype("float64").fillna(0) * _MILLIONTHS).round().astype("int64")
    paid, listed = (_amounts(clicks[name]) for name in ("unit_price", "list_price"))
    has_list = clicks["list_price"].notna()
    return clicks.assign(
        millionths=quantity,
        bought=clicks["event_type"] == "purchase",
        viewed=clicks["event_type"] == "view",
        paid=quantity * paid,
        paid_where_listed=quantity * paid * has_list,
        at_list_price=quantity * listed * has_list,
    )


def _amounts(prices: "pd.Series[Any]") -> "pd.Series[int]":
    parts = [
        round(float(price["amount"]) * _PRICE_PARTS) if isinstance(price, dict) else 0 for price in prices
    ]
    return pd.Series(parts, index=prices.index, dtype="int64")


def _sums(clicks: pd.DataFrame, columns: dict[str, "pd.Series[Any]"]) -> pd.DataFrame:
    return (
        clicks[WINDOW]
        .assign(**{name: each.astype("int64") for name, each in columns.items()})
        .groupby(WINDOW)
        .sum()
    )


def _counts(clicks: pd.DataFrame) -> pd.DataFrame:
    kinds = {"views": "view", "searches": "search", "add_to_carts": "add_to_cart"}
    kinds |= {"removals": "remove_from_cart", "purchases": "purchase"}
    counts = _sums(clicks, {name: clicks["event_type"] == kind for name, kind in kinds.items()})
    shown = clicks[clicks["event_type"] != "return"]
    return counts.assign(
        sessions=clicks.groupby(WINDOW)["session_id"].nunique(),
        promotion_on=_sums(shown, {"on": shown["promotion_id"].notna()})["on"].clip(upper=1),
        conversion=counts["purchases"] / counts["views"].replace(0, np.nan),
    )


def _quantities(clicks: pd.DataFrame) -> pd.DataFrame:
    bulk = clicks["millionths"] > clicks["bulk_threshold"] * _MILLIONTHS
    counted = {
        "units": clicks["bought"],
        "bulk_units": clicks["bought"] & bulk,
        "returned_units": clicks["event_type"] == "return",
    }
    return (
        _sums(clicks, {name: clicks["millionths"] * which for name, which in counted.items()}) / _MILLIONTHS
    )


def _prices(clicks: pd.DataFrame) -> pd.DataFrame:
    lines = ("millionths", "paid", "paid_where_listed", "at_list_price")
    sums = _sums(clicks, {name: clicks[name] * clicks["bought"] for name in lines})
    prices = {
        "revenue": sums["paid"] / (_MILLIONTHS * _PRICE_PARTS),
        "mean_paid_price": sums["paid"] / sums["millionths"].replace(0, np.nan) / _PRICE_PARTS,
        "relative_price": sums["paid_where_listed"] / sums["at_list_price"].replace(0, np.nan),
    }
    return pd.DataFrame(prices)


def _unavailable(clicks: pd.DataFrame) -> pd.DataFrame:
    """Views and units while out of stock; missing where one of them may or may not have been."""
    empty, unknown = clicks["in_stock"] == 0, clicks["in_stock"].isna()
    views = _sums(clicks, {"sure": clicks["viewed"] & empty, "unsure": clicks["viewed"] & unknown})
    sold = clicks["bought"] * clicks["millionths"]
    units = _sums(clicks, {"sure": sold * empty, "unsure": sold * unknown})
    found = {
        "views_out_of_stock": views["sure"].where(views["unsure"] == 0),
        "units_out_of_stock": units["sure"].where(units["unsure"] == 0) / _MILLIONTHS,
    }
    return pd.DataFrame(found)


def _in_stock_share(stock: pd.DataFrame) -> pd.DataFrame:
    """A level lasts until the next or the day's end; before a day's first level the one before it lasts."""
    of_day, of_key = stock.groupby(WINDOW), stock.groupby(KEY)
    until = of_day["event_time_ms"].shift(-1).fillna(stock["window_end_ms"])
    after = (until - stock["event_time_ms"]) * stock["in_stock"]
    waiting = stock["event_time_ms"] - stock["window_start_ms"]
    before = (waiting * of_key["in_stock"].shift(1)).where(waiting > 0, 0).where(of_day.cumcount() == 0, 0)
    parts = stock[WINDOW].assign(ms=after + before, unknown=before.isna()).groupby(WINDOW).sum()
    length = parts.index.get_level_values("window_end_ms") - parts.index.get_level_values("window_start_ms")
    return (parts["ms"].where(parts["unknown"] == 0) / length).to_frame("in_stock_share")
