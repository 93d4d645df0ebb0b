"""Rows of a shop's file as contract messages, and the count of every rule that leaves a row out."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pandas as pd
from pydantic import BaseModel, ValidationError

from batch.import_mapping import Mapping, OrdersMapping, SalesMapping, StockMapping
from batch.source_table import (
    Rejects,
    content_id,
    epoch_ms,
    line_texts,
    local_days,
    parse_numbers,
    parse_times,
)
from infra.contracts.codec import encode
from infra.contracts.message import Heartbeat, Money
from infra.contracts.shop import ClickEvent, PurchaseOrderEvent, StockLevel
from infra.contracts.topics import CLICKSTREAM, PURCHASE_ORDERS, STOCK_LEVELS


@dataclass
class Outcome:
    """What became of a file's rows: archive lines per (dataset, local day), counts, rejects."""

    lines: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    written: Counter[str] = field(default_factory=Counter)
    excluded: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    rejects: Rejects = field(default_factory=Rejects)

    def write(self, dataset: str, day: str, partition: str, row: int, message: BaseModel) -> None:
        value = json.dumps(encode(dataset, message).decode())
        line = f'{{"topic":"import","partition":"{partition}","offset":{row},"late":false,"value":{value}}}'
        self.lines.setdefault((dataset, day), []).append(line)
        self.written[dataset] += 1

    def exclude(self, rule: str, table: pd.DataFrame, excluded: "pd.Series[bool]") -> pd.DataFrame:
        """The rows a rule leaves; counts the others under the rule's name."""
        self.excluded[rule] += int(excluded.sum())
        return table[~excluded]


def convert(mapping: Mapping, table: pd.DataFrame, until: date | None, source: str) -> Outcome:
    """Every row as a message, an exclusion or a reject.

    Args:
        mapping: How to read the table.
        table: The file's rows, indexed by row number from 1.
        until: First local day that is left out; None takes everything.
        source: Hash of the file's content: partition of the archive lines.
    """
    outcome = Outcome()
    table = table.assign(**{_LINE: line_texts(table)})
    if isinstance(mapping, SalesMapping):
        rows = _in_period(mapping, table, mapping.columns.time, until, outcome)
        _write(ClickEvent, CLICKSTREAM, _sales(mapping, rows, outcome), mapping, source, outcome)
        _close_last_day(mapping.time_zone, until, source, outcome)
    elif isinstance(mapping, StockMapping):
        rows = _in_period(mapping, table, mapping.columns.time, until, outcome)
        _write(StockLevel, STOCK_LEVELS, _stock(mapping, rows, outcome), mapping, source, outcome)
    else:
        for kind, event in mapping.events.items():
            happened = table[table[event.time].notna() & (table[event.time].astype(str).str.strip() != "")]
            rows = _in_period(mapping, happened, event.time, until, outcome)
            orders = _orders(mapping, kind, event.quantity, rows, outcome)
            _write(PurchaseOrderEvent, PURCHASE_ORDERS, orders, mapping, f"{source}-{kind}", outcome)
    return outcome


_LINE, _TIME = "\x1fline", "\x1ftime"


def _in_period(
    mapping: Mapping, table: pd.DataFrame, column: str, until: date | None, outcome: Outcome
) -> pd.DataFrame:
    times = parse_times(table, column, mapping.time_zone, mapping.time_format, outcome.rejects)
    table = table.assign(**{_TIME: times})[times.notna()]
    if until is None:
        return table
    return outcome.exclude("after_until", table, table[_TIME] >= _midnight(until, mapping.time_zone))


def _midnight(day: date, zone: str) -> pd.Timestamp:
    return pd.Timestamp(day).tz_localize(zone)


def _common(mapping: Mapping, table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The fields of every shop event, and `time` (UTC)."""
    location: Any = mapping.location or table[str(mapping.columns.location)].astype(str).str.strip()
    return pd.DataFrame(
        {
            "event_id": [content_id(kind, text) for text in table[_LINE]],
            "time": table[_TIME],
            "sku": table[mapping.columns.sku].astype(str).str.strip(),
            "location": location,
        },
        index=table.index,
    )


def _sales(mapping: SalesMapping, table: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    rows = _common(mapping, table, "sale")
    rows["quantity"] = parse_numbers(table, mapping.columns.quantity, outcome.rejects)
    price = parse_numbers(table, mapping.columns.unit_price, outcome.rejects)
    returned = _is_return(mapping, table, rows["quantity"])
    rows["event_type"] = returned.map({True: "return", False: "purchase"})
    if mapping.columns.session_id is not None:
        rows["session_id"] = table[mapping.columns.session_id].astype(str).str.strip()
    rows["quantity"] = rows["quantity"].mask(returned, rows["quantity"].abs())
    rows["unit_price"] = price
    rows = _exclude(mapping, _parsed(rows, outcome), outcome)
    prices = {p: money(p, mapping.currency) for p in rows["unit_price"].unique()}
    amounts = pd.Series([prices[p] for p in rows["unit_price"]], index=rows.index, dtype=object)
    unpriced = amounts.isna()
    accepted = "an amount >= 0 with at most 12 digits before and 4 after the point is expected"
    outcome.rejects.add_where(unpriced, table[mapping.columns.unit_price][rows.index], accepted)
    return rows.assign(unit_price=amounts)[~unpriced]


def _is_return(mapping: SalesMapping, table: pd.DataFrame, quantity: "pd.Series[float]") -> "pd.Series[bool]":
    if mapping.returns is None:
        return pd.Series(False, index=table.index)
    if mapping.returns == "negative_quantity":
        return quantity < 0
    return table[mapping.returns.column].astype(str).str.startswith(mapping.returns.prefix)


def _exclude(mapping: SalesMapping, rows: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    rules = mapping.exclude
    if rules.sku_not_matching is not None:
        rows = outcome.exclude("sku_not_matching", rows, ~rows["sku"].str.fullmatch(rules.sku_not_matching))
    if rules.negative_quantity:
        rows = outcome.exclude("negative_quantity", rows, rows["quantity"] < 0)
    if rules.price_not_positive:
        rows = outcome.exclude("price_not_positive", rows, rows["unit_price"] <= 0)
    return rows


def money(amount: float, currency: str) -> Money | None:
    """An amount as an exact decimal; None where the contract has no room for it."""
    try:
        return Money(amount=format(amount, ".12g"), currency=currency)
    except ValidationError:
        return None


def _stock(mapping: StockMapping, table: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    rows = _common(mapping, table, "stock").assign(event_type="level")
    columns = {name: getattr(mapping.columns, name) for name in ("on_hand", "backordered", "reserved")}
    for name, column in columns.items():
        if column is not None:
            rows[name] = parse_numbers(table.loc[rows.index], column, outcome.rejects)
            rows = _whole_units(_parsed(rows, outcome), name, column, outcome)
    return rows


def _orders(
    mapping: OrdersMapping, kind: str, quantity: str, table: pd.DataFrame, outcome: Outcome
) -> pd.DataFrame:
    rows = _common(mapping, table, kind).assign(event_type=kind)
    rows["order_id"] = table[mapping.columns.order_id].astype(str).str.strip()
    rows["supplier"] = mapping.supplier or table[str(mapping.columns.supplier)].astype(str).str.strip()
    rows["quantity"] = parse_numbers(table, quantity, outcome.rejects)
    return _whole_units(_parsed(rows, outcome), "quantity", quantity, outcome)


def _whole_units(rows: pd.DataFrame, name: str, column: str, outcome: Outcome) -> pd.DataFrame:
    broken = rows[name] % 1 != 0
    outcome.rejects.add_where(broken, rows[name].rename(column), "a whole number of base units is expected")
    return rows[~broken].astype({name: int})


def _parsed(rows: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    return rows[~rows.index.isin(list(outcome.rejects.rows))]


def _write(
    message: type[BaseModel],
    dataset: str,
    rows: pd.DataFrame,
    mapping: Mapping,
    partition: str,
    outcome: Outcome,
) -> None:
    """Writes what keeps the contract, rejects the rest; counts repetitions of an event id."""
    days = local_days(rows["time"], mapping.time_zone)
    times = epoch_ms(rows["time"])
    fields = rows.drop(columns="time").to_dict("records")
    columns = mapping.columns.model_dump()
    seen: set[str] = set()
    for row, day, time_ms, values in zip(rows.index.tolist(), days, times, fields, strict=True):
        try:
            event = message(event_time_ms=time_ms, **{str(name): value for name, value in values.items()})
        except ValidationError as error:
            problem = error.errors(include_url=False, include_context=False)[0]
            name = ".".join(map(str, problem["loc"]))
            outcome.rejects.add(row, columns.get(name) or name, problem["input"], problem["msg"])
            continue
        outcome.write(dataset, day, partition, row, event)
        outcome.duplicates += values["event_id"] in seen
        seen.add(values["event_id"])


def _close_last_day(zone: str, until: date | None, source: str, outcome: Outcome) -> None:
    """Says with a heartbeat that the days before `until`, or up to the last sale, are complete."""
    if not outcome.lines:
        return
    end = until or date.fromisoformat(max(day for _, day in outcome.lines)) + timedelta(days=1)
    end_ms = _midnight(end, zone).value // 1_000_000
    outcome.write(CLICKSTREAM, end.isoformat(), source, 0, Heartbeat(event_time_ms=end_ms))
