"""Meters that keep what was recorded, for tests of gauges."""

from infra.metrics import METRICS


class Readings:
    """The last value of every gauge, and the sum of everything else, by name and label values."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def record(self, name: str, value: float = 1.0, **labels: str) -> None:
        assert set(labels) == set(METRICS[name].labels)
        key = " ".join([name.removeprefix("stockstream_"), *(labels[each] for each in METRICS[name].labels)])
        before = 0.0 if METRICS[name].kind == "gauge" else self.values.get(key, 0.0)
        self.values[key] = before + value
