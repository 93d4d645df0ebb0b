"""The ledger under late, lost, repeated, partial messages and restarts: nothing ordered twice, no unit lost.

A million SKU-epochs go through the production ledger and order rules, message by message; a hundred million
through arrays. Both live in the same simulated world and must decide the same on the sample they share.
"""

import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from infra.contracts import identity
from infra.contracts.inventory import DecisionInputs, LeadTimeCount, ReorderDecision, TotalCost
from infra.contracts.message import Money
from infra.contracts.shop import PurchaseOrderEvent, StockLevel
from serving.inventory.ledger import Ledger
from serving.inventory.order_rules import Steps, apply_order_rules
from tests.benchmarks.figures import Figure, measured
from tests.benchmarks.inventory.shelf_world import Integers, Rules, Shelves, course_of, demand_of, uniform

SKUS, DAYS, OPENING = 1000, 1000, 60
MANY_SKUS, BATCH = 100_000, 10_000
DAY_MS, PLACED_AFTER_MS = 86_400_000, 600_000
START_MS = 1_600_041_600_000
LOCATION, PRICE = "simulated", Money(amount="1.00", currency="EUR")
RESTART_SHARE, REPEATED_SHARE = 0.005, 0.25
_INPUTS = DecisionInputs(
    forecast=None,
    on_hand=0,
    open_orders=[],
    lead_times=[LeadTimeCount(days=8, receipts=5)],
    review_period_days=1,
    cycle_service_level=0.95,
    min_order_quantity=1,
    case_pack=1,
    maximum_stock=None,
    supplier="supplier-1",
    unit_cost=PRICE,
    price=PRICE,
    planning_group="simulated",
    time_zone="UTC",
    end_ms=None,
    input_stale=False,
)
_DECISION = ReorderDecision(
    decision_id="none",
    sku="none",
    location=LOCATION,
    epoch_ms=0,
    cause="review",
    sequence=1,
    status="order",
    quantity=0,
    unconstrained_quantity=0,
    adjustments=[],
    supplier="supplier-1",
    order_group_id="none",
    cost=TotalCost(amount="0.00", currency="EUR"),
    expected_receipt_ms=None,
    forecaster=None,
    inputs=_INPUTS,
    input_digest="0" * 64,
    allocation_run_id="none",
    allocation_digest="0" * 64,
)
"""What every decision here has in common; status, cost and digests are not looked at."""


@dataclass
class Findings:
    """What must not be, counted."""

    decided: list[int] = field(default_factory=list)
    ordered_twice: int = 0
    changed_by_restart: int = 0
    over_maximum: int = 0
    unequal_position: int = 0
    unbalanced: int = 0


@dataclass
class MessageShelf:
    """One SKU whose planner knows nothing but messages."""

    sku: int
    rng: random.Random
    rules: Rules
    ledger: Ledger = field(default_factory=Ledger)
    log: list[Any] = field(default_factory=list)
    coming: dict[int, list[PurchaseOrderEvent]] = field(default_factory=dict)
    placed: dict[str, int] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        return f"sku-{self.sku}", LOCATION

    def tell(self, message: Any) -> None:
        """Delivers a message, now and then twice; it stays in the log."""
        for _ in range(1 + (self.rng.random() < REPEATED_SHARE)):
            self.log.append(message)
            apply(self.ledger, message, len(self.log))

    def restart(self) -> None:
        """Rebuilds the ledger from the log, whose topics are read in no order among each other."""
        self.ledger = Ledger()
        numbered = list(enumerate(self.log, start=1))
        self.rng.shuffle(numbered)
        for offset, message in numbered:
            apply(self.ledger, message, offset)

    def arrive(self, day: int) -> int:
        """The day's order events, in any order; units received."""
        events = self.coming.pop(day, [])
        self.rng.shuffle(events)
        for event in events:
            self.tell(event)
        return sum(event.quantity for event in events if event.event_type == "received")


def apply(ledger: Ledger, message: Any, offset: int) -> None:
    """Hands a message to the ledger as the Planner does."""
    match message:
        case StockLevel():
            ledger.apply_level(message, offset)
        case PurchaseOrderEvent():
            ledger.apply_order(message)
        case ReorderDecision():
            ledger.apply_decision(message)


def midnight(day: int) -> int:
    return START_MS + day * DAY_MS


def level(shelf: MessageShelf, day: int, units: int) -> StockLevel:
    return StockLevel(
        event_id=f"level-{day}",
        event_time_ms=midnight(day),
        sku=shelf.key[0],
        location=LOCATION,
        event_type="snapshot",
        on_hand=units,
    )


def decision_of(shelf: MessageShelf, day: int) -> ReorderDecision:
    """The decision that the ledger's position leads to, through the production order rules."""
    wanted_level, maximum, pack, minimum = (int(each[0]) for each in shelf.rules)
    at_ms = midnight(day)
    orders = shelf.ledger.on_order(shelf.key, at_ms)
    on_hand = shelf.ledger.on_hand(shelf.key, at_ms)
    assert on_hand is not None
    changed = {"on_hand": on_hand, "open_orders": orders, "maximum_stock": maximum, "case_pack": pack}
    inputs = _INPUTS.model_copy(update={**changed, "min_order_quantity": minimum})
    steps = Steps(max(0, wanted_level - on_hand - sum(order.outstanding for order in orders)))
    apply_order_rules(steps, inputs)
    return _DECISION.model_copy(
        update={
            "decision_id": identity.decision_id(*shelf.key, at_ms, "review"),
            "sku": shelf.key[0],
            "epoch_ms": at_ms,
            "quantity": steps.quantity,
            "adjustments": steps.adjustments,
            "inputs": inputs,
        }
    )


def order_events(
    shelf: MessageShelf, day: int, decision: ReorderDecision
) -> Iterator[tuple[int, PurchaseOrderEvent]]:
    """What purchasing and supplier say of the order, with the day from which each is known."""
    quantity = decision.quantity
    course = course_of(np.array([shelf.sku]), day, np.array([quantity]))
    placed, acknowledged, lost, agreed, first, first_day, rest_day, cancelled = (
        int(each[0]) for each in course
    )

    def event(
        kind: Any, days: int, after_ms: int, units: int, number: int = 0
    ) -> tuple[int, PurchaseOrderEvent]:
        made = PurchaseOrderEvent(
            event_id=f"{day}-{kind}-{number}",
            event_time_ms=midnight(day + days) + after_ms,
            sku=shelf.key[0],
            location=LOCATION,
            event_type=kind,
            order_id=f"po-{day}",
            supplier="supplier-1",
            quantity=units,
            decision_id=decision.decision_id,
        )
        return day + days + (after_ms > 0), made

    yield event("placed", placed, PLACED_AFTER_MS, quantity)
    if not lost:
        yield event("acknowledged", acknowledged, PLACED_AFTER_MS, agreed)
    yield event("received", first_day, 0, first)
    if agreed > first:
        yield event("cancelled" if cancelled else "received", rest_day, 0, agreed - first, 1)


def purchase(shelf: MessageShelf, day: int, decision: ReorderDecision) -> None:
    """Purchasing reads the decision, perhaps twice, and orders once per decision."""
    if decision.quantity and decision.decision_id not in shelf.placed:
        shelf.placed[decision.decision_id] = decision.quantity
        for known_from, event in order_events(shelf, day, decision):
            shelf.coming.setdefault(known_from, []).append(event)


def run_sku(sku: int, days: int) -> Findings:
    """One SKU through the production ledger, beside the arrays of the same SKU."""
    truth, found = Shelves(np.array([sku]), OPENING), Findings()
    shelf = MessageShelf(sku, random.Random(sku), truth.rules)
    on_hand, received, served = OPENING, 0, 0
    for day in range(days):
        truth.open_day(day)
        arrived = shelf.arrive(day)
        on_hand, received = on_hand + arrived, received + arrived
        shelf.tell(level(shelf, day, on_hand))
        decision = decision_of(shelf, day)
        known = on_hand + sum(order.outstanding for order in decision.inputs.open_orders)
        found.unequal_position += known != int(truth.on_hand[0] + truth.on_order[0])
        found.over_maximum += truth.over_maximum(np.array([decision.quantity]))
        if uniform(12, np.array([sku]), day)[0] < RESTART_SHARE:
            shelf.restart()
            found.changed_by_restart += decision_of(shelf, day) != decision
        for _ in range(1 + (shelf.rng.random() < REPEATED_SHARE)):
            shelf.tell(decision)
            purchase(shelf, day, decision)
        found.decided.append(decision.quantity)
        truth.order(day, np.array([decision.quantity]))
        truth.serve(day)
        sold = min(int(demand_of(np.array([sku]), day)[0]), on_hand)
        on_hand, served = on_hand - sold, served + sold
        shelf.ledger.forget_before(midnight(day))
    found.unbalanced += OPENING + received != on_hand + served or truth.unbalanced() > 0
    found.ordered_twice = len(shelf.placed) != sum(quantity > 0 for quantity in found.decided)
    return found


def run_arrays(first: int, skus: int, days: int) -> tuple[Integers, int, int]:
    """SKUs through the arrays: decided units [days of the first 50, skus], over the maximum, unbalanced."""
    shelves, decided, over = Shelves(np.arange(first, first + skus), OPENING), [], 0
    for day in range(days):
        shelves.open_day(day)
        quantity = shelves.decide()
        over += shelves.over_maximum(quantity)
        shelves.order(day, quantity)
        shelves.serve(day)
        decided.append(quantity[:SKUS] if first == 0 else quantity[:0])
    return np.array(decided), over, shelves.unbalanced()


def figures() -> list[Figure]:
    """Counts of what must not be."""
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(partial(run_sku, days=DAYS), range(SKUS), chunksize=20))
        batches = range(0, MANY_SKUS, BATCH)
        arrays = list(pool.map(partial(run_arrays, skus=BATCH, days=DAYS), batches))
    message_driven = np.array([each.decided for each in found]).T
    differing = int((arrays[0][0] != message_driven).sum())
    how = f"simulated; {SKUS * DAYS:,} SKU-epochs, daily, {message_driven.astype(bool).sum():,} orders"
    counts = {
        "orders placed twice": sum(each.ordered_twice for each in found),
        "decisions changed by a restart": sum(each.changed_by_restart for each in found),
        "decisions over the maximum": sum(each.over_maximum for each in found),
        "positions unlike the world's": sum(each.unequal_position for each in found),
        "SKUs whose units do not add up": sum(each.unbalanced for each in found),
    }
    made = [
        _zero(f"ledger, {name}", count, f"{how}, through the production ledger")
        for name, count in counts.items()
    ]
    many = f"simulated; {MANY_SKUS * DAYS:,} SKU-epochs as arrays"
    made.append(_zero("arrays, decisions unlike the ledger's", differing, how))
    made.append(_zero("arrays, decisions over the maximum", sum(each[1] for each in arrays), many))
    made.append(_zero("arrays, SKUs whose units do not add up", sum(each[2] for each in arrays), many))
    return made


def _zero(name: str, count: int, how: str) -> Figure:
    return measured(name, [float(count)], "", how, "0", lambda value: value == 0)
