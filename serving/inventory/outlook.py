"""What SKUs face at an epoch: joint demand paths, stock, and when open orders and a new one come in."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from infra.contracts.inventory import DecisionInputs
from serving.inventory.cover import required_quantities
from serving.inventory.policies import Floats, Integers
from serving.inventory.stock_levels import demand_over

Named = TypeVar("Named")


@dataclass(frozen=True)
class Outlook:
    """The view on which SKUs are decided together.

    Attributes:
        inputs: of each SKU.
        demand: joint paths, units [skus, paths, horizon].
        net_stock: units free, less what is owed [skus].
        arrivals: units of open orders received before each day opens [skus, paths, horizon].
        lead_days: of an order placed now, `lead_within` the horizon [skus, paths].
        decision_ids: of each SKU.
        epochs_ms: of each SKU.
    """

    inputs: Sequence[DecisionInputs]
    demand: Floats
    net_stock: Floats
    arrivals: Floats
    lead_days: Integers
    decision_ids: Sequence[str]
    epochs_ms: Sequence[int]

    @property
    def review_days(self) -> Integers:
        """Days to the next review [skus]."""
        return np.array([each.review_period_days for each in self.inputs])

    @property
    def on_order(self) -> Integers:
        """Units of all open orders [skus]."""
        return np.array([sum(order.outstanding for order in each.open_orders) for each in self.inputs])

    @property
    def position(self) -> Integers:
        """On hand and on order, less what is reserved and owed [skus]."""
        return self.net_stock.astype(np.int64) + self.on_order

    @cached_property
    def periods(self) -> tuple[Floats, Floats]:
        """Demand until this order and until the next review's can be on hand [skus, paths].

        Of a review period longer than the horizon only the horizon is known.
        """
        return demand_over(self.demand, self.lead_days, np.minimum(self.review_days, self.demand.shape[2]))

    @cached_property
    def required(self) -> Floats:
        """The least quantity per path with which no day until the next order runs out.

        [skus, paths], ascending: which path it is of tells nothing more.
        """
        waits = np.array([each.unmet_demand == "backordered" for each in self.inputs])
        by_path = required_quantities(
            self.demand, self.net_stock, self.arrivals, self.lead_days, self.review_days, waits
        )
        return np.sort(by_path, axis=1)

    def policies(self, kind: type[Named]) -> list[Named]:
        """The SKUs' policies, all of one kind."""
        return [each.replenishment for each in self.inputs if isinstance(each.replenishment, kind)]
