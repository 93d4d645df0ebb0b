import re
from pathlib import Path

import pytest

from infra.metrics import METRICS, Metric

ROOT = Path(__file__).parents[3]


def recorded_names() -> set[str]:
    sources = [path for package in ("infra", "serving") for path in (ROOT / package).rglob("*.py")]
    text = "".join(path.read_text() for path in sources if path.name != "metrics.py")
    return set(re.findall(r'record\(\s*"(stockstream_\w+)"', text))


def test_every_declared_metric_is_recorded_and_every_recorded_one_is_declared() -> None:
    assert recorded_names() == set(METRICS)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_names_follow_prometheus_and_no_label_names_a_sku(metric: Metric) -> None:
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert bool(metric.buckets) == (metric.kind == "histogram")
    assert not {"sku", "location", "decision_id"} & set(metric.labels)
