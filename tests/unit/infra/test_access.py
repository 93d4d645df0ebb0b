"""What components may do is what they do."""

from infra.contracts.access import ACCESS
from infra.contracts.topics import ARCHIVED, CHECKED_BY_SERVING, TOPICS, WITH_LATE_EVENTS
from infra.kafka import topic_partitions
from serving.allocator_stage import allocator_partitions
from serving.board.board import TOPICS_READ
from serving.evaluator_stage import evaluator_partitions
from serving.forecaster_stage import forecaster_partitions
from serving.planner_stage import planner_partitions
from streaming.sources import COMPUTED_FROM


def test_serving_may_read_exactly_what_its_stages_follow() -> None:
    one = frozenset({0})
    assigned = [
        *allocator_partitions(1),
        *evaluator_partitions(one, 1),
        *forecaster_partitions(one, 1),
        *planner_partitions(one, 1),
        *topic_partitions(TOPICS_READ, [0]),
    ]
    letters = {TOPICS[name].dead_letters for name in CHECKED_BY_SERVING}
    assert set(ACCESS["serving"].read_from) == {each.topic for each in assigned} | letters


def test_the_features_job_may_turn_away_what_it_computes_from() -> None:
    turned_away = {TOPICS[source.topic].dead_letters for source in COMPUTED_FROM}
    turned_away |= {TOPICS[name].late for name in WITH_LATE_EVENTS}
    assert set(ACCESS["features"].write_to) == turned_away | {"demand.features.v1"}
    assert set(ACCESS["features"].read_from) == set(ARCHIVED)
