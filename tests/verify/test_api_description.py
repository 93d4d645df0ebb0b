"""Ten thousand requests generated from the API's own description: none makes the server fail.

Schemathesis draws them, right and wrong ones, signed in as the role that may do everything. What is written
reaches the real stages of the simulated shop.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok

from serving.api.access import Holders
from serving.api.application import build_api
from serving.board.board import Board
from serving.partition_log import Outgoing
from tests.console.conftest import TOKENS, tokens_file
from tests.console.simulated_shelves import shelves
from tests.console.simulated_shop import simulated_shop
from tests.unit.serving.records import LOCATION, feed

CASES = 10_000
SIGNED_IN = {"Authorization": f"Bearer {TOKENS['admin']}"}
KNOWN = {"sku": shelves()[0].sku, "location": LOCATION}
"""What half of the requests ask for; a drawn name is hardly ever one that exists."""
_ENDLESS = "/v1/events"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    shop, board = simulated_shop(), Board()
    feed(board, shop.log.entries)
    assert list(board.due(0.0)) == []

    def publish(said: Sequence[Outgoing]) -> None:
        feed(board, shop.hear(said))
        assert list(board.due(0.0)) == []

    return build_api(board, Holders(tokens_file(tmp_path_factory.mktemp("tokens"))), lambda: [], publish)


def test_no_generated_request_makes_the_server_fail(http: FastAPI) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", http, headers=SIGNED_IN)
    found = (each.ok() for each in schema.get_all_operations() if isinstance(each, Ok))
    operations = [operation for operation in found if operation.path != _ENDLESS]
    answered: Counter[int] = Counter()

    def ask(case: Any, known: bool) -> None:
        if known:
            case.path_parameters |= {name: KNOWN[name] for name in case.path_parameters if name in KNOWN}
        response = case.call(headers=SIGNED_IN, timeout=300)
        answered[response.status_code] += 1
        assert response.status_code < 500, f"{case.as_curl_command()}: {response.text[:500]}"
        if response.status_code >= 400:
            assert response.headers["content-type"] == ["application/problem+json"]

    for operation in operations:
        sized = settings(
            max_examples=-(-2 * CASES // len(operations)),  # some have few cases in all
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        seed(1)(sized(given(operation.as_strategy(), st.booleans())(ask)))()

    assert len(operations) >= 15
    assert sum(answered.values()) >= CASES
    assert answered[200] > CASES / 10
    print(f"{sum(answered.values()):,} requests: {dict(sorted(answered.items()))}")
