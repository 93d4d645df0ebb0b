from infra.contracts.topics import DECISIONS, FORECASTS
from serving.answers import Answers
from serving.partition_log import Entry
from tests.unit.serving.records import EPOCH, LOCATION, MemoryLog, feed, forecast
from tests.unit.serving.test_allocator_stage import allocated

KEY = ("A", LOCATION)


def test_the_latest_forecast_answers_whatever_the_order_of_arrival() -> None:
    log = MemoryLog()
    answers = Answers()
    feed(answers, [log.append(FORECASTS, 0, forecast("A", origin)) for origin in (EPOCH, EPOCH - 1)])

    assert answers.forecasts[KEY].origin_ms == EPOCH


def test_decisions_are_found_by_id_and_by_sku_and_repetitions_are_no_conflict() -> None:
    log = allocated()
    answers = Answers()
    feed(answers, [each for each in log.entries if each.topic == DECISIONS] * 2)

    assert len(answers.decisions) == len(answers.latest_decisions) == 4
    assert answers.decisions[answers.latest_decisions[KEY].decision_id] == answers.latest_decisions[KEY]
    assert answers.conflicts == 0


def test_a_decision_with_another_content_is_a_conflict_and_the_first_stays() -> None:
    first = allocated().messages(DECISIONS)[0]
    answers = Answers()
    feed(
        answers,
        [Entry(DECISIONS, 0, n, first.model_copy(update={"quantity": first.quantity + n})) for n in (0, 1)],
    )

    assert answers.conflicts == 1
    assert answers.decisions[first.decision_id] == first
