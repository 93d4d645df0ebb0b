from playwright.sync_api import expect

from serving.board.board import Board
from serving.inventory.decision_words import explain_decision
from tests.console.conftest import TOKENS
from tests.console.desk import Desk
from tests.unit.serving.records import LOCATION


def an_order(board: Board) -> tuple[str, str]:
    """A SKU that is to be ordered, and the decision's id."""
    for sku, _ in board.table.keys:
        kept = board.sku((sku, LOCATION))
        decision = kept.read_decision() if kept else None
        if decision and decision.quantity and decision.decision_id not in board.planners.actions:
            return sku, decision.decision_id
    raise AssertionError("nothing is ordered")


def test_a_decision_made_elsewhere_appears_without_a_reload(planner: Desk, board: Board) -> None:
    sku, decision_id = an_order(board)
    planner.open(f"sku/{LOCATION}/{sku}")
    planner.page.evaluate("window.isTheSamePage = true")
    held = planner.page.locator(".bars").get_by_text("Held by a planner")
    assert held.count() == 0

    answer = planner.page.request.post(
        f"{planner.address}/v1/decision-actions",
        headers={"Authorization": f"Bearer {TOKENS['admin']}", "Idempotency-Key": "held-elsewhere"},
        data={"event_type": "hold", "decision_ids": [decision_id], "reason": "a flood"},
    )
    assert answer.status == 201

    expect(held).to_be_visible()
    assert planner.page.evaluate("window.isTheSamePage")


def test_a_decision_is_said_in_words(planner: Desk, board: Board) -> None:
    sku, _ = an_order(board)
    planner.open(f"sku/{LOCATION}/{sku}")

    kept = board.sku((sku, LOCATION))
    decision = kept.read_decision() if kept else None
    assert decision is not None
    expect(planner.page.get_by_text(explain_decision(decision))).to_be_visible()
