"""Planners' overrides: which apply to an item at an epoch, and what they change about its decision.

The most specific scope wins, then the newest record. A quantity has one winner; of two factors the winner
counts on the days that both cover.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from infra.contracts.inventory import DecisionInputs
from infra.contracts.planning import AppliedOverride, Override
from infra.contracts.shop import Item
from serving.inventory.as_of import Versions
from serving.inventory.local_days import midnight_after
from serving.inventory.order_rules import Steps


class Overrides:
    """Every override by scope, queryable as of an epoch."""

    def __init__(self) -> None:
        self._by_scope: dict[str, Versions[str, Override]] = {}

    def put(self, override: Override, offset: int) -> None:
        """Takes a record; repeating one changes nothing."""
        versions = self._by_scope.setdefault(override.scope, Versions())
        versions.put(override.override_id, override.event_time_ms, offset, override)

    def applying(self, item: Item, epoch_ms: int) -> list[AppliedOverride]:
        """The overrides that a decision of the item uses at the epoch, the strongest first."""
        used: list[AppliedOverride] = []
        for scope in scopes_of(item) if self._by_scope else []:
            for candidate in self._active(scope, epoch_ms):
                if candidate.to_ms > epoch_ms and not any(_outdoes(each, candidate) for each in used):
                    used.append(candidate)
        return used

    def _active(self, scope: str, epoch_ms: int) -> list[AppliedOverride]:
        if (versions := self._by_scope.get(scope)) is None:
            return []
        known = [versions.get(override_id, epoch_ms) for override_id in versions]
        active = [each for each in known if each is not None and each.expires_ms > epoch_ms]
        newest_first = sorted(active, key=lambda each: (-each.event_time_ms, each.override_id))
        return [_applied(each) for each in newest_first]


def scopes_of(item: Item) -> list[str]:
    """The scopes that an item is in, the most specific first: SKU, location, then its categories."""
    levels = item.category.split(":")
    categories = [":".join(levels[:depth]) for depth in range(len(levels), 0, -1)]
    return [
        f"sku:{item.sku}|{item.location}",
        f"sku:{item.sku}",
        f"location:{item.location}",
        *(f"category:{category}" for category in categories),
    ]


def _applied(override: Override) -> AppliedOverride:
    return AppliedOverride(
        override_id=override.override_id,
        scope=override.scope,
        target=override.target,
        value=override.value,
        from_ms=override.event_time_ms if override.from_ms is None else override.from_ms,
        to_ms=override.expires_ms if override.to_ms is None else override.to_ms,
        author=override.author,
        reason=override.reason,
    )


def _outdoes(stronger: AppliedOverride, weaker: AppliedOverride) -> bool:
    if stronger.target != weaker.target:
        return False
    covered = stronger.from_ms <= weaker.from_ms and weaker.to_ms <= stronger.to_ms
    return covered or stronger.target == "order_quantity"


def demand_factors(inputs: DecisionInputs, epoch_ms: int, horizon: int) -> NDArray[np.float64]:
    """What each day's demand is multiplied by; 1 where no override says otherwise.

    A factor counts for every local day that its dates touch.
    """
    factors = np.ones(horizon)
    overrides = [each for each in inputs.overrides if each.target == "forecast_factor"]
    if overrides:
        starts = np.array([midnight_after(epoch_ms, day, inputs.time_zone) for day in range(horizon + 1)])
        for each in reversed(overrides):
            factors[(each.from_ms < starts[1:]) & (starts[:-1] < each.to_ms)] = each.value
    return factors


def override_steps(steps: Steps, overrides: Sequence[AppliedOverride], by_factors: int) -> None:
    """From what the forecast wants to what the planners want, each step on record.

    Args:
        steps: at the quantity that the published forecast wants.
        overrides: what applies, the strongest first.
        by_factors: what the forecast wants once its days are scaled.
    """
    factors = [each for each in overrides if each.target == "forecast_factor"]
    if factors:
        detail = "; ".join(f"demand × {each.value:g}, {_signature(each)}" for each in factors)
        steps.remark("OVERRIDE_FORECAST", by_factors, detail)
    for each in overrides:
        if each.target == "order_quantity":
            steps.remark("OVERRIDE_QUANTITY", int(each.value), _signature(each))


def _signature(override: AppliedOverride) -> str:
    return f"{override.author}: {override.reason}"
