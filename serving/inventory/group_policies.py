"""Which policy a planning group follows at an instant."""

from infra.contracts.inventory import Policy
from serving.inventory.as_of import Versions


class GroupPolicies:
    """Policies by group and id; the newest one of a group holds whole, whatever the order of arrival.

    Of two with the same event time it is the one with the later id. A policy without a budget lifts it.
    """

    def __init__(self) -> None:
        self._of_group: dict[str, Versions[str, Policy]] = {}

    def put(self, policy: Policy, offset: int) -> None:
        """Takes a record; repeating one changes nothing."""
        versions = self._of_group.setdefault(policy.planning_group, Versions())
        versions.put(policy.policy_id, policy.event_time_ms, offset, policy)

    def get(self, planning_group: str, as_of_ms: int) -> Policy | None:
        """The policy that holds, None before the first."""
        versions = self._of_group.get(planning_group, Versions())
        known = (versions.get(policy_id, as_of_ms) for policy_id in versions)
        return max((each for each in known if each is not None), key=_age, default=None)


def _age(policy: Policy) -> tuple[int, str]:
    return policy.event_time_ms, policy.policy_id
