"""The simulated policies by name, each with the one parameter that says how much stock it wants."""

from collections.abc import Callable
from dataclasses import dataclass

from infra.errors import StockstreamError
from serving.forecast_source import ForecastSource
from serving.inventory.policy import POLICY
from serving.simulation.twin.comparators import (
    Clairvoyant,
    DaysOfCover,
    MovingAverage,
    NaiveNewsvendor,
    SigmaRootL,
)
from serving.simulation.twin.loop import Planner
from serving.simulation.twin.production import ProductionPlanner
from serving.simulation.twin.world import World

OWN = POLICY.rpartition(".")[0]
"""The policy in production, without its version."""


@dataclass(frozen=True)
class Kind:
    """What a policy's parameter means, and which values are accepted."""

    meaning: str
    accepts: Callable[[float], bool]
    default: float | None = None


KINDS = {
    OWN: Kind(
        "cycle service level above 0 and below 1; the items' own without one", lambda level: 0 < level < 1
    ),
    "moving-average": Kind(
        "days averaged, 1 to 365: orders up to their mean x (L + R)", lambda days: 1 <= days <= 365, 28.0
    ),
    "newsvendor": Kind(
        "critical ratio above 0 and below 1: quantile of past sales over L + R", lambda r: 0 < r < 1, 0.95
    ),
    "sigma-root-l": Kind(
        "z, -5 to 10: orders up to mean28 x (L + R) + z x s28 x sqrt(L + R)", lambda z: -5 <= z <= 10, 1.645
    ),
    "days-of-cover": Kind(
        "days, above 0 to 365: orders up to so many x mean28", lambda days: 0 < days <= 365, 21.0
    ),
    "clairvoyant": Kind(
        "share of demand it plans for, above 0 to 1: knows demand and lead times", lambda s: 0 < s <= 1, 1.0
    ),
}


@dataclass(frozen=True)
class Policy:
    """A policy with its parameter; None: the items' own."""

    name: str
    parameter: float | None

    @property
    def label(self) -> str:
        return self.name if self.parameter is None else f"{self.name}:{self.parameter:g}"

    def planner(self, world: World, source: ForecastSource) -> Planner:
        """A planner for one run."""
        if self.name == OWN:
            return ProductionPlanner(world, source, self.parameter)
        makers: dict[str, Callable[[World, float], Planner]] = {
            "moving-average": MovingAverage,
            "newsvendor": NaiveNewsvendor,
            "sigma-root-l": SigmaRootL,
            "days-of-cover": DaysOfCover,
            "clairvoyant": Clairvoyant,
        }
        assert self.parameter is not None
        return makers[self.name](world, self.parameter)


def parse_policy(text: str) -> Policy:
    """A policy from `NAME[:parameter]`.

    Raises:
        StockstreamError: the name or the parameter is unknown; says what there is.
    """
    name, colon, value = text.partition(":")
    kind = KINDS.get(name)
    if kind is None:
        raise StockstreamError(f"option --policy: no policy {name!r}; there are: {', '.join(KINDS)}")
    if not colon:
        return Policy(name, kind.default)
    try:
        parameter = float(value)
    except ValueError:
        parameter = float("nan")
    if not kind.accepts(parameter):
        raise StockstreamError(f"option --policy {text}: the parameter is {kind.meaning}")
    return Policy(name, parameter)
