"""A shop of three SKUs on a stack with features job, serving and Prometheus, and everything that ails it."""

import json
import os
import signal
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from batch.forecaster.artifact import point_to, save_artifact
from infra.contracts.codec import message_key
from infra.contracts.inventory import Proposal
from infra.contracts.topics import (
    CALENDARS,
    CLICKSTREAM,
    ITEMS,
    POLICIES,
    PROPOSALS,
    STOCK_LEVELS,
)
from infra.heartbeat import send_heartbeats
from infra.kafka import Producer
from infra.local.stack import Stack
from tests.e2e.topic_log import messages_of
from tests.unit.serving.records import LOCATION, calendar, item, level, local_ms, policy
from tests.unit.serving.test_forecaster_stage import SKUS, config, weights, write_panel

HOUR_MS = 3_600_000
FIRST_DAY = date(2011, 9, 19)


class WatchedShop:
    """Writes what a shop writes, day after day of September 2011, and breaks things when asked to."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self._settings = stack, stack.settings()
        self._producer = Producer(self._settings.bootstrap_servers)
        self._day = FIRST_DAY
        self._models = self._hour = 0

    @staticmethod
    def prepare(run_dir: Path) -> None:
        """The panel that serving starts from."""
        write_panel(run_dir / "panel")

    def open(self) -> None:
        reviews = calendar(review_weekdays=list(range(7)), closed_weekdays=[])
        self._producer.send(CALENDARS, LOCATION.encode(), reviews)
        self._producer.send(POLICIES, b"policy-1", policy("1000000.00"))
        for sku in SKUS:
            self._producer.send(ITEMS, message_key(sku, LOCATION), item(sku))
        self.close_day()

    def close_day(self) -> None:
        """A snapshot, a few sales, and the heartbeats that close the day."""
        start = self._now()
        for sku in SKUS:
            self._send_level(sku, 50, start)
            for number in range(20):
                self._send_sale(sku, f"{sku}-{start}-{number}", start + (number + 1) * HOUR_MS // 2)
        self._day, self._hour = self._day + timedelta(days=1), 0
        send_heartbeats(self._producer, self._now() + self._settings.out_of_orderness_seconds * 1000 + 1)

    def close_days(self, count: int) -> None:
        for _ in range(count):
            self.close_day()

    def close(self) -> None:
        self._producer.close()

    def promote(self, learned_until: str) -> None:
        """Another model; each has a name of its own. The day is closed with it."""
        self._models += 1
        origin = {"panel_hash": f"{self._models:064}", "learned_until": learned_until}
        models = self._settings.models_dir
        models.mkdir(exist_ok=True)
        point_to(models, save_artifact(models, config(), weights(), {}, origin))
        self.close_day()

    def set_stock(self, on_hand: int) -> None:
        """Of every SKU at once, and the clock moves past it."""
        self._hour += 1
        for sku in SKUS:
            self._send_level(sku, on_hand, self._now() + self._hour * HOUR_MS)
        self._beat(self._now() + self._hour * HOUR_MS + HOUR_MS // 2)

    def launch_without_stock(self, *skus: str) -> None:
        """Items that nobody has counted and that have no forecast; then the day is closed."""
        for sku in skus:
            self._producer.send(ITEMS, message_key(sku, LOCATION), item(sku, event_time_ms=self._now()))
        self.close_day()

    def end(self, *skus: str) -> None:
        """Items leave the catalogue; then the day is closed."""
        for sku in skus:
            changes: dict[str, Any] = {
                "event_id": f"end-{sku}",
                "event_time_ms": self._now() + 1,
                "end_ms": self._now() + 2,
            }
            self._producer.send(ITEMS, message_key(sku, LOCATION), item(sku, **changes))
        self.close_day()

    def send_garbage(self, topic: str, count: int) -> None:
        for number in range(count):
            self._producer.send_bytes(topic, f"key-{number}".encode(), b"\xff not JSON")
        self._producer.flush()

    def send_late_sales(self, count: int) -> None:
        """Sales of the first day, which has closed."""
        for number in range(count):
            self._send_sale(SKUS[0], f"late-{number}", local_ms(str(FIRST_DAY)) + HOUR_MS)
        self._producer.flush()

    def contradict_a_proposal(self) -> None:
        """A proposal comes again with another content."""
        known = [each for each in messages_of(self._settings, PROPOSALS) if isinstance(each, Proposal)]
        forged = known[-1].model_copy(update={"input_digest": "f" * 64})
        self._producer.send(PROPOSALS, forged.planning_group.encode(), forged)
        self._producer.flush()

    def pause(self, deployment: str) -> None:
        """The replicas of a deployment hang; the day is closed nevertheless."""
        self._signal(deployment, signal.SIGSTOP)
        self.close_day()

    def resume(self, deployment: str) -> None:
        """Those that Serve has not replaced go on."""
        self._signal(deployment, signal.SIGCONT)

    def _signal(self, deployment: str, number: signal.Signals) -> None:
        serving = next(each for each in self._stack.components if each.name == "serving")
        title = f"ServeReplica:default:{deployment}".encode()
        for pid in serving.members():
            if title in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, number)

    def _now(self) -> int:
        return local_ms(str(self._day))

    def _beat(self, event_time_ms: int) -> None:
        send_heartbeats(self._producer, event_time_ms)

    def _send_level(self, sku: str, on_hand: int, time_ms: int) -> None:
        self._producer.send(STOCK_LEVELS, message_key(sku, LOCATION), level(sku, on_hand, time_ms))

    def _send_sale(self, sku: str, event_id: str, time_ms: int) -> None:
        sale = {
            "version": 1,
            "event_type": "purchase",
            "event_id": event_id,
            "event_time_ms": time_ms,
            "sku": sku,
            "location": LOCATION,
            "quantity": 1,
            "unit_price": {"amount": "2.95", "currency": "GBP"},
        }
        self._producer.send_bytes(CLICKSTREAM, message_key(sku, LOCATION), json.dumps(sale).encode())
