"""The metrics that a component of this machine exposes, as it exposes them now."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

_TIMEOUT_SECONDS = 5.0
_RAY_PREFIX = "ray_"


@dataclass(frozen=True)
class MetricPage:
    """Samples of one page; of a metric that is not on it every answer is None. Names come without `ray_`."""

    samples: list[Sample]

    def values(self, name: str, **labels: str) -> list[float]:
        """Values of a metric whose labels include the given ones."""
        return [
            sample.value
            for sample in self.samples
            if sample.name.removeprefix(_RAY_PREFIX) == name and labels.items() <= sample.labels.items()
        ]

    def total(self, name: str, **labels: str) -> float | None:
        """Their sum."""
        values = self.values(name, **labels)
        return sum(values) if values else None

    def largest(self, name: str, **labels: str) -> float | None:
        """The largest of them."""
        return max(self.values(name, **labels), default=None)

    def label_values(self, name: str, label: str) -> set[str]:
        """What the label of a metric can be."""
        return {
            sample.labels[label]
            for sample in self.samples
            if sample.name.removeprefix(_RAY_PREFIX) == name and label in sample.labels
        }


def read_page(port: int) -> MetricPage | None:
    """The page on a loopback port; None where nothing answers."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_TIMEOUT_SECONDS) as answer:
            return MetricPage(list(_samples(answer.read().decode())))
    except (URLError, OSError):
        return None


def _samples(text: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(text):
        yield from family.samples
