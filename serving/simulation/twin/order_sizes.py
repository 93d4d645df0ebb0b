"""What can be ordered of what is wanted, for planners outside the production code."""

import numpy as np

from serving.inventory.cover import Floats, Integers
from serving.simulation.twin.world import World


def order_sizes(wanted: Floats | Integers, world: World) -> Integers:
    """Whole packs and at least the minimum order of each row that wants anything (rows,).

    The same rules as `comparison_planners.order_quantity`, vectorised.
    """
    least = np.array([item.min_order_quantity for item in world.items])
    pack = np.array([item.case_pack for item in world.items])
    units = np.ceil(wanted).astype(np.int64)
    return np.where(units > 0, -(-np.maximum(units, least) // pack) * pack, 0)
