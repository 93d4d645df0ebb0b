"""The Planner deployment."""

from ray import serve

from infra.contracts.topics import CHECKED_BY_SERVING
from infra.settings import Settings
from serving.dead_letters import DeadLetters
from serving.inventory.nervousness import Nervousness
from serving.partition_log import LogFollower, owned_partitions
from serving.planner_stage import PlannerStage, planner_partitions
from serving.ray_meters import RayMeters
from serving.replica import REPLICA_OPTIONS, FollowingReplica


def nervousness(settings: Settings) -> Nervousness:
    """How readily decisions are revised between reviews."""
    return Nervousness(
        freeze_ms=round(settings.revision_freeze_hours * 3_600_000),
        least_units=settings.revision_least_units,
        least_share=settings.revision_least_share,
        watch=settings.revision_watch,
    )


@serve.deployment(**REPLICA_OPTIONS)
class Planner(FollowingReplica):
    """Ledger, positions and proposals of the partitions that the replica's rank owns."""

    def __init__(self, settings: Settings) -> None:
        count, meters = settings.partitions, RayMeters()
        owned = owned_partitions(serve.get_replica_context().rank.rank, settings.planner_replicas, count)
        bound_ms = settings.out_of_orderness_seconds * 1000
        deadline, calm = settings.input_deadline_seconds, nervousness(settings)
        super().__init__(
            LogFollower(
                "planner",
                settings.bootstrap_servers,
                planner_partitions(owned, count),
                PlannerStage(owned, count, bound_ms, deadline, meters, calm),
                meters,
                DeadLetters(frozenset(CHECKED_BY_SERVING), owned, count),
            )
        )
