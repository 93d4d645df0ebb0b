"""Which component reads and writes which topics: what a broker with access control grants, and no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from infra.contracts.topics import (
    ACCURACY,
    ALLOCATION_RUNS,
    ARCHIVED,
    CALENDARS,
    CLICKSTREAM,
    DECISION_ACTIONS,
    DECISIONS,
    FEATURES,
    FORECASTS,
    ITEMS,
    OVERRIDES,
    POLICIES,
    POSITIONS,
    PROMOTIONS,
    PROPOSALS,
    PURCHASE_ORDERS,
    RETRAIN_REQUESTS,
    STOCK_LEVELS,
    STOCK_MOVEMENTS,
    TOPICS,
    WITH_LATE_EVENTS,
)


@dataclass(frozen=True)
class Access:
    """Topics a component reads and writes, and prefixes of its consumer groups and transactional ids."""

    read_from: tuple[str, ...] = ()
    write_to: tuple[str, ...] = ()
    group_prefixes: tuple[str, ...] = ()
    transaction_prefixes: tuple[str, ...] = ()


def _dead_letters(*topics: str) -> tuple[str, ...]:
    return tuple(TOPICS[name].dead_letters for name in topics)


_SERVING_CHECKS = (
    CALENDARS,
    DECISION_ACTIONS,
    OVERRIDES,
    POLICIES,
    PROMOTIONS,
    PURCHASE_ORDERS,
    STOCK_MOVEMENTS,
)
_SERVING_WRITES = (
    ACCURACY,
    ALLOCATION_RUNS,
    DECISIONS,
    FORECASTS,
    POSITIONS,
    PROPOSALS,
    RETRAIN_REQUESTS,
    *_dead_letters(*_SERVING_CHECKS),
)

ACCESS: Mapping[str, Access] = MappingProxyType(
    {
        "features": Access(
            read_from=ARCHIVED,
            write_to=(
                FEATURES,
                *_dead_letters(CLICKSTREAM, STOCK_LEVELS, ITEMS),
                *(TOPICS[name].late for name in WITH_LATE_EVENTS),
            ),
            group_prefixes=("stockstream-features",),
            transaction_prefixes=("stockstream-features",),
        ),
        "serving": Access(
            read_from=(FEATURES, ITEMS, STOCK_LEVELS, *_SERVING_CHECKS, *_SERVING_WRITES),
            write_to=_SERVING_WRITES,
        ),
        "batch": Access(read_from=(RETRAIN_REQUESTS,)),
        "heartbeat": Access(write_to=ARCHIVED),
    }
)
"""By component. None has groups but the features job: the others keep their own positions."""
