"""What a finished replay left in the topics: counts, forecasts, decisions and budget steps."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from infra.contracts.codec import decode
from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import AllocationRun, ReorderDecision
from infra.contracts.topics import (
    ALLOCATION_RUNS,
    ARCHIVED,
    DECISIONS,
    FEATURES,
    FORECASTS,
    TOPICS,
    WITH_LATE_EVENTS,
    turned_away,
)
from infra.kafka import make_consumer, read_to_end, topic_partitions
from infra.settings import Settings
from serving.inventory.local_days import local_date


@dataclass(frozen=True)
class TopicResults:
    """Messages of a replay; repetitions of a forecast or a decision count once."""

    records: dict[str, int]
    forecasts: dict[tuple[str, date], DemandForecast]
    decisions: dict[str, ReorderDecision]
    runs: dict[str, AllocationRun]

    @property
    def events_in(self) -> int:
        """Records of the shop and the planners, heartbeats included."""
        return sum(self.records[topic] for topic in ARCHIVED)

    @property
    def features(self) -> int:
        return self.records[FEATURES]

    @property
    def late(self) -> int:
        return sum(self.records[TOPICS[topic].late] for topic in WITH_LATE_EVENTS)

    @property
    def dead_letters(self) -> int:
        return sum(self.records[topic.dead_letters] for topic in TOPICS.values())

    @property
    def fallback_share(self) -> float:
        """Share of forecasts that did not come from the model."""
        kinds = Counter(forecast.forecaster for forecast in self.forecasts.values())
        return 1 - kinds["lstm"] / max(kinds.total(), 1)

    @property
    def bound_epochs(self) -> list[int]:
        """Epochs in which the budget gave a SKU less than it wanted."""
        return sorted(
            run.epoch_ms
            for run in self.runs.values()
            if any(line.allocated < line.wanted for line in run.lines)
        )


def read_results(settings: Settings) -> TopicResults:
    """Reads the topics from their beginning to their present end."""
    forecasts, decisions, runs = {}, {}, {}
    assigned = topic_partitions((FORECASTS, DECISIONS, ALLOCATION_RUNS), range(settings.partitions))
    for record in read_to_end(settings.bootstrap_servers, assigned):
        message = decode(record.topic, record.value)
        if isinstance(message, DemandForecast):
            origin = local_date(message.origin_ms, settings.time_zone)
            forecasts[message.sku, origin] = message
        elif isinstance(message, ReorderDecision):
            decisions[message.decision_id] = message
        else:
            runs[message.run_id] = message
    return TopicResults(count_records(settings), forecasts, decisions, runs)


def count_records(settings: Settings) -> dict[str, int]:
    """Records per topic, dead letters and late ones too."""
    names = [*TOPICS, *(name for topic in TOPICS for name in turned_away(topic))]
    assigned = topic_partitions(names, range(settings.partitions))
    consumer = make_consumer(settings.bootstrap_servers)
    try:
        begin, end = consumer.beginning_offsets(assigned), consumer.end_offsets(assigned)
    finally:
        consumer.close()
    counts: Counter[str] = Counter({name: 0 for name in names})
    for tp in assigned:
        counts[tp.topic] += end[tp] - begin[tp]
    return dict(counts)
