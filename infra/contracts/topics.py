"""Every topic, declared once: name, key, clean-up, writer and message type."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_origin

from pydantic import TypeAdapter

from infra.contracts import demand, inventory, planning, shop

Cleanup = Literal["delete", "compact"]
Writer = Literal["shop", "planner", "system"]

CLICKSTREAM = "shop.clickstream.v1"
STOCK_LEVELS = "stock.levels.v1"
STOCK_MOVEMENTS = "stock.movements.v1"
ITEMS = "catalog.items.v1"
PROMOTIONS = "catalog.promotions.v1"
CALENDARS = "catalog.calendars.v1"
FEATURES = "demand.features.v1"
FORECASTS = "demand.forecasts.v1"
INTRADAY_FORECASTS = "demand.intraday-forecasts.v1"
ACCURACY = "demand.accuracy.v1"
RETRAIN_REQUESTS = "demand.retrain-requests.v1"
PURCHASE_ORDERS = "inventory.purchase-orders.v1"
POSITIONS = "inventory.positions.v1"
POLICIES = "inventory.policies.v1"
OVERRIDES = "inventory.overrides.v1"
DECISION_ACTIONS = "inventory.decision-actions.v1"
PROPOSALS = "inventory.reorder-proposals.v1"
ALLOCATION_RUNS = "inventory.allocation-runs.v1"
DECISIONS = "inventory.reorder-decisions.v1"


@dataclass(frozen=True)
class Topic:
    """A topic's contract. All topics share one partition count, so equal keys are co-partitioned."""

    name: str
    key: str
    cleanup: Cleanup
    retention_days: int
    writer: Writer
    message: TypeAdapter[Any]
    is_union: bool

    @property
    def dead_letters(self) -> str:
        """Topic for what cannot be read: original bytes, the reason in the headers."""
        return f"{self.name}.dlq.v1"

    @property
    def late(self) -> str:
        """Topic for events whose local day has closed: original bytes, the lateness in the headers."""
        return f"{self.name}.late.v1"


def _topic(
    name: str, key: str, cleanup: Cleanup, days: int, writer: Writer, message: Any
) -> tuple[str, Topic]:
    return name, Topic(
        name, key, cleanup, days, writer, TypeAdapter(message), get_origin(message) is Annotated
    )


_KEY = "sku|location"

TOPICS: Mapping[str, Topic] = MappingProxyType(
    dict(
        [
            _topic(CLICKSTREAM, _KEY, "delete", 7, "shop", shop.Clickstream),
            _topic(STOCK_LEVELS, _KEY, "delete", 400, "shop", shop.StockLevels),
            _topic(STOCK_MOVEMENTS, _KEY, "delete", 400, "shop", shop.StockMovements),
            _topic(ITEMS, _KEY, "compact", -1, "shop", shop.Items),
            _topic(PROMOTIONS, _KEY, "compact", -1, "shop", shop.Promotions),
            _topic(
                CALENDARS, "location, supplier or location|weather", "compact", -1, "shop", shop.Calendars
            ),
            _topic(PURCHASE_ORDERS, _KEY, "delete", 400, "shop", shop.PurchaseOrders),
            _topic(POLICIES, "policy id", "compact", -1, "planner", inventory.Policies),
            _topic(OVERRIDES, "scope|override_id", "compact", -1, "planner", planning.Overrides),
            _topic(DECISION_ACTIONS, "decision id", "compact", -1, "planner", planning.DecisionActions),
            _topic(FEATURES, _KEY, "delete", 30, "system", demand.DemandFeatures),
            _topic(FORECASTS, _KEY, "delete", 400, "system", demand.DemandForecast),
            _topic(INTRADAY_FORECASTS, _KEY, "delete", 400, "system", demand.IntradayForecast),
            _topic(ACCURACY, _KEY, "delete", 400, "system", demand.DemandAccuracy),
            _topic(RETRAIN_REQUESTS, "model id", "compact", -1, "system", demand.RetrainRequest),
            _topic(POSITIONS, _KEY, "compact", -1, "system", inventory.Position),
            _topic(PROPOSALS, "planning group", "delete", 30, "system", inventory.Proposals),
            _topic(ALLOCATION_RUNS, "planning group", "delete", 400, "system", inventory.AllocationRun),
            _topic(DECISIONS, _KEY, "delete", 400, "system", inventory.ReorderDecision),
        ]
    )
)

ARCHIVED = tuple(t.name for t in TOPICS.values() if t.writer != "system")
"""Topics the shop or a planner writes; all are archived and carry heartbeats."""

WITH_LATE_EVENTS = (CLICKSTREAM, STOCK_LEVELS)
"""Topics whose records belong to local days that close."""

CHECKED_BY_FEATURES = (CLICKSTREAM, STOCK_LEVELS, ITEMS)
"""Topics that the features job parses; it turns their invalid records away."""

CHECKED_BY_SERVING = tuple(name for name in ARCHIVED if name not in CHECKED_BY_FEATURES)
"""What else the shop and the planners write: the Planner turns its invalid records away."""


def turned_away(name: str) -> tuple[str, ...]:
    """Where a topic's refused records go, and its late ones if they can be late."""
    topic = TOPICS[name]
    return (topic.dead_letters, topic.late) if name in WITH_LATE_EVENTS else (topic.dead_letters,)
