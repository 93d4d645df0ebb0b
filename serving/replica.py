"""What every log-following deployment shares: its options, its health and its end."""

from typing import Any

from serving.loopback_port import keep_port_on_loopback
from serving.partition_log import LogFollower

REBUILD_TIMEOUT_SECONDS = 600.0
SILENT_SECONDS = 60.0
REPLICA_OPTIONS: dict[str, Any] = {
    "ray_actor_options": {"num_cpus": 0.1},
    "health_check_period_s": 1.0,
    "health_check_timeout_s": 30.0,
    "graceful_shutdown_timeout_s": 20.0,
}


class FollowingReplica:
    """A Serve replica whose work is done by a log follower's thread.

    The constructor returns once the state is rebuilt, so Serve reports a replica healthy when it has caught
    up, and replaces one whose thread has ended or fallen silent.
    """

    def __init__(self, follower: LogFollower) -> None:
        keep_port_on_loopback()
        self._follower = follower
        self._follower.start(REBUILD_TIMEOUT_SECONDS)

    def check_health(self) -> None:
        """Called by Serve.

        Raises:
            StockstreamError: the thread ended or has not polled lately.
        """
        self._follower.check(SILENT_SECONDS)

    def __del__(self) -> None:
        self._follower.stop()
