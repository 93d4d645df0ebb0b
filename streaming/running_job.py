"""The submitted Flink job as the verb sees it: has it started, has it ended, why, and how to end it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyflink.common import JobStatus
from pyflink.common.job_client import JobClient
from pyflink.java_gateway import get_gateway

from infra.errors import StockstreamError, WaitExpired
from streaming.sinks import ARCHIVE_IDLE_MS

_POLL_SECONDS = 0.1


class RunningJob:
    """A job in this process's JVM; its savepoints go where its checkpoints are found again."""

    def __init__(self, client: JobClient, savepoints: Path) -> None:
        self._client = client
        self._end = client.get_job_execution_result()
        self._savepoints = savepoints

    def has_ended(self) -> bool:
        return bool(self._end.done())

    def wait_until_running(self, timeout_seconds: float) -> None:
        """Returns when the job runs, or has already ended.

        Raises:
            WaitExpired: neither in time.
        """
        _wait(lambda: self.has_ended() or self._is_running(), timeout_seconds, "start of the features job")

    def _is_running(self) -> bool:
        return bool(self._client.get_job_status().result() == JobStatus.RUNNING)

    def stop(self, timeout_seconds: float) -> None:
        """Ends the job with a savepoint: everything read is written, and the archive is complete.

        What was read in the very last moment lies in the savepoint and is archived after the next start.

        Raises:
            WaitExpired: not in time; the next start goes on from the last checkpoint instead.
        """
        time.sleep(2 * ARCHIVE_IDLE_MS / 1000)
        formats = get_gateway().jvm.org.apache.flink.core.execution.SavepointFormatType
        folder = self._savepoints.resolve().as_uri()
        # PyFlink's own stop_with_savepoint leaves out the format, without which there is no such method
        self._client._j_job_client.stopWithSavepoint(False, folder, formats.NATIVE)
        _wait(self.has_ended, timeout_seconds, "savepoint of the features job")

    def raise_failure(self) -> None:
        """Does nothing if the job ended well.

        Raises:
            StockstreamError: the job failed; names the root cause.
        """
        try:
            self._end.result()
        except Py4JJavaError as error:
            raise StockstreamError(f"features job failed: {root_cause(error.java_exception)}") from None


def root_cause(throwable: Any) -> str:
    """The innermost cause of a Java exception, in one line."""
    cause = throwable.getCause()
    return root_cause(cause) if cause is not None else str(throwable.toString()).splitlines()[0]


def _wait(condition: Callable[[], bool], timeout_seconds: float, what: str) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise WaitExpired(f"{what}: not within {timeout_seconds:g} s")
        time.sleep(_POLL_SECONDS)
