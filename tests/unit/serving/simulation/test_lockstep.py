from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from infra.contracts.codec import decode
from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import ReorderDecision
from infra.contracts.topics import DECISIONS, FORECASTS
from infra.errors import StockstreamError, WaitExpired
from serving.simulation.lockstep import Replies, wait_for_replies

GOLDEN = Path(__file__).parents[3] / "golden" / "v1"
INSTANT = 1_316_991_600_000
SKUS = [f"{number:05d}" for number in range(8)]
Message = DemandForecast | ReorderDecision


def golden(topic: str) -> Message:
    message: Message = decode(topic, (GOLDEN / f"{topic}.jsonl").read_bytes().splitlines()[0])
    return message


def forecast(sku: str, location: str = "gb-main") -> Message:
    changed = {"sku": sku, "location": location, "origin_ms": INSTANT}
    return golden(FORECASTS).model_copy(update=changed)


def decision(sku: str, quantity: int = 12) -> Message:
    changed = {"sku": sku, "epoch_ms": INSTANT, "decision_id": f"decision-{sku}", "quantity": quantity}
    return golden(DECISIONS).model_copy(update=changed)


def wait(polls: Iterable[list[Message]], review: bool) -> list[ReorderDecision]:
    """Waits 10 s on a clock that ticks with each look at it."""
    arriving, ticks = iter(polls), iter(range(1000))

    def poll() -> Iterator[Message]:
        yield from next(arriving, [])

    replies = Replies("gb-main", SKUS)
    return wait_for_replies(replies, poll, INSTANT, review, 10, lambda: float(next(ticks)))


def test_a_day_goes_on_once_every_sku_has_its_forecast() -> None:
    assert wait([[forecast(sku)] for sku in SKUS], review=False) == []


def test_a_review_needs_every_decision_too() -> None:
    forecasts, decisions = [forecast(sku) for sku in SKUS], [decision(sku) for sku in SKUS]

    assert [d.sku for d in wait([decisions, forecasts], review=True)] == SKUS


@pytest.mark.parametrize("review", [False, True])
def test_an_expired_wait_names_what_is_missing(review: bool) -> None:
    polls = [[forecast(sku) for sku in SKUS[1:]], [decision(sku) for sku in SKUS[:2]]]

    with pytest.raises(WaitExpired) as expired:
        wait(polls, review)

    assert "forecasts for 1 SKUs (00000)" in str(expired.value)
    assert ("decisions for 6 SKUs (00002, 00003, 00004, 00005, 00006, ...)" in str(expired.value)) == review


def test_forecasts_of_other_locations_and_days_do_not_count() -> None:
    other_day = [forecast(sku).model_copy(update={"origin_ms": INSTANT + 1}) for sku in SKUS]

    with pytest.raises(WaitExpired, match="forecasts for 8 SKUs"):
        wait([[forecast(sku, "elsewhere") for sku in SKUS], other_day], review=False)


def test_a_decision_seen_twice_counts_once() -> None:
    messages = [*(forecast(sku) for sku in SKUS), *(decision(sku) for sku in SKUS)]

    assert len(wait([messages + messages], review=True)) == len(SKUS)


def test_one_decision_id_with_two_quantities_is_refused() -> None:
    with pytest.raises(StockstreamError, match="decision-00000 of SKU 00000 came twice: 12 and 24 units"):
        wait([[decision("00000", 12), decision("00000", 24)]], review=True)


def test_only_the_newest_of_decisions_that_supersede_each_other_is_placed_under_the_id_of_the_first() -> None:
    first, other = decision("00000"), decision("00001")
    second = first.model_copy(
        update={"decision_id": "second", "epoch_ms": INSTANT + 5, "supersedes": "decision-00000"}
    )
    third = second.model_copy(
        update={"decision_id": "third", "epoch_ms": INSTANT + 9, "supersedes": "second"}
    )
    replies = Replies("gb-main", SKUS)
    for message in (third, first, second, other):
        replies.add(message)

    assert replies.to_place(INSTANT - 1, INSTANT + 9) == {"decision-00000": third, "decision-00001": other}
    assert replies.to_place(INSTANT - 1, INSTANT) == {"decision-00001": other}
    assert replies.to_place(INSTANT, INSTANT + 8) == {}
