"""Which component reads and writes which topics: what a broker with access control grants, and no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from infra.contracts.topics import (
    ACCURACY,
    ALLOCATION_RUNS,
    ARCHIVED,
    CHECKED_BY_FEATURES,
    CHECKED_BY_SERVING,
    DECISION_ACTIONS,
    DECISIONS,
    FEATURES,
    FORECASTS,
    INTRADAY_FORECASTS,
    ITEMS,
    OVERRIDES,
    POLICIES,
    POSITIONS,
    PROPOSALS,
    RETRAIN_REQUESTS,
    STOCK_LEVELS,
    turned_away,
)


@dataclass(frozen=True)
class Access:
    """Topics a component reads and writes, and prefixes of its consumer groups and transactional ids."""

    read_from: tuple[str, ...] = ()
    write_to: tuple[str, ...] = ()
    group_prefixes: tuple[str, ...] = ()
    transaction_prefixes: tuple[str, ...] = ()


def _turned_away(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(topic for name in names for topic in turned_away(name))


_SERVING_WRITES = (
    ACCURACY,
    ALLOCATION_RUNS,
    DECISIONS,
    FORECASTS,
    INTRADAY_FORECASTS,
    POSITIONS,
    PROPOSALS,
    RETRAIN_REQUESTS,
    *_turned_away(CHECKED_BY_SERVING),
)

ACCESS: Mapping[str, Access] = MappingProxyType(
    {
        "features": Access(
            read_from=ARCHIVED,
            write_to=(FEATURES, *_turned_away(CHECKED_BY_FEATURES)),
            group_prefixes=("stockstream-features",),
            transaction_prefixes=("stockstream-features",),
        ),
        "serving": Access(
            read_from=(FEATURES, ITEMS, STOCK_LEVELS, *CHECKED_BY_SERVING, *_SERVING_WRITES),
            write_to=(*_SERVING_WRITES, OVERRIDES, DECISION_ACTIONS, POLICIES),
        ),
        "batch": Access(read_from=(RETRAIN_REQUESTS,)),
        "heartbeat": Access(write_to=ARCHIVED),
    }
)
"""By component. None has groups but the features job: the others keep their own positions."""
