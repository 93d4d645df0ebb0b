"""The lookahead policy against the exact optimum, Poisson demand."""

from tests.benchmarks.figures import Figure
from tests.benchmarks.inventory.testbed import testbed_figures


def figures() -> list[Figure]:
    """Ratios and times of the 16 items."""
    return testbed_figures("poisson")
