from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from infra.contracts.topics import TOPICS
from infra.local.broker import Broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A real broker with every contract topic, four partitions each, for the whole session."""
    run_dir: Path = tmp_path_factory.mktemp("broker")
    with Broker(run_dir) as started:
        started.create_topics(partitions=4)
        yield started


@pytest.fixture(scope="session")
def compact_at_once() -> Mapping[str, Mapping[str, str]]:
    """Settings for `Broker.create_topics` with which compacted topics are compacted within seconds.

    The segment that is written to is never compacted: only a later record closes it, 0.1 s after it began.
    """
    impatient = {
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.0",
        "max.compaction.lag.ms": "100",
        "delete.retention.ms": "0",
    }
    return {topic.name: impatient for topic in TOPICS.values() if topic.cleanup == "compact"}
