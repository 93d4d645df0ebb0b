"""The simulated policies by name, each with the one parameter that says how much stock it wants."""

from collections.abc import Callable
from dataclasses import dataclass

from infra.contracts.replenishment import Replenishment, SegmentReplenishment
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
OfItem = Callable[[Item, float], Replenishment]
OfAny = Callable[[float], Replenishment]


@dataclass(frozen=True)
class Kind:
    """What a policy's parameter means, which values are accepted, and who decides.

    `of_any` is what a planner says to have it for any item; None where it depends on the item's cost, or is
    not in production.
    """

    meaning: str
    accepts: Callable[[float], bool]
    make: Make
    default: float | None = None
    of_any: OfAny | None = None


EXCHANGE = "money, 0.0001 to 1e6, that may lie in stock for a year to spare a unit short"


def _production(of_item: OfItem) -> Make:
    def make(world: World, source: ForecastSource, parameter: float) -> Planner:
        items = [item.model_copy(update={"replenishment": of_item(item, parameter)}) for item in world.items]
        return ProductionPlanner(world, source, items)

    return make


def _of_any(meaning: str, accepts: Callable[[float], bool], of_any: OfAny, default: float | None) -> Kind:
    return Kind(meaning, accepts, _production(lambda _, parameter: of_any(parameter)), default, of_any)


def _share(value: float) -> bool:
    return 0 < value < 1


def _money(value: float) -> bool:
    return 1e-4 <= value <= 1e6


def _service(what: str, of_any: OfAny, default: float = 0.95) -> Kind:
    return _of_any(f"{what} above 0 and below 1", _share, of_any, default)


def _exchange(of_item: OfItem) -> Kind:
    return Kind(EXCHANGE, _money, _production(of_item), 0.5)


KINDS = {
    OWN: _of_any(
        "cycle service level above 0 and below 1; without one each item's own",
        _share,
        set_policies.covering,
        None,
    ),
    COVER_GROUP: _of_any(EXCHANGE, _money, set_policies.covering_for_group, 0.5),
    "order-up-to": _service("cycle service level", set_policies.ordering_up_to),
    "order-up-to-fill-rate": _service("fill rate", set_policies.ordering_up_to_fill_rate),
    "order-up-to-cost": _exchange(set_policies.ordering_up_to_cost),
    "min-max": _of_any(
        f"money, 0.0001 to 1e6, that an order line costs: (R,s,S) at {set_policies.LOT_SERVICE:.0%} cycle "
        f"service, holding {set_policies.LOT_HOLDING_RATE:.0%} a year",
        _money,
        set_policies.ordering_in_lots,
        5.0,
    ),
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

    @property
    def of_any(self) -> Replenishment | None:
        """What a planner says to have it for any item; None for the default, and where nobody can."""
        of_any = KINDS[self.name].of_any
        return None if of_any is None or self.parameter is None else of_any(self.parameter)


@dataclass(frozen=True)
class SegmentPolicies:
    """The policies that a planner has set for a group and its segments; None is the default.

    Args:
        rows: the segment of each row of the world.
        whole: what the planning group's policy says of all items.
        segments: what it says of those in segments.
    """

    rows: tuple[str, ...]
    whole: Replenishment | None
    segments: tuple[SegmentReplenishment, ...]
    label: str = "chosen-per-segment"

    def planner(self, world: World, source: ForecastSource) -> Planner:
        """A planner for one run."""
        rows = zip(world.items, self.rows, strict=True)
        items = [item.model_copy(update={"segment": segment}) for item, segment in rows]
        return ProductionPlanner(world, source, items, (self.whole, self.segments))


Simulated = Policy | SegmentPolicies


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
