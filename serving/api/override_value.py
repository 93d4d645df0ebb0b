"""Did the override beat the model? Per planner, reason and category."""

from collections import defaultdict
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from serving.api.access import allows
from serving.api.paging import Filter, OfBoard
from serving.board.override_value import Scored, scored_overrides

router = APIRouter(tags=["scorecard"])


class OverrideValue(BaseModel):
    """Overrides of one planner, reason and category against what happened.

    `scored` counts SKU-days of factors and orders of quantities; errors are units for factors (absolute error
    of the median) and money for quantities (of units short and left over). `value_added` is the share of the
    model's error that the override removed: negative where it made it worse, null where there was none.
    """

    author: str
    reason: str
    category: str
    target: Literal["forecast_factor", "order_quantity"]
    overrides: int
    scored: int
    model_error: float
    override_error: float
    value_added: float | None


class OverrideValues(BaseModel):
    """Every group, those that removed the most error first."""

    items: list[OverrideValue]


@router.get("/v1/override-value", **allows("viewer"))
def override_value(board: OfBoard, author: Filter = None) -> OverrideValues:
    """The worth of overrides that kept decisions used, where it is known what happened."""
    groups: dict[tuple[str, str, str, str], list[Scored]] = defaultdict(list)
    for scored in scored_overrides(board):
        if author in (None, scored.author):
            category = board.table.text(board.table.row(scored.key), "category")
            groups[scored.author, scored.reason, category, scored.target].append(scored)
    items = [_value(category, each) for (_, _, category, _), each in sorted(groups.items())]
    return OverrideValues(items=sorted(items, key=lambda each: each.override_error - each.model_error))


def _value(category: str, group: list[Scored]) -> OverrideValue:
    model_error = sum(each.model_error for each in group)
    override_error = sum(each.override_error for each in group)
    return OverrideValue(
        author=group[0].author,
        reason=group[0].reason,
        category=category,
        target=group[0].target,
        overrides=len({each.override_id for each in group}),
        scored=sum(each.count for each in group),
        model_error=model_error,
        override_error=override_error,
        value_added=(model_error - override_error) / model_error if model_error > 0 else None,
    )
