"""What planners said: overrides, actions, policies and the audit of all of them; and who is asking."""

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel

from infra.api_tokens import Role
from infra.contracts.inventory import Policy
from infra.contracts.planning import DecisionAction, Override
from infra.contracts.shop import Item
from serving.api.access import allows, holder_in
from serving.api.paging import Filter, OfBoard, Page, Part, page_of
from serving.board.board import Board

router = APIRouter(tags=["planners"])


class Me(BaseModel):
    """The holder of the token, and the time zone that all of the shop's locations share, if they do."""

    name: str
    role: Role
    time_zone: str | None


class ShownOverride(Override):
    """An override, and whether it holds now."""

    active: bool


class ShownAction(DecisionAction):
    """An action with the SKU of its decision; null where the decision is no longer kept."""

    sku: str | None
    location: str | None


class AuditEntry(BaseModel):
    """Who did what, when."""

    event_time_ms: int
    kind: Literal["override", "action", "policy"]
    said_id: str
    author: str
    what: str
    reason: str


@router.get("/v1/me", **allows("viewer"))
async def me(request: Request, board: OfBoard) -> Me:
    """Whose token this is."""
    holder = holder_in(request)
    zones = {each.time_zone for each in board.calendars.values()}
    return Me(name=holder.name, role=holder.role, time_zone=zones.pop() if len(zones) == 1 else None)


@router.get("/v1/overrides", **allows("viewer", 404))
async def overrides(
    board: OfBoard,
    part: Part,
    sku: Filter = None,
    location: Filter = None,
    active: Annotated[bool | None, Query(description="only those that hold now, or only the others")] = None,
) -> Page[ShownOverride]:
    """Overrides, newest first; with `sku` and `location` those that apply to it."""
    scopes = _scopes(board, sku, location)
    newest = sorted(board.planners.overrides.values(), key=lambda each: -each.event_time_ms)
    shown = [
        each
        for each in newest
        if (scopes is None or each.scope in scopes) and active in (None, is_active(board, each))
    ]
    return page_of(shown, part, board, lambda each: shown_override(board, each))


def shown_override(board: Board, override: Override) -> ShownOverride:
    """An override as it is shown."""
    return ShownOverride(**override.model_dump(), active=is_active(board, override))


def is_active(board: Board, override: Override) -> bool:
    """Whether an override holds at the shop's time."""
    return override.expires_ms > max(board.progress.shop_time_ms(), override.event_time_ms)


def _scopes(board: Board, sku: str | None, location: str | None) -> set[str] | None:
    if sku is None and location is None:
        return None
    if sku is None or location is None:
        raise HTTPException(422, "query.sku: sku and location are given together")
    kept = board.sku((sku, location))
    item: Item | None = kept.read_item() if kept else None
    if item is None:
        raise HTTPException(404, f"no SKU {sku} at {location}")
    levels = item.category.split(":")
    categories = {f"category:{':'.join(levels[:depth])}" for depth in range(1, len(levels) + 1)}
    return {f"sku:{sku}", f"sku:{sku}|{location}", f"location:{location}"} | categories


@router.get("/v1/decision-actions", **allows("viewer"))
async def decision_actions(
    board: OfBoard, part: Part, decision_id: Filter = None, sku: Filter = None, location: Filter = None
) -> Page[ShownAction]:
    """The last action on each decision, newest first."""
    newest = sorted(board.planners.actions.values(), key=lambda each: -each.event_time_ms)
    shown = [
        each
        for each in (_shown(board, action) for action in newest)
        if decision_id in (None, each.decision_id)
        and sku in (None, each.sku)
        and location in (None, each.location)
    ]
    return page_of(shown, part, board, lambda each: each)


def _shown(board: Board, action: DecisionAction) -> ShownAction:
    sku, location = board.key_of(action.decision_id) or (None, None)
    return ShownAction(**action.model_dump(), sku=sku, location=location)


@router.get("/v1/policies", **allows("viewer"))
async def policies(board: OfBoard, part: Part) -> Page[Policy]:
    """Planning parameters, newest first."""
    newest = sorted(board.planners.policies.values(), key=lambda each: -each.event_time_ms)
    return page_of(newest, part, board, lambda each: each)


@router.get("/v1/audit", **allows("viewer"))
async def audit(
    board: OfBoard,
    part: Part,
    author: Filter = None,
    kind: Literal["override", "action", "policy"] | None = None,
) -> Page[AuditEntry]:
    """Who did what, newest first, from the topics themselves."""
    entries = [
        each for each in board.planners.audit() if author in (None, each.author) and kind in (None, each.kind)
    ]
    return page_of(entries, part, board, lambda each: AuditEntry(**vars(each)))
