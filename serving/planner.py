"""The Planner deployment."""

from ray import serve

from infra.contracts.topics import CHECKED_BY_SERVING
from infra.settings import Settings
from serving.dead_letters import DeadLetters
from serving.partition_log import LogFollower, owned_partitions
from serving.planner_stage import PlannerStage, planner_partitions
from serving.ray_meters import RayMeters
from serving.replica import REPLICA_OPTIONS, FollowingReplica


@serve.deployment(**REPLICA_OPTIONS)
class Planner(FollowingReplica):
    """Ledger, positions and proposals of the partitions that the replica's rank owns."""

    def __init__(self, settings: Settings) -> None:
        count, meters = settings.partitions, RayMeters()
        owned = owned_partitions(serve.get_replica_context().rank.rank, settings.planner_replicas, count)
        bound_ms = settings.out_of_orderness_seconds * 1000
        super().__init__(
            LogFollower(
                "planner",
                settings.bootstrap_servers,
                planner_partitions(owned, count),
                PlannerStage(owned, count, bound_ms, settings.input_deadline_seconds, meters),
                meters,
                DeadLetters(frozenset(CHECKED_BY_SERVING), owned, count),
            )
        )
