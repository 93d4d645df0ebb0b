from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from infra.contracts.codec import decode, encode
from infra.contracts.inventory import Policy
from infra.contracts.planning import DecisionAction, Override
from infra.contracts.topics import DECISIONS, OVERRIDES, POLICIES
from serving.board.board import Board
from serving.inventory.supersession import acted_decision
from serving.partition_log import Entry, Outgoing
from tests.unit.serving.api.small_api import board_of, client, shop_log, signed_in
from tests.unit.serving.records import DAY_MS, EPOCH, GROUP, MemoryLog

LATER = EPOCH + 14 * DAY_MS
FAIR = {
    "scope": "sku:A",
    "target": "forecast_factor",
    "value": 1.5,
    "expires_ms": LATER,
    "reason": "the fair",
}


class Written:
    """What was published, as a reader of the topics gets it."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.messages: list[Any] = []

    def __call__(self, said: Sequence[Outgoing]) -> None:
        self.keys += [each.key for each in said]
        self.messages += [decode(each.topic, encode(each.topic, each.message)) for each in said]


@pytest.fixture(scope="module")
def log() -> MemoryLog:
    return shop_log()


@pytest.fixture
def board(log: MemoryLog) -> Board:
    return board_of(log.entries)


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
def http(tmp_path: Path, board: Board, written: Written) -> TestClient:
    return client(tmp_path, board, "planner", publish=written)


def key(number: int = 1) -> dict[str, str]:
    return {"Idempotency-Key": f"request-{number}"}


def test_an_override_becomes_one_event_with_the_tokens_holder_as_author(
    http: TestClient, written: Written
) -> None:
    answer = http.post("/v1/overrides", json=FAIR, headers=key())

    assert answer.status_code == 201
    (event,) = written.messages
    assert isinstance(event, Override)
    assert (event.author, event.scope, event.value, event.reason) == (
        "some-planner",
        "sku:A",
        1.5,
        "the fair",
    )
    assert written.keys == [f"sku:A|{event.override_id}".encode()]
    assert answer.json() == {**event.model_dump(mode="json"), "active": True}
    assert http.get("/v1/overrides").json()["items"] == [answer.json()]


def test_in_a_replay_words_hold_from_the_shops_time_on(
    http: TestClient, written: Written, board: Board
) -> None:
    http.post("/v1/overrides", json=FAIR, headers=key())

    assert written.messages[0].event_time_ms == board.progress.event_time_ms


def test_a_repeated_request_is_answered_alike_and_said_once(http: TestClient, written: Written) -> None:
    answers = [http.post("/v1/overrides", json=FAIR, headers=key()) for _ in range(3)]

    assert len({answer.text for answer in answers}) == 1
    assert len(written.messages) == 1


def test_a_key_that_came_with_something_else_is_a_conflict(http: TestClient, written: Written) -> None:
    http.post("/v1/overrides", json=FAIR, headers=key())
    answer = http.post("/v1/overrides", json=FAIR | {"value": 2.0}, headers=key())

    assert answer.status_code == 409
    assert len(written.messages) == 1
    assert http.post("/v1/overrides", json=FAIR | {"value": 2.0}, headers=key(2)).status_code == 201


def test_a_restarted_api_still_knows_what_was_said(
    tmp_path: Path, log: MemoryLog, http: TestClient, written: Written
) -> None:
    first = http.post("/v1/overrides", json=FAIR, headers=key()).json()
    again = board_of([*log.entries, Entry(OVERRIDES, 0, 0, written.messages[0])])
    fresh = Written()

    answer = client(tmp_path, again, "planner", publish=fresh).post("/v1/overrides", json=FAIR, headers=key())

    assert (answer.json(), fresh.messages) == (first, [])


def test_two_planners_with_the_same_key_do_not_meet(http: TestClient, written: Written) -> None:
    http.post("/v1/overrides", json=FAIR, headers=key())
    http.post("/v1/overrides", json=FAIR, headers=key() | signed_in("admin"))

    assert [event.author for event in written.messages] == ["some-planner", "some-admin"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"scope": "sku:Z"}, "body.scope"),
        ({"scope": "sku:A|elsewhere"}, "body.scope"),
        ({"scope": "category:toys"}, "body.scope"),
        ({"scope": "warehouse:1"}, "body.scope"),
        ({"value": -1}, "body.value"),
        ({"value": 20.5}, "body.value"),
        ({"value": "1.5"}, "body.value"),
        ({"target": "order_quantity", "value": 1.5}, "body"),
        ({"target": "price"}, "body.target"),
        ({"expires_ms": EPOCH}, "body.expires_ms"),
        ({"from_ms": LATER, "to_ms": LATER}, "body"),
        ({"reason": ""}, "body.reason"),
        ({"reason": "x" * 501}, "body.reason"),
        ({"author": "somebody-else"}, "body.author"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(
    http: TestClient, written: Written, change: dict[str, Any], field: str
) -> None:
    answer = http.post("/v1/overrides", json=FAIR | change, headers=key())

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(field)
    assert written.messages == []


@pytest.mark.parametrize(
    "headers", [{}, {"Idempotency-Key": "short"}, {"Idempotency-Key": "with spaces in it"}]
)
def test_a_write_needs_a_key_of_its_own(http: TestClient, written: Written, headers: dict[str, str]) -> None:
    assert http.post("/v1/overrides", json=FAIR, headers=headers).status_code == 422
    assert written.messages == []


def test_what_kafka_does_not_acknowledge_is_not_accepted(tmp_path: Path, board: Board) -> None:
    answer = client(tmp_path, board, "planner").post("/v1/overrides", json=FAIR, headers=key())

    assert (answer.status_code, answer.json()["detail"]) == (503, "no broker in this test")
    assert board.planners.overrides == {}


def test_a_withdrawn_override_ends_at_once_and_says_who_ended_it(http: TestClient, written: Written) -> None:
    made = http.post("/v1/overrides", json=FAIR, headers=key()).json()
    path = f"/v1/overrides/{made['override_id']}/withdraw"
    answers = [http.post(path, json={"reason": "rain"}, headers=key(2)) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    _, ended = written.messages
    assert (ended.expires_ms, ended.reason) == (ended.event_time_ms, "rain")
    assert http.get("/v1/overrides", params={"active": True}).json()["total"] == 0
    assert (
        http.post("/v1/overrides/unknown/withdraw", json={"reason": "rain"}, headers=key(3)).status_code
        == 404
    )


def test_decisions_are_approved_at_once_and_what_is_unknown_is_named(
    http: TestClient, written: Written, log: MemoryLog
) -> None:
    ids = [each.decision_id for each in log.messages(DECISIONS)]
    body = {"event_type": "approve", "decision_ids": [*ids, "unknown"], "reason": "as usual"}
    answer = http.post("/v1/decision-actions", json=body, headers=key())

    assert answer.status_code == 201
    assert answer.json() == {
        "accepted": ids,
        "refused": [{"decision_id": "unknown", "detail": "no decision unknown"}],
    }
    assert [each.decision_id for each in written.messages] == ids
    assert {row["action"] for row in http.get("/v1/skus").json()["items"]} == {"approve"}
    assert (
        http.post("/v1/decision-actions", json=body | {"decision_ids": ["no"]}, headers=key(2)).status_code
        == 404
    )


def test_a_hold_that_has_taken_effect_can_be_repeated_but_not_said_anew(
    http: TestClient, written: Written, log: MemoryLog, board: Board
) -> None:
    held = next(each for each in log.messages(DECISIONS) if each.quantity)
    body = {"event_type": "hold", "decision_ids": [held.decision_id], "reason": "asking the supplier"}
    first = http.post("/v1/decision-actions", json=body, headers=key())
    action: DecisionAction = written.messages[0]
    board.apply(Entry(DECISIONS, 0, 99, acted_decision(held, action)))

    again = http.post("/v1/decision-actions", json=body, headers=key())
    anew = http.post("/v1/decision-actions", json=body, headers=key(2))

    assert (again.status_code, again.json()) == (201, first.json())
    assert (anew.status_code, len(written.messages)) == (404, 1)
    assert "superseded" in anew.json()["detail"]


def test_only_an_admin_sets_a_budget_and_the_groups_other_parameters_stay(
    http: TestClient, written: Written, log: MemoryLog
) -> None:
    body = {
        "planning_group": GROUP,
        "budget": {"amount": "99.50", "currency": "GBP"},
        "reason": "cash is short",
    }
    assert http.post("/v1/policies", json=body, headers=key()).status_code == 403

    answer = http.post("/v1/policies", json=body, headers=key() | signed_in("admin"))

    (event,) = written.messages
    assert isinstance(event, Policy)
    assert (event.policy_id, event.author) == (log.messages(POLICIES)[-1].policy_id, "some-admin")
    assert answer.json() == event.model_dump(mode="json")
    unknown = http.post(
        "/v1/policies", json=body | {"planning_group": "x"}, headers=key(2) | signed_in("admin")
    )
    assert unknown.status_code == 422


def test_an_admin_sets_the_policies_of_a_group_and_its_segments_and_the_budget_stays(
    http: TestClient, written: Written, log: MemoryLog
) -> None:
    steady = {"segment": "A/X/smooth", "replenishment": {"policy": "base-stock", "level": 40}}
    body = {"replenishment": None, "segments": [steady], "reason": "chosen by simulation"}
    path, admin = f"/v1/policies/{GROUP}/replenishment", signed_in("admin")
    assert http.post(path, json=body, headers=key()).status_code == 403

    answer = http.post(path, json=body, headers=key() | admin)

    (event,) = written.messages
    assert (answer.status_code, answer.json()) == (201, event.model_dump(mode="json"))
    assert answer.json()["segments"] == [steady]
    assert event.budget == log.messages(POLICIES)[-1].budget
    (said, *_) = http.get("/v1/audit", params={"kind": "policy"}).json()["items"]
    assert said["what"] == f"policy of {GROUP}: budget 150.00 GBP; segment A/X/smooth by base-stock"

    body["segments"] = [{"segment": "A/X/smooth", "replenishment": {"policy": "base-stock", "level": -1}}]
    broken = http.post(path, json=body, headers=key(2) | admin)
    assert broken.status_code == 422
    assert "base-stock.level" in str(broken.json())


def test_a_budget_set_again_by_its_key_is_answered_alike_though_the_policies_have_changed_since(
    http: TestClient, written: Written
) -> None:
    admin = signed_in("admin")
    budget = {"planning_group": GROUP, "budget": None, "reason": "cash is back"}
    order_up_to = {"policy": "order-up-to", "target": {"kind": "fill_rate", "level": 0.97}}
    policies = {"replenishment": order_up_to, "segments": [], "reason": "more service"}
    first = http.post("/v1/policies", json=budget, headers=key() | admin)
    http.post(f"/v1/policies/{GROUP}/replenishment", json=policies, headers=key(2) | admin)

    again = http.post("/v1/policies", json=budget, headers=key() | admin)
    other = http.post("/v1/policies", json=budget | {"planning_group": "x"}, headers=key() | admin)

    assert (again.status_code, again.json()) == (201, first.json())
    assert len(written.messages) == 2
    (said, *_) = http.get("/v1/audit", params={"kind": "policy"}).json()["items"]
    assert said["what"] == f"policy of {GROUP}: no budget; ordered by order-up-to"
    assert other.status_code in (409, 422)


def test_everything_said_is_in_the_audit(http: TestClient, log: MemoryLog) -> None:
    http.post("/v1/overrides", json=FAIR, headers=key())
    one = log.messages(DECISIONS)[0].decision_id
    body = {"event_type": "reject", "decision_ids": [one], "reason": "wrong supplier"}
    http.post("/v1/decision-actions", json=body, headers=key(2))

    entries = http.get("/v1/audit", params={"author": "some-planner"}).json()["items"]
    assert {(entry["kind"], entry["what"]) for entry in entries} == {
        ("override", "forecast of sku:A × 1.5"),
        ("action", f"reject {one}"),
    }
