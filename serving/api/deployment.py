"""The API deployment: the board follows the topics, the HTTP application answers from it."""

import logging
from collections.abc import Sequence

from fastapi import FastAPI
from kafka.errors import KafkaError
from ray import serve
from ray.serve.schema import ApplicationStatus

from infra.errors import StockstreamError
from infra.kafka import Producer, topic_partitions
from infra.settings import Settings
from serving.api.access import Holders
from serving.api.alerts import Monitoring
from serving.api.application import build_api
from serving.board.board import TOPICS_READ, Board
from serving.explain import explained
from serving.partition_log import LogFollower, Outgoing
from serving.ray_meters import RayMeters
from serving.replica import REPLICA_OPTIONS, SILENT_SECONDS, FollowingReplica

MAX_ONGOING_REQUESTS = 200
"""At once, open streams included; more wait in the proxy."""

ACKNOWLEDGED_WITHIN_SECONDS = 10.0

log = logging.getLogger(__name__)


@serve.deployment(num_replicas=1, max_ongoing_requests=MAX_ONGOING_REQUESTS, **REPLICA_OPTIONS)
@serve.ingress()
class Api(FollowingReplica):
    """Answers from the topics, which it follows itself."""

    def __init__(self, settings: Settings, *reported_on: object) -> None:
        self._settings, self._board = settings, Board()
        self._holders = Holders(settings.tokens_file)
        if not settings.tokens_file.exists():
            log.warning("no tokens file %s: the API refuses everybody", settings.tokens_file)
        self._producer = Producer(settings.bootstrap_servers)
        assigned = topic_partitions(TOPICS_READ, range(settings.partitions))
        super().__init__(LogFollower("api", settings.bootstrap_servers, assigned, self._board, RayMeters()))

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Called by Serve, once the board is caught up."""
        settings = self._settings
        monitoring = Monitoring(settings.prometheus_url, settings.prometheus_link, settings.grafana_link)
        return build_api(
            self._board,
            self._holders,
            self._not_ready,
            self._publish,
            monitoring,
            lambda key, days: explained(settings, key, None, days),
        )

    def _publish(self, said: Sequence[Outgoing]) -> None:
        try:
            for each in said:
                self._producer.send(each.topic, each.key, each.message)
            self._producer.flush(ACKNOWLEDGED_WITHIN_SECONDS)
        except KafkaError as error:
            raise StockstreamError(f"Kafka has not acknowledged: {type(error).__name__}") from error

    def _not_ready(self) -> list[str]:
        reasons = []
        for name, application in serve.status().applications.items():
            if application.status != ApplicationStatus.RUNNING:
                reasons.append(f"application {name} is {application.status.value}")
            for deployment, state in application.deployments.items():
                if state.status.value != "HEALTHY":
                    reasons.append(f"{deployment} is {state.status.value}: {state.message}")
        if self._board.conflicts:
            reasons.append(f"{self._board.conflicts} decisions came twice with different content")
        try:
            self._follower.check(SILENT_SECONDS)
        except StockstreamError as error:
            reasons.append(str(error))
        return reasons
