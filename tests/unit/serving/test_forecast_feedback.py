import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from infra.contracts.demand import DemandAccuracy
from serving.forecast_feedback import SUSPENSION_DAYS, ForecastFeedback
from tests.unit.serving.records import DAY_MS, LOCATION, accuracy, calendar, local_ms

SKUS = ("A", "B", "C")
KEYS = [(sku, LOCATION) for sku in SKUS]
START = local_ms("2011-01-10")
FALLBACK = "empirical_56_open_days"
LSTM_1, LSTM_2 = ((LOCATION, model, FALLBACK) for model in ("lstm-1", "lstm-2"))


def day(number: int) -> int:
    return START + number * DAY_MS


def scores_of(sku: str, days: range, ratio: float = 1.0) -> list[DemandAccuracy]:
    """Scores of one SKU and of its shadow, the model's loss `ratio` times the fallback's."""
    rng = np.random.default_rng(sum(sku.encode()))
    made = []
    for number in days:
        loss = float(rng.gamma(20, 0.1))
        model = ratio * loss * float(rng.normal(1, 0.05))
        made += [
            accuracy(sku, day(number), float(rng.random()), pinball=model),
            accuracy(sku, day(number), float(rng.random()), pinball=loss, forecaster=FALLBACK, served=False),
        ]
    return made


def feedback_of(scores: list[DemandAccuracy]) -> ForecastFeedback:
    feedback = ForecastFeedback()
    for scored in scores:
        feedback.apply(scored)
    return feedback


@settings(max_examples=30)
@given(st.randoms(use_true_random=False))
def test_the_order_in_which_skus_are_scored_changes_no_bit(random: object) -> None:
    by_sku = {sku: scores_of(sku, range(40), 1.2) for sku in SKUS}
    turns = [sku for sku in SKUS for _ in by_sku[sku]]
    random.shuffle(turns)  # type: ignore[attr-defined]
    queues = {sku: iter(scores) for sku, scores in by_sku.items()}
    mixed = feedback_of([next(queues[sku]) for sku in turns])
    straight = feedback_of([scored for sku in SKUS for scored in by_sku[sku]])

    for until in (day(20), day(35)):
        assert_array_equal(mixed.shifts(KEYS, "lstm-1", until), straight.shifts(KEYS, "lstm-1", until))
        assert mixed.against(*LSTM_1, until) == straight.against(LOCATION, "lstm-1", FALLBACK, until)


def test_repeated_scores_change_nothing() -> None:
    scores = scores_of("A", range(30), 1.2)
    once, twice = feedback_of(scores), feedback_of([*scores, *scores])

    assert_array_equal(once.shifts(KEYS, "lstm-1", day(40)), twice.shifts(KEYS, "lstm-1", day(40)))
    assert once.against(*LSTM_1, day(40)) == twice.against(LOCATION, "lstm-1", FALLBACK, day(40))


def test_a_model_stands_back_while_it_is_worse_and_for_two_weeks_after() -> None:
    worse, better = range(40), range(40, 120)
    feedback = feedback_of(
        [scored for sku in SKUS for scored in scores_of(sku, worse, 1.3) + scores_of(sku, better, 0.7)]
    )

    suspended = [feedback.against(*LSTM_1, day(number)) is not None for number in range(110)]

    first, last = suspended.index(True), 109 - suspended[::-1].index(True)
    assert 14 <= first <= 20
    assert all(suspended[first : last + 1])
    assert 40 + SUSPENSION_DAYS < last < 40 + 28 + SUSPENSION_DAYS


def test_a_better_model_and_an_unknown_one_serve() -> None:
    feedback = feedback_of(scores_of("A", range(60), 0.9))

    assert feedback.against(*LSTM_1, day(60)) is None
    assert feedback.against(*LSTM_2, day(60)) is None


def test_scores_are_owed_for_matured_forecasts_of_skus_whose_days_close() -> None:
    feedback = ForecastFeedback()
    for key in KEYS[:2]:
        feedback.note_forecast(key, day(0))
    feedback.note_row(KEYS[0], day(1))

    assert feedback.is_complete(LOCATION, day(0), calendar())
    assert not feedback.is_complete(LOCATION, day(1), calendar())
    feedback.apply(accuracy("A", day(0), 0.5))
    assert feedback.is_complete(LOCATION, day(1), calendar())  # B's day has not closed
    feedback.note_row(KEYS[0], day(7))
    assert not feedback.is_complete(LOCATION, day(7), calendar())
    feedback.apply(accuracy("A", day(0), 0.5, horizon_days=7))
    assert feedback.is_complete(LOCATION, day(7), calendar())
