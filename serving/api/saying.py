"""What planners may say: overrides, actions on decisions, budgets, ordering policies."""

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field, ValidationError

from infra.contracts.inventory import Policy
from infra.contracts.message import EventTimeMs, Identifier, Money
from infra.contracts.planning import DecisionAction, Override, OverrideScope, OverrideTarget, OverrideValue
from infra.contracts.replenishment import Replenishment, SegmentReplenishment
from serving.api.access import allows
from serving.api.bodies import Asked
from serving.api.paging import OfBoard
from serving.api.planners import ShownOverride, shown_override
from serving.api.speaking import Make, Somebody, Speaking
from serving.board.board import Board
from serving.board.planners_log import Said

router = APIRouter(tags=["planners"])

MAX_FACTOR = 20.0
MAX_AT_ONCE = 500

Reason = Annotated[str, Field(min_length=3, max_length=500)]


class AskedOverride(Asked):
    """A correction of a forecast or a quantity; see `inventory.overrides.v1` for scopes and dates.

    A factor is at most 20.
    """

    scope: OverrideScope
    target: OverrideTarget
    value: OverrideValue
    from_ms: EventTimeMs | None = None
    to_ms: EventTimeMs | None = None
    expires_ms: EventTimeMs
    reason: Reason


class AskedWithdrawal(Asked):
    """Why an override ends now."""

    reason: Reason


class AskedActions(Asked):
    """What to do with decisions, and why."""

    event_type: Literal["approve", "hold", "reject"]
    decision_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MAX_AT_ONCE)]
    reason: Reason


class AskedBudget(Asked):
    """A planning group's budget from now on; null is unlimited."""

    planning_group: Identifier
    budget: Money | None
    reason: Reason


class AskedReplenishment(Asked):
    """How a planning group's items are replenished from now on, all and by segment, null as by default.

    It takes the place of what was said of both before.
    """

    replenishment: Replenishment | None
    segments: Annotated[list[SegmentReplenishment], Field(max_length=MAX_AT_ONCE)]
    reason: Reason


class Refused(BaseModel):
    """A decision that was not acted on, and why."""

    decision_id: str
    detail: str


class Acted(BaseModel):
    """Which decisions were acted on."""

    accepted: list[str]
    refused: list[Refused]


@router.post("/v1/overrides", status_code=201, **allows("planner", 409, 413))
def override(board: OfBoard, somebody: Somebody, asked: AskedOverride) -> ShownOverride:
    """Says a correction: decided anew at once where no order is placed yet, and used until it expires."""
    _check_scope(board, asked.scope)
    if asked.target == "forecast_factor" and asked.value > MAX_FACTOR:
        raise HTTPException(422, f"body.value: a factor of at most {MAX_FACTOR:g} is accepted")

    def make(now: int, request_id: str) -> Said:
        if asked.expires_ms <= now:
            raise HTTPException(422, f"body.expires_ms: a time after {now} is accepted")
        try:
            return Override(
                **asked.model_dump(),
                override_id=request_id,
                request_id=request_id,
                event_time_ms=now,
                author=somebody.holder.name,
            )
        except ValidationError as error:
            raise HTTPException(422, f"body: {error.errors()[0]['msg']}") from None

    return _shown(board, somebody.say(make))


def _shown(board: Board, said: Said) -> ShownOverride:
    if not isinstance(said, Override):
        raise HTTPException(409, "Idempotency-Key: it came before, with another request")
    return shown_override(board, said)


def _check_scope(board: Board, scope: str) -> None:
    kind, _, name = scope.partition(":")
    sku, _, location = name.partition("|")
    table = board.table
    match kind:
        case "sku" if location:
            known = table.find((sku, location)) is not None
        case "sku":
            known = bool(table.labelled("sku", sku).any())
        case "location":
            known = bool(table.labelled("location", name).any())
        case _:
            known = bool(np.any(table.under("category", name)))
    if not known:
        raise HTTPException(422, f"body.scope: no {kind} {name} is in the catalogue")


@router.post("/v1/overrides/{override_id}/withdraw", **allows("planner", 404, 409, 413))
def withdraw(
    board: OfBoard, somebody: Somebody, override_id: Identifier, asked: AskedWithdrawal
) -> ShownOverride:
    """Ends an override now; decisions already made keep it."""
    known = board.planners.overrides.get(override_id)
    if known is None:
        raise HTTPException(404, f"no override {override_id}")

    def make(now: int, request_id: str) -> Said:
        time_ms = max(now, known.event_time_ms)
        return known.model_copy(
            update={
                "event_time_ms": time_ms,
                "expires_ms": time_ms,
                "author": somebody.holder.name,
                "reason": asked.reason,
                "request_id": request_id,
            }
        )

    return _shown(board, somebody.say(make))


@router.post("/v1/decision-actions", status_code=201, **allows("planner", 404, 409, 413))
def act(board: OfBoard, somebody: Somebody, asked: AskedActions) -> Acted:
    """Approves, holds or rejects decisions; those that are not the latest of their SKU are refused."""
    new = [each for each in asked.decision_ids if not somebody.said_before(each)]
    refusals = {each: detail for each in new if (detail := _refusal(board, each))}
    accepted = [each for each in dict.fromkeys(asked.decision_ids) if each not in refusals]
    if not accepted:
        raise HTTPException(404, next(iter(refusals.values())))
    somebody.say_each({each: _action(asked, each, somebody.holder.name) for each in accepted})
    return Acted(
        accepted=accepted,
        refused=[Refused(decision_id=each, detail=detail) for each, detail in refusals.items()],
    )


def _action(asked: AskedActions, decision_id: str, author: str) -> Make:
    def make(now: int, request_id: str) -> Said:
        return DecisionAction(
            event_type=asked.event_type,
            decision_id=decision_id,
            event_time_ms=now,
            author=author,
            reason=asked.reason,
            request_id=request_id,
        )

    return make


def _refusal(board: Board, decision_id: str) -> str | None:
    key = board.key_of(decision_id)
    kept = board.sku(key) if key else None
    if kept is None:
        return f"no decision {decision_id}"
    latest = kept.latest_decision_id()
    return None if latest == decision_id else f"{decision_id} is superseded by {latest}"


@router.post("/v1/policies", status_code=201, **allows("admin", 409, 413))
def set_budget(board: OfBoard, somebody: Somebody, asked: AskedBudget) -> Policy:
    """Sets a planning group's budget; its other parameters stay."""
    changes = {"budget": asked.budget, "reason": asked.reason}
    return _set_policy(board, somebody, asked.planning_group, changes)


@router.post("/v1/policies/{planning_group}/replenishment", status_code=201, **allows("admin", 409, 413))
def set_replenishment(
    board: OfBoard, somebody: Somebody, planning_group: Identifier, asked: AskedReplenishment
) -> Policy:
    """Sets how a planning group and its segments are replenished; its other parameters stay.

    An item is in the segment that its catalogue entry names; its own policy and its category's come first.
    """
    changes = {
        "replenishment": asked.replenishment,
        "segments": asked.segments or None,
        "reason": asked.reason,
    }
    return _set_policy(board, somebody, planning_group, changes)


def _set_policy(board: Board, somebody: Speaking, planning_group: str, changes: dict[str, Any]) -> Policy:
    policies = [each for each in board.planners.policies.values() if each.planning_group == planning_group]
    known = max(policies, key=lambda each: each.event_time_ms, default=None)
    if known is None and planning_group not in board.runs:
        raise HTTPException(422, f"planning_group: no group {planning_group} has planned yet")

    def make(now: int, request_id: str) -> Said:
        told = {"planning_group": planning_group, "author": somebody.holder.name, **changes}
        told |= {"event_time_ms": now, "request_id": request_id}
        before = board.planners.answered(request_id) or known
        if isinstance(before, Policy):
            return before.model_copy(update=told)
        return Policy(policy_id=planning_group, **told)

    said = somebody.say(make)
    if not isinstance(said, Policy):
        raise HTTPException(409, "Idempotency-Key: it came before, with another request")
    return said
