"""A simulated world of shelves and suppliers, drawn by hashes of (SKU, day, purpose); its ledger as arrays.

Days are whole; a decision of day t is taken at its midnight, after that midnight's receipts. Its order is
placed `placing` days later, acknowledged after `acknowledging` more, perhaps for less, and received in one
part or two, of which the second may be cancelled. Everything follows from (SKU, t) and the quantity, so the
message-driven ledger and the arrays below live in the same world without sharing any code that counts.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

_HORIZON = 32
"""More days than any event of an order lies ahead of its decision."""


def uniform(purpose: int, skus: Integers, day: int) -> Floats:
    """Numbers in [0, 1), one per SKU, by the finaliser of SplitMix64 (Steele, Lea & Flood 2014)."""
    with np.errstate(over="ignore"):
        x = skus.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64((day + 1) * 64 + purpose + 1)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((x ^ (x >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53


class Rules(NamedTuple):
    """Order-up-to level, maximum stock, case pack and minimum order of each SKU."""

    level: Integers
    maximum: Integers
    pack: Integers
    minimum: Integers


def rules_of(skus: Integers) -> Rules:
    """Rules in which packs and minimum orders often do not fit under the maximum."""
    level = 40 + (60 * uniform(0, skus, -1)).astype(np.int64)
    pack = np.array([1, 4, 6, 12])[(4 * uniform(1, skus, -1)).astype(np.int64)]
    minimum = np.where(uniform(2, skus, -1) < 0.5, 1, 10)
    return Rules(level, level + 8, pack, minimum)


def demand_of(skus: Integers, day: int) -> Integers:
    """Geometric demand, mean 5."""
    units: Integers = np.floor(np.log1p(-uniform(3, skus, day)) / np.log(5 / 6)).astype(np.int64)
    return units


class Course(NamedTuple):
    """What becomes of the orders decided on one day; days count from the decision."""

    placed: Integers
    acknowledged: Integers
    acknowledgement_lost: NDArray[np.bool_]
    agreed: Integers
    first: Integers
    first_day: Integers
    rest_day: Integers
    rest_cancelled: NDArray[np.bool_]


def course_of(skus: Integers, day: int, quantity: Integers) -> Course:
    """Delays, losses and parts of the orders for `quantity` units."""
    placed = (4 * uniform(4, skus, day)).astype(np.int64)
    acknowledged = placed + 1 + (3 * uniform(5, skus, day)).astype(np.int64)
    lost = uniform(6, skus, day) < 0.3
    short = ~lost & (uniform(7, skus, day) < 0.1)
    agreed = np.where(short, quantity - quantity // 4, quantity)
    first_day = placed + 4 + (9 * uniform(8, skus, day)).astype(np.int64)
    split = uniform(9, skus, day) < 0.4
    first = np.where(split, (agreed + 1) // 2, agreed)
    rest_day = first_day + 1 + (5 * uniform(10, skus, day)).astype(np.int64)
    cancelled = uniform(11, skus, day) < 0.1
    return Course(placed, acknowledged, lost, agreed, first, first_day, rest_day, cancelled)


@dataclass
class Totals:
    """Units since the beginning, per SKU."""

    ordered: Integers
    not_agreed: Integers
    cancelled: Integers
    received: Integers
    served: Integers


class Shelves:
    """Every SKU's shelf and what is on order, advanced a day at a time by array operations alone."""

    def __init__(self, skus: Integers, opening: int) -> None:
        self.skus, self.rules = skus, rules_of(skus)
        zeros = np.zeros(len(skus), dtype=np.int64)
        self.on_hand, self.on_order = zeros + opening, zeros.copy()
        self._opening = opening
        self._arriving = np.zeros((_HORIZON, len(skus)), dtype=np.int64)
        self._leaving = np.zeros((_HORIZON, len(skus)), dtype=np.int64)
        self.totals = Totals(*(zeros.copy() for _ in range(5)))

    def open_day(self, day: int) -> None:
        """Receipts of the midnight, and what is no longer to come."""
        row = day % _HORIZON
        self.on_hand += self._arriving[row]
        self.totals.received += self._arriving[row]
        self.on_order -= self._leaving[row]
        self._arriving[row] = 0
        self._leaving[row] = 0

    def decide(self) -> Integers:
        """Orders up to the level within the rules; units."""
        level, maximum, pack, minimum = self.rules
        position = self.on_hand + self.on_order
        room = np.maximum(maximum - position, 0)
        wanted = np.minimum(np.maximum(level - position, 0), room)
        wanted = np.where((wanted > 0) & (wanted < minimum), minimum, wanted)
        wanted = -(-wanted // pack) * pack
        fitting = room // pack * pack
        least = -(-minimum // pack) * pack
        return np.where(wanted > room, np.where(fitting >= least, fitting, 0), wanted)

    def order(self, day: int, quantity: Integers) -> None:
        """Puts the consequences of the decisions on the days ahead."""
        course = course_of(self.skus, day, quantity)
        rest = course.agreed - course.first
        self._put(self._leaving, day + course.acknowledged + 1, quantity - course.agreed)
        self._put(self._leaving, day + course.first_day, course.first)
        self._put(self._leaving, day + course.rest_day, rest)
        self._put(self._arriving, day + course.first_day, course.first)
        self._put(self._arriving, day + course.rest_day, np.where(course.rest_cancelled, 0, rest))
        self.on_order += quantity
        self.totals.ordered += quantity
        self.totals.not_agreed += quantity - course.agreed
        self.totals.cancelled += np.where(course.rest_cancelled, rest, 0)

    def _put(self, ahead: Integers, day: Integers, units: Integers) -> None:
        ahead[day % _HORIZON, np.arange(len(units))] += units

    def serve(self, day: int) -> None:
        """Sells what is there; the rest is lost."""
        served = np.minimum(demand_of(self.skus, day), self.on_hand)
        self.on_hand -= served
        self.totals.served += served

    def unbalanced(self) -> int:
        """SKUs whose units do not add up, on the shelf or on order."""
        totals = self.totals
        shelf = self._opening + totals.received - totals.served - self.on_hand
        coming = self._arriving.sum(axis=0)
        orders = totals.ordered - totals.not_agreed - totals.received - totals.cancelled - coming
        return int(((shelf != 0) | (orders != 0)).sum())

    def over_maximum(self, quantity: Integers) -> int:
        """Decisions that would bring on hand and on order past the maximum."""
        return int(((quantity > 0) & (self.on_hand + self.on_order + quantity > self.rules.maximum)).sum())
