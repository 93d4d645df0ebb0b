"""The Evaluator deployment."""

from ray import serve

from infra.settings import Settings
from serving.partition_log import LogFollower, owned_partitions
from serving.ray_meters import RayMeters
from serving.replica import REPLICA_OPTIONS, FollowingReplica


@serve.deployment(num_replicas=1, **REPLICA_OPTIONS)
class Evaluator(FollowingReplica):
    """Accuracy of the matured forecasts of the partitions that the replica's rank owns."""

    def __init__(self, settings: Settings) -> None:
        # Imported here: pandas takes seconds and memory that the other processes do without.
        from serving.evaluator_stage import EvaluatorStage, evaluator_partitions

        meters = RayMeters()
        owned = owned_partitions(serve.get_replica_context().rank.rank, 1, settings.partitions)
        assigned = evaluator_partitions(owned, settings.partitions)
        stage = EvaluatorStage(meters)
        super().__init__(LogFollower("evaluator", settings.bootstrap_servers, assigned, stage, meters))
