"""Which policy replenishes an item."""

from infra.contracts.inventory import Policy
from infra.contracts.replenishment import Replenishment
from infra.contracts.shop import Item


def replenishment_of(item: Item, policy: Policy | None) -> Replenishment | None:
    """An item's own policy, else what its group's says of its category, of its segment, or of all items."""
    if item.replenishment or policy is None:
        return item.replenishment
    return _of_category(item.category, policy) or _of_segment(item.segment, policy) or policy.replenishment


def _of_category(category: str, policy: Policy) -> Replenishment | None:
    """That of the longest path which the category is or lies below."""
    paths = {each.category: each.replenishment for each in policy.categories or []}
    levels = category.split(":")
    for length in range(len(levels), 0, -1):
        if found := paths.get(":".join(levels[:length])):
            return found
    return None


def _of_segment(segment: str | None, policy: Policy) -> Replenishment | None:
    return {each.segment: each.replenishment for each in policy.segments or []}.get(segment or "")
