"""Which policy replenishes an item."""

from infra.contracts.inventory import Policy
from infra.contracts.replenishment import Replenishment


def replenishment_of(category: str, policy: Policy) -> Replenishment | None:
    """What a group's policy says of a category: the longest path it is or lies below, else the group's."""
    paths = {each.category: each.replenishment for each in policy.categories or []}
    levels = category.split(":")
    for length in range(len(levels), 0, -1):
        if found := paths.get(":".join(levels[:length])):
            return found
    return policy.replenishment
