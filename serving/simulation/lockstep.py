"""The shop's side of the loop: collects forecasts and decisions, and says what a day still lacks."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from kafka import KafkaConsumer

from infra.contracts.codec import decode
from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import ReorderDecision
from infra.contracts.topics import DECISIONS, FORECASTS
from infra.errors import StockstreamError, WaitExpired
from infra.kafka import make_consumer, topic_partitions

NAMED_IN_ERRORS = 5


class Replies:
    """Forecasts and decisions seen so far, for the SKUs of one location. Repetitions change nothing."""

    def __init__(self, location: str, skus: Iterable[str]) -> None:
        self._location, self._skus = location, frozenset(skus)
        self._forecasts: dict[int, set[str]] = defaultdict(set)
        self._decisions: dict[int, dict[str, ReorderDecision]] = defaultdict(dict)
        self._superseded: dict[str, str] = {}

    def add(self, message: DemandForecast | ReorderDecision) -> None:
        """Takes a message in.

        Raises:
            StockstreamError: a decision comes again with other inputs or another quantity.
        """
        if message.location != self._location or message.sku not in self._skus:
            return
        if isinstance(message, DemandForecast):
            self._forecasts[message.origin_ms].add(message.sku)
            return
        if message.supersedes is not None:
            self._superseded[message.decision_id] = message.supersedes
        known = self._decisions[message.epoch_ms].setdefault(message.decision_id, message)
        if (known.input_digest, known.quantity) != (message.input_digest, message.quantity):
            raise StockstreamError(
                f"decision {message.decision_id} of SKU {message.sku} came twice: "
                f"{known.quantity} and {message.quantity} units, with different inputs or allocations"
            )

    def decisions(self, epoch_ms: int) -> list[ReorderDecision]:
        """Decisions of the epoch, by SKU."""
        return sorted(self._decisions[epoch_ms].values(), key=lambda decision: decision.sku)

    def to_place(self, after_ms: int, until_ms: int) -> dict[str, ReorderDecision]:
        """Decisions after an instant, up to another, that none supersedes, by the first that each replaces.

        Of those that supersede each other one is placed at most, whichever has been placed.
        """
        replaced = set(self._superseded.values())
        epochs = sorted(epoch_ms for epoch_ms in self._decisions if after_ms < epoch_ms <= until_ms)
        found = [decision for epoch_ms in epochs for decision in self.decisions(epoch_ms)]
        return {self._first_of(each): each for each in found if each.decision_id not in replaced}

    def _first_of(self, decision: ReorderDecision) -> str:
        first = decision.decision_id
        while first in self._superseded:
            first = self._superseded[first]
        return first

    def missing(self, instant_ms: int, review: bool) -> str:
        """What is still to come for the day that ended at `instant_ms`; empty if nothing."""
        forecast = self._forecasts[instant_ms]
        decided = {decision.sku for decision in self._decisions[instant_ms].values()}
        lacking = [_lacking("forecasts", self._skus - forecast)]
        lacking += [_lacking("decisions", self._skus - decided)] if review else []
        return ", ".join(text for text in lacking if text)


def _lacking(what: str, skus: frozenset[str]) -> str:
    if not skus:
        return ""
    named = ", ".join(sorted(skus)[:NAMED_IN_ERRORS]) + (", ..." if len(skus) > NAMED_IN_ERRORS else "")
    return f"{what} for {len(skus)} SKUs ({named})"


def wait_for_replies(
    replies: Replies,
    poll: Callable[[], Iterable[DemandForecast | ReorderDecision]],
    instant_ms: int,
    review: bool,
    timeout_seconds: float,
    clock: Callable[[], float],
) -> list[ReorderDecision]:
    """The decisions of the instant, once every SKU has its forecast and, at a review, its decision.

    Raises:
        WaitExpired: something is still missing after `timeout_seconds`; says what.
    """
    deadline = clock() + timeout_seconds
    while missing := replies.missing(instant_ms, review):
        if clock() > deadline:
            raise WaitExpired(f"after {timeout_seconds:g} s the shop still waits for {missing}")
        for message in poll():
            replies.add(message)
    return replies.decisions(instant_ms)


class ReplyReader:
    """Reads every partition of both reply topics from its beginning."""

    def __init__(self, bootstrap_servers: str, partitions: int) -> None:
        self._consumer: KafkaConsumer = make_consumer(bootstrap_servers)
        assigned = topic_partitions((FORECASTS, DECISIONS), range(partitions))
        self._consumer.assign(assigned)
        self._consumer.seek_to_beginning(*assigned)

    def poll(self) -> Iterator[DemandForecast | ReorderDecision]:
        """What has come since the last call; waits 0.1 s at most."""
        for records in self._consumer.poll(timeout_ms=100).values():
            for record in records:
                yield decode(record.topic, record.value)

    def close(self) -> None:
        self._consumer.close()
