"""What a planner of the small shop says."""

from typing import Any

from infra.contracts.inventory import ReorderDecision
from infra.contracts.planning import DecisionAction, Override
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


def action(kind: Any, decision: ReorderDecision, event_time_ms: int = EPOCH + 3_600_000) -> DecisionAction:
    return DecisionAction(
        event_type=kind,
        decision_id=decision.decision_id,
        event_time_ms=event_time_ms,
        author="ada",
        reason="supplier strike",
    )
