"""What an order now costs over the coming days, on demand paths, if a simple policy orders afterwards.

Days count from 0, the day that starts at the epoch. An order of the epoch with lead time L is on hand when
day L opens; each later review orders by the follow-up policy. Demand that stock cannot serve is lost.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Situation:
    """Where SKUs stand at an epoch; they share the usual lead time and the review period.

    Attributes:
        on_hand: units [skus].
        on_order: units of all open orders [skus].
        arrivals: what of them comes in before each day opens [skus, paths or 1, days].
        lead_days: lead time of the order now [skus or 1, paths or 1].
        usual_lead: lead time that later orders take, in days.
        review_days: days from one order to the next, at least 1.
    """

    on_hand: Floats
    on_order: Floats
    arrivals: Floats
    lead_days: Integers
    usual_lead: int
    review_days: int = 1

    def rows(self, chosen: Integers | slice) -> "Situation":
        """Some of the SKUs."""
        on_hand, on_order, arrivals = self.on_hand[chosen], self.on_order[chosen], self.arrivals[chosen]
        lead_days = self.lead_days if len(self.lead_days) == 1 else self.lead_days[chosen]
        return Situation(on_hand, on_order, arrivals, lead_days, self.usual_lead, self.review_days)

    @property
    def position(self) -> Floats:
        """On hand and on order [skus]."""
        return self.on_hand + self.on_order


@dataclass(frozen=True)
class FollowUpPolicy:
    """Base stock that orders a share of what is missing and counts stock on hand less than stock on order.

    Orders (usual + share (level - position + (1 - weight) on hand))+, rounded. Of what is on hand a part will
    be gone before an order arrives that could serve nothing if it were not there; that part does not replace
    an order. With weight and share 1 this is base stock, with share 0 a constant order, to which the optimum
    for lost sales tends as lead times grow (Goldberg et al., Operations Research 64, 2016).

    Attributes:
        usual: expected demand of the days that an order serves first [skus or 1, days].
        levels: position before the order at which just the usual is ordered [skus or 1, days].
        weights: of stock on hand, 0 to 1 [skus or 1].
        shares: of what is missing, 0 to 1 [skus or 1].
    """

    usual: Floats
    levels: Floats
    weights: Floats
    shares: Floats

    def rows(self, chosen: Integers | slice) -> "FollowUpPolicy":
        """Some of the SKUs."""
        if len(self.levels) == 1:
            return self
        per_day, per_sku = (self.usual, self.levels), (self.weights, self.shares)
        return FollowUpPolicy(*(values[chosen] for values in (*per_day, *per_sku)))

    def orders(self, position: Floats, on_hand: Floats, day: int = 0) -> Integers:
        """Whole units to order on a day [skus]."""
        missing = self.levels[:, day] - position + (1 - self.weights) * on_hand
        wanted = self.usual[:, day] + self.shares * missing
        rounded: Integers = np.floor(np.maximum(wanted, 0) + 0.5).astype(np.int64)
        return rounded


@dataclass(frozen=True)
class DayCosts:
    """What a day costs, given the stock with which it opens.

    Where the days' demands are independent, the expected cost is known from the stock alone (`tables`) and
    spares most of the noise of the paths; else the path's own demand is charged.

    Attributes:
        holding: per unit left at the end of a day [skus or 1].
        stockout: per unit of lost demand [skus or 1].
        tables: expected cost at 0, 1, .. units [skus or 1, days or 1, units]; None for the path's own demand.
    """

    holding: Floats
    stockout: Floats
    tables: Singles | None = None

    def rows(self, chosen: Integers | slice) -> "DayCosts":
        """Some of the SKUs."""
        holding, stockout = (
            cost if len(cost) == 1 else cost[chosen] for cost in (self.holding, self.stockout)
        )
        tables = self.tables
        return DayCosts(holding, stockout, tables if tables is None or len(tables) == 1 else tables[chosen])

    def of_day(self, day: int, stock: Singles, demand: Singles) -> Floats:
        """Mean over the paths [skus, quantities], given stock [skus, quantities, paths]."""
        holding, stockout = self.holding[:, None], self.stockout[:, None]
        if self.tables is None:
            left: Floats = np.maximum(stock - demand, 0).mean(axis=2)
            lost: Floats = np.maximum(demand - stock, 0).mean(axis=2)
            return holding * left + stockout * lost
        table = self.tables[:, min(day, self.tables.shape[1] - 1)]
        index = np.minimum(stock, table.shape[1] - 1).astype(np.int32)
        if len(table) > 1:
            index += (np.arange(len(table), dtype=np.int32) * table.shape[1])[:, None, None]
        beyond: Floats = np.maximum(stock - (table.shape[1] - 1), 0).mean(axis=2)
        expected: Floats = table.ravel()[index].mean(axis=2)
        return expected + holding * beyond


def expected_cost_tables(demand: Floats, holding: Floats, stockout: Floats) -> Singles:
    """Expected cost of a day at each stock, from drawn demand in whole units.

    Args:
        demand: units [skus or 1, draws, days or 1].
        holding: per unit left [skus or 1].
        stockout: per unit lost [skus or 1].

    Returns:
        Cost at 0, 1, .. the largest demand drawn [skus or 1, days or 1, units].
    """
    skus, draws, days = demand.shape
    size = int(demand.max()) + 1
    cell = np.arange(skus)[:, None, None] * days + np.arange(days)
    counts = np.bincount((cell * size + demand.astype(np.int64)).ravel(), minlength=skus * days * size)
    at_most = np.cumsum(counts.reshape(skus, days, size), axis=2) / draws
    left = np.cumsum(at_most, axis=2) - at_most
    mean = demand.mean(axis=1)[:, :, None]
    lost = mean - np.arange(size) + left
    costs: Singles = (holding[:, None, None] * left + stockout[:, None, None] * lost).astype(np.float32)
    return costs


def rollout_costs(
    quantities: Integers,
    situation: Situation,
    demand: Singles,
    costs: DayCosts,
    follow_up: FollowUpPolicy,
    from_day: int | None = None,
) -> Floats:
    """Mean cost over the paths of ordering each quantity now and by the follow-up policy afterwards.

    Args:
        quantities: units [skus, quantities].
        situation: where the SKUs stand.
        demand: units [skus or 1, paths, days].
        costs: of a day.
        follow_up: what later reviews order.
        from_day: first day that is charged; by default the first on which the order can be on hand, since
            no earlier cost depends on it.

    Returns:
        Cost of all days from `from_day` on [skus, quantities].
    """
    days = demand.shape[2]
    constant, share, share_of_stock = _terms(follow_up)
    arrivals = situation.arrivals.astype(np.float32)[:, None]
    ordered = quantities.astype(np.float32)[:, :, None]
    due = _arriving(ordered, situation.lead_days, days)
    stock = situation.on_hand.astype(np.float32)[:, None, None]
    position = situation.position.astype(np.float32)[:, None, None] + ordered
    first = situation.lead_days.min(axis=1, keepdims=True) if from_day is None else np.array([[from_day]])
    total = np.zeros(quantities.shape)
    for day in range(days):
        stock = stock + arrivals[:, :, :, day]
        if day in due:
            stock = stock + due[day]
        if day % situation.review_days == 0 and 0 < day < days - situation.usual_lead:
            wanted = constant[..., day] - share * position + share_of_stock * stock
            order = np.maximum(np.floor(wanted), 0)
            position = position + order
            later = day + situation.usual_lead
            due[later] = due[later] + order if later in due else order
        today = demand[:, None, :, day]
        if day >= first.min():
            total += costs.of_day(day, stock, today) * (day >= first)
        left = np.maximum(stock - today, 0)
        position = position - (stock - left)
        stock = left
    return total


def _terms(follow_up: FollowUpPolicy) -> tuple[Singles, Singles, Singles]:
    """An order is floor(constant - share x position + share of stock x on hand), or nothing."""
    constant = follow_up.usual + follow_up.shares[:, None] * follow_up.levels + 0.5
    share_of_stock = follow_up.shares * (1 - follow_up.weights)
    constant, share, share_of_stock = (
        values.astype(np.float32)[:, None, None] for values in (constant, follow_up.shares, share_of_stock)
    )
    return constant, share, share_of_stock


def _arriving(ordered: Singles, lead_days: Integers, days: int) -> dict[int, Singles]:
    """What the order now brings on each day [skus, quantities, paths or 1]."""
    comes = {int(day): (lead_days == day).astype(np.float32) for day in np.unique(lead_days) if day < days}
    return {day: ordered * share[:, None, :] for day, share in comes.items()}
