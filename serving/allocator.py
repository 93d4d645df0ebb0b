"""The Allocator deployment: one replica, because it alone writes decisions."""

from ray import serve

from infra.settings import Settings
from serving.allocator_stage import AllocatorStage, allocator_partitions
from serving.inventory.allocation import solver_options
from serving.partition_log import LogFollower
from serving.ray_meters import RayMeters
from serving.replica import REPLICA_OPTIONS, FollowingReplica


@serve.deployment(num_replicas=1, **REPLICA_OPTIONS)
class Allocator(FollowingReplica):
    """Allocation runs and reorder decisions of every planning group."""

    def __init__(self, settings: Settings) -> None:
        meters = RayMeters()
        stage = AllocatorStage(
            settings.partitions,
            settings.out_of_orderness_seconds * 1000,
            settings.allocation_deadline_seconds,
            solver_options(settings.solver_time_limit_seconds),
            meters,
        )
        assigned = allocator_partitions(settings.partitions)
        super().__init__(LogFollower("allocator", settings.bootstrap_servers, assigned, stage, meters))
