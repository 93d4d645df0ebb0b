"""Series that several alerts and panels share.

Ages are differences of event times, never of wall clock and event time: a replay of the past is healthy.
"""

from infra.prometheus.rule import Recording, growth

INPUTS = r"(shop|stock|catalog)\\..+\\.v1|inventory\\.purchase-orders\\.v1"
DEAD_LETTERS = r".+\\.dlq\\.v1"
LATE = r".+\\.late\\.v1"
OUTPUTS = r"demand\\.(features|forecasts|accuracy)\\.v1"


def _by_source(suffix: str, window: str) -> str:
    """Growth of what was turned away, under the name of the topic it came from."""
    counter = f'kafka_topic_messages_in_total{{topic=~".+\\\\.{suffix}\\\\.v1"}}'
    source = f'label_replace({growth(counter, window)}, "source", "$1", "topic", "(.+)\\\\.{suffix}\\\\.v1")'
    return f"sum by (source) ({source})"


def _taken_in(window: str) -> str:
    counter = 'kafka_topic_messages_in_total{topic!~"__.+|.+\\\\.(dlq|late)\\\\.v1"}'
    return f'sum by (source) (label_replace({growth(counter, window)}, "source", "$1", "topic", "(.+)"))'


RECORDINGS = (
    Recording(
        "stockstream:shop_clock:seconds",
        f'max(ray_stockstream_event_time_seconds{{topic=~"{INPUTS}"}})',
    ),
    Recording(
        "stockstream:age:seconds",
        "scalar(stockstream:shop_clock:seconds) - max by (topic) "
        f'(ray_stockstream_event_time_seconds{{topic=~"{OUTPUTS}"}})',
    ),
    Recording("stockstream:lag:records", "sum by (stage) (ray_stockstream_consumer_lag_records)"),
    Recording("stockstream:read:rate5m", "sum by (stage) (rate(ray_stockstream_records_total[5m]))"),
    Recording("stockstream:records_in:growth15m", _taken_in("15m")),
    Recording("stockstream:dead_letters:growth15m", _by_source("dlq", "15m")),
    Recording("stockstream:late:growth15m", _by_source("late", "15m")),
    Recording(
        "stockstream:throughput:rate5m",
        'sum by (topic) (rate(kafka_topic_messages_in_total{topic!~"__.+"}[5m]))',
    ),
    Recording(
        "stockstream:decisions:growth1d",
        f"sum by (status) ({growth('ray_stockstream_decisions_total', '1d')})",
    ),
    Recording(
        "stockstream:items:ratio",
        "sum by (stock) (ray_stockstream_items) / on () group_left () (sum(ray_stockstream_items) > 0)",
    ),
)
