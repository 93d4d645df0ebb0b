"""The conservation law of a shelf: what stock levels say against what movements explain.

Levels are the authority for on hand, and movements are never added to them. Between two levels stock can fall
by what was sold, which is not a movement; it can rise only by what movements brought. A rise beyond that is
a record that was lost or a count that is wrong, and somebody should look.
"""

from bisect import bisect_right, insort

from infra.contracts.shop import StockMovement

_SIGNS = {"receipt": 1, "transfer_in": 1, "return_to_stock": 1, "transfer_out": -1, "write_off": -1}


class StockAccount:
    """Movements of every SKU and location, for any interval of event time."""

    def __init__(self) -> None:
        self._movements: dict[tuple[str, str], list[tuple[int, str, str, int]]] = {}

    def apply(self, movement: StockMovement) -> None:
        """Takes a movement; its id makes a repetition harmless."""
        entries = self._movements.setdefault((movement.sku, movement.location), [])
        entry = (movement.event_time_ms, movement.event_id, movement.event_type, movement.quantity)
        if entry not in entries:
            insort(entries, entry)

    def unexplained_gain(
        self, key: tuple[str, str], since_ms: int, until_ms: int, before: int | None, after: int | None
    ) -> int:
        """Units that stock rose by between two instants without a movement; 0 where a count settled it.

        Args:
            key: SKU and location.
            since_ms: exclusive.
            until_ms: inclusive.
            before: level at `since_ms`, None if unknown: then nothing can be said, and 0 is.
            after: level at `until_ms`, likewise.
        """
        if before is None or after is None:
            return 0
        entries = self._movements.get(key, [])
        first, last = (
            bisect_right(entries, at_ms, key=lambda entry: entry[0]) for at_ms in (since_ms, until_ms)
        )
        between = entries[first:last]
        if any(kind == "stock_count" for _, _, kind, _ in between):
            return 0
        brought = sum(_SIGNS[kind] * quantity for _, _, kind, quantity in between)
        return max(0, after - before - brought)

    def forget_before(self, as_of_ms: int) -> None:
        """Drops movements up to an instant that no interval still to be asked for begins before."""
        for key, entries in self._movements.items():
            known = bisect_right(entries, as_of_ms, key=lambda entry: entry[0])
            self._movements[key] = entries[known:]
