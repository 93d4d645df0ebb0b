from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.broker import Broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A real broker with every contract topic, four partitions each, for the whole session."""
    run_dir: Path = tmp_path_factory.mktemp("broker")
    with Broker(run_dir) as started:
        started.create_topics(partitions=4)
        yield started
