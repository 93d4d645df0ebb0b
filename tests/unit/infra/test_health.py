import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from infra.contracts.topics import CLICKSTREAM, FEATURES, FORECASTS, STOCK_LEVELS
from infra.local.health import STAGES, Alert, Health, health
from infra.local.metric_page import MetricPage
from infra.local.status import health_lines

UP = {"broker": 1, "features": 1, "serving": 1, "prometheus": 1}
NOON = 1_316_520_000.0


def page(text: str) -> MetricPage:
    families = text_string_to_metric_families(text)
    return MetricPage([sample for family in families for sample in family.samples])


def serving(silent_seconds: float = 0.0) -> MetricPage:
    polled = time.time() - silent_seconds
    lines = [f'ray_stockstream_last_poll_seconds{{stage="{stage}"}} {polled}' for stage in STAGES]
    return page(
        "\n".join(
            [
                *lines,
                'ray_stockstream_consumer_lag_records{stage="planner",topic="a",replica="1"} 3',
                'ray_stockstream_consumer_lag_records{stage="planner",topic="b",replica="2"} 4',
                f'ray_stockstream_event_time_seconds{{topic="{CLICKSTREAM}"}} {NOON - 60}',
                f'ray_stockstream_event_time_seconds{{topic="{STOCK_LEVELS}"}} {NOON}',
                f'ray_stockstream_event_time_seconds{{topic="{FEATURES}"}} {NOON - 3600}',
                f"ray_stockstream_model_learned_until_seconds {NOON - 10 * 86_400}",
                "ray_stockstream_fallback_share 0.25",
            ]
        )
    )


BROKER = page(
    'kafka_log_end_offset{topic="a.dlq.v1",partition="0"} 2\n'
    'kafka_log_end_offset{topic="a.dlq.v1",partition="1"} 3\n'
    'kafka_log_end_offset{topic="b.late.v1",partition="0"} 7\n'
)
FEATURES_PAGE = page("flink_jobmanager_numRunningJobs 1")


def checked(silent_seconds: float = 0.0, alerts: list[Alert] | None = None) -> Health:
    pages = {"broker": BROKER, "features": FEATURES_PAGE, "serving": serving(silent_seconds)}
    return health(UP, pages, alerts)


def test_a_stack_that_keeps_up_is_healthy_and_says_how_far_it_is() -> None:
    found = checked(alerts=[])

    assert found.problems == []
    assert found.stages["planner"].lag_records == 7
    assert (found.dead_letters, found.late) == (5, 7)
    assert found.clock == NOON
    assert found.behind_seconds["features"] == 3600
    assert found.behind_seconds["forecasts"] is None
    assert (found.fallback_share, found.model_age_days) == (0.25, 10)


def test_a_stopped_stack_is_not_healthy_and_names_every_component() -> None:
    found = health(dict.fromkeys(UP), {}, None)

    assert found.problems == [f"{name} is down" for name in UP]
    assert found.clock is None


@pytest.mark.parametrize(
    ("pages", "problem"),
    [
        ({"broker": None}, "broker exposes no metrics"),
        ({"features": page("flink_jobmanager_numRunningJobs 0")}, "the job of features does not run"),
        ({"serving": MetricPage([])}, "planner tells nothing"),
    ],
)
def test_what_does_not_work_is_named(pages: dict[str, MetricPage | None], problem: str) -> None:
    assert problem in health(UP, pages, None).problems


def test_a_stage_that_fell_silent_is_named() -> None:
    assert "planner has not polled the log for 90 s" in checked(silent_seconds=90).problems


def test_a_firing_alert_is_a_problem_and_a_pending_one_is_not() -> None:
    alerts = [Alert("BrokerDown", "firing", "critical"), Alert("StockOuts", "pending", "warning")]

    found = checked(alerts=alerts)

    assert found.problems == ["alert BrokerDown is firing"]
    assert "BrokerDown firing, StockOuts pending" in "\n".join(health_lines(found))


def test_the_terminal_shows_what_is_known_and_a_dash_for_the_rest() -> None:
    lines = "\n".join(health_lines(checked()))

    assert "2011-09-20 12:00" in lines
    assert "features 1.0 h, forecasts -" in lines
    assert "5 dead letters, 7 late" in lines
    assert "unknown: no Prometheus answers" in lines
    assert FORECASTS not in lines
