"""The Forecaster deployment."""

from ray import serve

from infra.settings import Settings
from serving.partition_log import LogFollower, owned_partitions
from serving.ray_meters import RayMeters
from serving.replica import REPLICA_OPTIONS, FollowingReplica


@serve.deployment(num_replicas=1, **REPLICA_OPTIONS)
class Forecaster(FollowingReplica):
    """Rolling forecasts of the partitions that the replica's rank owns."""

    def __init__(self, settings: Settings) -> None:
        # Imported here: torch and pandas take seconds and memory that the other processes do without.
        import torch

        from serving.demand_context import DemandContext
        from serving.forecast_source import FALLBACK_HISTORY_DAYS
        from serving.forecaster_stage import ForecasterStage, forecaster_partitions
        from serving.intraday import IntradayWatch
        from serving.promoted_model import PromotedModel, load_source

        torch.set_num_threads(1)
        meters = RayMeters()
        owned = owned_partitions(serve.get_replica_context().rank.rank, 1, settings.partitions)
        source, panel = load_source(settings.models_dir, settings.panel_dir, settings.forecast_paths)
        days = max(source.history_days, FALLBACK_HISTORY_DAYS)
        promoted = PromotedModel(settings.models_dir, source, days)
        stage = ForecasterStage(
            DemandContext(days, panel),
            promoted,
            meters,
            settings.score_deadline_seconds,
            settings.out_of_orderness_seconds * 1000,
            IntradayWatch() if settings.revision_watch else None,
        )
        assigned = forecaster_partitions(owned, settings.partitions)
        super().__init__(LogFollower("forecaster", settings.bootstrap_servers, assigned, stage, meters))
