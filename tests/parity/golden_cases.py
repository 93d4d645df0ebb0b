"""The golden cases of the features: small event logs with rows computed by hand (`tests/golden/features`).

`at` is local time, with an offset where the clock shows it twice; `delay` is how many seconds later the event
arrives. A day's row names the features that the case is about.
"""

import itertools
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from tests.parity.event_log import (
    ZONE,
    Arrival,
    RowKey,
    Sent,
    Values,
    click,
    in_order,
    item,
    level,
    midnight,
    pounds,
)

FOLDER = Path(__file__).parents[1] / "golden" / "features"


@dataclass(frozen=True)
class GoldenCase:
    """The events of one SKU in order of arrival, and the final rows it must give, no more and no fewer."""

    name: str
    arrivals: list[Arrival]
    rows: dict[RowKey, Values]


def golden_cases(folder: Path = FOLDER) -> list[GoldenCase]:
    """Every case of every file, in order."""
    files = (yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yaml")))
    return [_case(raw) for raw in itertools.chain.from_iterable(files)]


def _case(raw: dict[str, Any]) -> GoldenCase:
    sku = raw["case"]
    arrivals = [_arrival(f"{sku}-{number}", sku, each) for number, each in enumerate(raw["events"])]
    rows = {_row_key(sku, day): values for day, values in raw["days"].items()}
    return GoldenCase(sku, in_order(arrivals), rows)


def _row_key(sku: str, day: date) -> RowKey:
    return sku, midnight(day), midnight(day + timedelta(days=1))


def _arrival(identity: str, sku: str, raw: dict[str, Any]) -> Arrival:
    local: datetime = raw.pop("at")
    exact = local if local.tzinfo else local.replace(tzinfo=ZoneInfo(ZONE))
    time_ms = round(exact.timestamp() * 1000)
    arrives_ms = time_ms + 1000 * raw.pop("delay", 0)
    return arrives_ms, _sent(raw.pop("event_id", identity), time_ms, sku, raw)


def _sent(identity: str, time_ms: int, sku: str, raw: dict[str, Any]) -> Sent:
    if "on_hand" in raw:
        return level(identity, time_ms, sku, raw["on_hand"])
    if "bulk_threshold" in raw:
        return item(identity, time_ms, sku, raw["bulk_threshold"])
    prices = {name: pounds(raw.pop(name)) for name in ("unit_price", "list_price") if name in raw}
    return click(identity, time_ms, sku, raw.pop("event"), **prices, **raw)
