"""Simulated browsing: the sample has no clicks, so views, searches and carts are invented around its sales.

Only sales that were served leave a trail; the rest is noise that depends on nothing but the seed, the SKU
and the day. So no click betrays demand that the warehouse could not meet. Every simulated event id begins
with `sim-`.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Literal

import numpy as np

from infra.contracts.identity import digest, seed
from infra.contracts.shop import ClickEvent
from serving.simulation.warehouse import Sale

Step = Literal["view", "search", "add_to_cart", "remove_from_cart"]
TRAIL: tuple[tuple[Step, float, float], ...] = (
    ("search", 0.30, 900.0),
    ("view", 0.60, 600.0),
    ("add_to_cart", 0.50, 240.0),
)
"""Step before a purchase, the chance that it is seen, and the longest time before the purchase in seconds."""
IDLE_VISITS_PER_DAY = 1.5
VISITS: tuple[tuple[Step, ...], ...] = (
    ("view",),
    ("search", "view"),
    ("view", "add_to_cart"),
    ("view", "add_to_cart", "remove_from_cart"),
)
VISIT_SHARES = (0.6, 0.3, 0.05, 0.05)
OPENING_SECOND, CLOSING_SECOND = 7 * 3600, 21 * 3600


def trail(sale: Sale, location: str, shop_seed: int) -> Iterator[ClickEvent]:
    """What the buyer did just before a purchase, in the purchase's session."""
    rng = np.random.default_rng(seed(shop_seed, "trail", sale.line.line_id))
    for step, chance, longest in TRAIL:
        seen, seconds = rng.random() < chance, rng.uniform(1.0, longest)
        if seen:
            yield ClickEvent(
                event_id=f"sim-{step}-{sale.line.line_id}",
                event_time_ms=sale.line.time_ms - int(seconds * 1000),
                sku=sale.line.sku,
                location=location,
                event_type=step,
                session_id=sale.line.session_id,
                user_id=sale.line.user_id,
                quantity=float(sale.served) if step == "add_to_cart" else None,
            )


def idle_browsing(
    skus: Sequence[str], location: str, day: date, midnight_ms: int, shop_seed: int
) -> Iterator[ClickEvent]:
    """Visits that end without a purchase, on every day and whether or not there is stock."""
    for sku in skus:
        rng = np.random.default_rng(seed(shop_seed, "idle", sku, day))
        for visit in range(rng.poisson(IDLE_VISITS_PER_DAY)):
            start_ms = midnight_ms + int(rng.uniform(OPENING_SECOND, CLOSING_SECOND) * 1000)
            steps = VISITS[rng.choice(len(VISITS), p=VISIT_SHARES)]
            session = "sim-" + digest([shop_seed, sku, day.isoformat(), visit])[:20]
            yield from _visit(sku, location, session, start_ms, steps)


def _visit(
    sku: str, location: str, session: str, start_ms: int, steps: Sequence[Step]
) -> Iterator[ClickEvent]:
    for number, step in enumerate(steps):
        yield ClickEvent(
            event_id=f"{session}-{number}",
            event_time_ms=start_ms + 20_000 * number,
            sku=sku,
            location=location,
            event_type=step,
            session_id=session,
            quantity=1.0 if step.endswith("cart") else None,
        )
