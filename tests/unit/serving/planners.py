"""What a planner of the small shop says."""

from typing import Any

from infra.contracts.planning import Override
from tests.unit.serving.records import DAY_MS, EPOCH


def override(target: Any, value: float, **changes: Any) -> Override:
    """Of SKU A, made an hour before the epoch, for three weeks."""
    made = EPOCH - 3_600_000
    return Override(
        **{
            "override_id": "override-1",
            "event_time_ms": made,
            "scope": "sku:A",
            "target": target,
            "value": value,
            "expires_ms": made + 21 * DAY_MS,
            "author": "ada",
            "reason": "magazine cover",
            **changes,
        }
    )
