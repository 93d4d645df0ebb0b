"""The stock expected when an order comes in, exactly, for many states of a lost-sales item at once."""

import numpy as np
from numpy.typing import NDArray

from serving.inventory.exact.lost_sales_model import Floats, LostSalesModel

_CHUNK = 4096


def expected_stock(model: LostSalesModel, states: NDArray[np.int64]) -> Floats:
    """Expected units on hand, unmet demand being lost, just before an order of now comes in [states]."""
    leftover = model.leftover(int(states.sum(axis=1).max()))
    chunks = [states[start : start + _CHUNK] for start in range(0, len(states), _CHUNK)]
    return np.concatenate([_projected(leftover, chunk) for chunk in chunks])


def _projected(leftover: Floats, states: NDArray[np.int64]) -> Floats:
    units = np.arange(len(leftover))
    chances = (states[:, :1] == units).astype(float)
    for arriving in states[:, 1:].T:
        left = chances @ leftover
        source = units - arriving[:, None]
        chances = np.where(source >= 0, np.take_along_axis(left, np.maximum(source, 0), axis=1), 0)
    expected: Floats = chances @ leftover @ units
    return expected
