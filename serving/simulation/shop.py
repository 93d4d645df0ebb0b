"""`stockstream shop`: replays real sales through Kafka day by day; a warehouse obeys the decisions.

Each day's events are published in event time; at its end come the overnight receipts, the stock of every SKU
and heartbeats; then the shop waits for every forecast and, at a review, every decision, and turns decisions
into purchase orders. It reads nothing but topics, and what it could not serve goes to evaluation files alone.
Returns do not restock. A replay begins on fresh topics; one that was interrupted is begun anew.

With `--clicks` it replays a log of real clicks instead, alone: no stock, no orders.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from infra.contracts.inventory import ReorderDecision
from infra.contracts.topics import CLICKSTREAM, PURCHASE_ORDERS, STOCK_LEVELS
from infra.errors import StockstreamError, WaitExpired, exit_with_message
from infra.heartbeat import send_heartbeats
from infra.kafka import Producer, make_consumer, topic_partitions
from infra.settings import Settings, load_settings
from serving.simulation.click_log import LEFT_OUT, read_click_log, replay_clicks
from serving.simulation.day_events import (
    Outgoing,
    closing_events,
    opening_events,
    order_events,
    trading_events,
)
from serving.simulation.lockstep import Replies, ReplyReader, wait_for_replies
from serving.simulation.outcome import DayClose, EvaluationFiles, placed_order, sku_days, unmet_lines
from serving.simulation.sales_log import SAMPLE_DIR, days_between, read_sales_log
from serving.simulation.scenario import FIRST_DAY, Scenario, build_scenario
from serving.simulation.warehouse import PurchaseOrder, Warehouse, sell

SAMPLE = SAMPLE_DIR / "online_retail_top100_sku.parquet"

app = typer.Typer(add_completion=False, help=__doc__)


@dataclass(frozen=True)
class Shop:
    """A scenario, its warehouse, and the ways out to topics and evaluation files."""

    scenario: Scenario
    warehouse: Warehouse
    producer: Producer
    reader: ReplyReader
    replies: Replies
    files: EvaluationFiles
    out_of_orderness_ms: int
    timeout_seconds: float

    def open(self) -> None:
        """Publishes what the system must know before the first day."""
        self._publish(opening_events(self.scenario, self.warehouse))
        self.producer.flush()

    def run_day(self, day: date) -> DayClose:
        """Trades one day, closes it, waits for the replies and places the orders.

        Raises:
            WaitExpired: a forecast or a decision did not come in time.
        """
        events = self.close_day(day)
        begin = time.monotonic()
        decisions = self.wait(day)
        waited = time.monotonic() - begin
        orders = self.place_orders(day)
        close = DayClose(str(day), events, len(decisions), len(orders), round(waited, 3))
        self.files.close(close)
        return close

    def close_day(self, day: date) -> int:
        """Trades one day and closes it; how many events that were."""
        events = self._trade(day)
        next_day = day + timedelta(days=1)
        receipts = self.warehouse.receive(next_day)
        events += self._publish(closing_events(self.scenario, self.warehouse, next_day, receipts))
        self.producer.flush()
        send_heartbeats(self.producer, self._end_ms(day) + self.out_of_orderness_ms + 1)
        return events

    def wait(self, day: date) -> list[ReorderDecision]:
        """The decisions at a day's end, once every reply to the day has come.

        Raises:
            WaitExpired: a forecast or a decision did not come in time.
        """
        review = self.scenario.is_review(day + timedelta(days=1))
        try:
            return wait_for_replies(
                self.replies,
                self.reader.poll,
                self._end_ms(day),
                review,
                self.timeout_seconds,
                time.monotonic,
            )
        except WaitExpired as error:
            raise WaitExpired(f"close of {day}: {error}") from None

    def listen(self) -> None:
        """Takes in what has come since the last wait."""
        for message in self.reader.poll():
            self.replies.add(message)

    def to_place(self, day: date) -> dict[str, ReorderDecision]:
        """What stands, as far as the shop has heard, of a day's decisions; see `Replies.to_place`."""
        return self.replies.to_place(self.scenario.midnight_ms(day), self._end_ms(day))

    def place_orders(self, day: date) -> list[PurchaseOrder]:
        """Turns what stands of a day's decisions into purchase orders."""
        next_day = day + timedelta(days=1)
        orders = place_decided(self.scenario, self.warehouse, next_day, self.to_place(day))
        self._publish(order_events(self.scenario, orders))
        self.producer.flush()
        costs = self.scenario.unit_costs()
        self.files.orders([placed_order(order, costs[order.sku]) for order in orders])
        return orders

    def _end_ms(self, day: date) -> int:
        return self.scenario.midnight_ms(day + timedelta(days=1))

    def _trade(self, day: date) -> int:
        lines = self.scenario.log.lines_of(day)
        sales = sell(self.warehouse, lines)
        self.files.unmet(unmet_lines(day, sales))
        self.files.sku_days(sku_days(day, sales, self.warehouse, self.scenario.bulk_thresholds()))
        return self._publish(trading_events(self.scenario, day, lines, sales))

    def _publish(self, events: list[Outgoing]) -> int:
        for event in events:
            self.producer.send(event.topic, event.key, event.message)
        return len(events)


def place_decided(
    scenario: Scenario, warehouse: Warehouse, day: date, decisions: Mapping[str, ReorderDecision]
) -> list[PurchaseOrder]:
    """Opens one order per decision to order, whatever the number of times a decision is seen.

    The order bears the id of the first decision that it replaces, so that nothing is ordered twice where
    that one has been placed.
    """
    wanted = [
        replace(
            scenario.order_of(first, decision.sku, day, decision.quantity), decision_id=decision.decision_id
        )
        for first, decision in decisions.items()
        if decision.status == "order"
    ]
    return [order for order in wanted if warehouse.place(order)]


def refuse_used_topics(settings: Settings) -> None:
    """A replay begins on topics that no replay has written to.

    Raises:
        StockstreamError: a topic of the shop holds records already.
    """
    assigned = topic_partitions((CLICKSTREAM, STOCK_LEVELS, PURCHASE_ORDERS), range(settings.partitions))
    consumer = make_consumer(settings.bootstrap_servers)
    try:
        used = sorted({tp.topic for tp, end in consumer.end_offsets(assigned).items() if end > 0})
    finally:
        consumer.close()
    if used:
        raise StockstreamError(f"a replay needs fresh topics, but {', '.join(used)} hold records")


def parse_day(text: str) -> date:
    """A day from the command line.

    Raises:
        StockstreamError: it is not a date.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise StockstreamError(f"--from {text}: a day like {FIRST_DAY} is expected") from None


def replay_days(scenario: Scenario, count: int | None) -> list[date]:
    """The first `count` days of the scenario, all to the end of the sample by default.

    Raises:
        StockstreamError: the sample has fewer days.
    """
    days = days_between(scenario.first_day, scenario.log.last_day)
    if count is not None and count > len(days):
        raise StockstreamError(
            f"--days {count}: the sample has {len(days)} days from {scenario.first_day} on"
        )
    return days[:count]


@contextmanager
def connected_shop(
    settings: Settings, scenario: Scenario, days: Sequence[date], timeout_seconds: float
) -> Iterator[Shop]:
    """A shop that is ready to open, and its evaluation files begun; its connections end with the context.

    Raises:
        StockstreamError: the topics are not fresh.
    """
    refuse_used_topics(settings)
    files = EvaluationFiles(settings.run_dir / "evaluation")
    about = {"seed": scenario.seed, "location": scenario.location}
    files.begin({"first_day": str(days[0]), "days": len(days), **about})
    producer = Producer(settings.bootstrap_servers)
    reader = ReplyReader(settings.bootstrap_servers, settings.partitions)
    replies = Replies(scenario.location, scenario.items)
    bound_ms = settings.out_of_orderness_seconds * 1000
    try:
        yield Shop(
            scenario, scenario.warehouse(), producer, reader, replies, files, bound_ms, timeout_seconds
        )
    finally:
        reader.close()
        producer.close()


def run(shop: Shop, days: list[date]) -> None:
    """Opens the shop and runs every day, with a line of progress per week."""
    begin = time.monotonic()
    shop.open()
    week: list[DayClose] = []
    for number, day in enumerate(days, start=1):
        week.append(shop.run_day(day))
        if shop.scenario.is_review(day + timedelta(days=1)) or number == len(days):
            print(_progress(week, shop.warehouse, number, len(days), time.monotonic() - begin), flush=True)
            week = []


def _progress(week: list[DayClose], warehouse: Warehouse, number: int, of: int, seconds: float) -> str:
    empty = sum(units == 0 for units in warehouse.on_hand.values())
    return (
        f"{week[-1].day}  day {number:>2}/{of}  {sum(day.events for day in week):>6,} events  "
        f"{sum(day.decisions for day in week):>3} decisions  {sum(day.orders for day in week):>3} orders  "
        f"{empty:>2} SKUs out of stock  {seconds:6.1f} s"
    )


def run_clicks(settings: Settings, path: Path, speed: float) -> None:
    """Replays a log of clicks at the first location and says what was sent."""
    rows = read_click_log(path)
    producer = Producer(settings.bootstrap_servers)
    try:
        zone, location = settings.time_zone, settings.locations[0]
        bound_ms = settings.out_of_orderness_seconds * 1000
        replayed = replay_clicks(producer, rows, location, zone, bound_ms, speed)
    finally:
        producer.close()
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in replayed.sent.most_common())
    print(f"{kinds}; left out: {replayed.left_out:,} {LEFT_OUT} (no event type)")


@app.command()
def shop(
    days: Annotated[int | None, typer.Option(min=1, help="days to replay; all by default")] = None,
    first: Annotated[str, typer.Option("--from", help="first day, YYYY-MM-DD")] = FIRST_DAY.isoformat(),
    seed: Annotated[int, typer.Option(min=0, help="of everything that is simulated")] = 1,
    timeout: Annotated[float, typer.Option(min=1, help="seconds to wait for the replies to a day")] = 120.0,
    clicks: Annotated[
        Path | None,
        typer.Option(help="replay this log of clicks instead; also looked for in STOCKSTREAM_DATA"),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0, help="of --clicks: times real time; 0 for as fast as possible")
    ] = 0.0,
) -> None:
    """Replays the shop from a fresh start; fails if a forecast or a decision does not come in time."""
    settings = load_settings()
    if clicks is not None:
        refuse_used_topics(settings)
        run_clicks(settings, clicks if clicks.exists() else settings.data / clicks, speed)
        return
    log = read_sales_log(SAMPLE, settings.time_zone)
    scenario = build_scenario(log, settings.locations[0], parse_day(first), seed)
    chosen = replay_days(scenario, days)
    with connected_shop(settings, scenario, chosen, timeout) as opened:
        run(opened, chosen)


if __name__ == "__main__":
    exit_with_message(app)
