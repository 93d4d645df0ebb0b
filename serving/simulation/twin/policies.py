"""The simulated policies by name, each with the one parameter that says how much stock it wants."""

from collections.abc import Callable
from dataclasses import dataclass

from infra.contracts.shop import Item
from infra.errors import StockstreamError
from serving.forecast_source import ForecastSource
from serving.inventory.named_policies import DEFAULT_POLICY
from serving.simulation.twin import set_policies
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

OWN = DEFAULT_POLICY
"""The policy in production where nobody chose another one."""
COVER_GROUP = "cover-group-fill-rate"

Make = Callable[[World, ForecastSource, float], Planner]


@dataclass(frozen=True)
class Kind:
    """What a policy's parameter means, which values are accepted, and who decides."""

    meaning: str
    accepts: Callable[[float], bool]
    make: Make
    default: float | None = None


def _production(set_policy: Callable[[Item, float], Item]) -> Make:
    def make(world: World, source: ForecastSource, parameter: float) -> Planner:
        return ProductionPlanner(world, source, [set_policy(item, parameter) for item in world.items])

    return make


def _share(value: float) -> bool:
    return 0 < value < 1


def _service(what: str, set_policy: Callable[[Item, float], Item], default: float = 0.95) -> Kind:
    return Kind(f"{what} above 0 and below 1", _share, _production(set_policy), default)


def _exchange(set_policy: Callable[[Item, float], Item]) -> Kind:
    meaning = "money, 0.0001 to 1e6, that may lie in stock for a year to spare a unit short"
    return Kind(meaning, lambda value: 1e-4 <= value <= 1e6, _production(set_policy), 0.5)


KINDS = {
    OWN: Kind(
        "cycle service level above 0 and below 1; without one each item's own",
        _share,
        _production(set_policies.covering),
    ),
    COVER_GROUP: _exchange(set_policies.covering_for_group),
    "order-up-to": _service("cycle service level", set_policies.ordering_up_to),
    "order-up-to-fill-rate": _service("fill rate", set_policies.ordering_up_to_fill_rate),
    "order-up-to-cost": _exchange(set_policies.ordering_up_to_cost),
    "capped-base-stock": _service("cycle service level", set_policies.capped),
    "projected-inventory-level": _service("quantile", set_policies.projecting, 0.7),
    "lookahead": _exchange(set_policies.looking_ahead),
    "moving-average": Kind(
        "days averaged, 1 to 365: orders up to their mean x (L + R)",
        lambda days: 1 <= days <= 365,
        lambda world, _, days: MovingAverage(world, days),
        28.0,
    ),
    "newsvendor": Kind(
        "critical ratio above 0 and below 1: quantile of past sales over L + R",
        _share,
        lambda world, _, ratio: NaiveNewsvendor(world, ratio),
        0.95,
    ),
    "sigma-root-l": Kind(
        "z, -5 to 10: orders up to mean28 x (L + R) + z x s28 x sqrt(L + R)",
        lambda z: -5 <= z <= 10,
        lambda world, _, z: SigmaRootL(world, z),
        1.645,
    ),
    "days-of-cover": Kind(
        "days, above 0 to 365: orders up to so many x mean28",
        lambda days: 0 < days <= 365,
        lambda world, _, days: DaysOfCover(world, days),
        21.0,
    ),
    "clairvoyant": Kind(
        "share of demand it plans for, above 0 to 1: knows demand and lead times",
        lambda share: 0 < share <= 1,
        lambda world, _, share: Clairvoyant(world, share),
        1.0,
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
        if self.parameter is None:
            return ProductionPlanner(world, source, world.items)
        return KINDS[self.name].make(world, source, self.parameter)


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
