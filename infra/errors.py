"""Errors a user can act on.

StockstreamError
├── ContractError      a message breaks its contract
└── WaitExpired        a bounded wait ended without its condition
"""

import sys
from collections.abc import Callable


class StockstreamError(Exception):
    """A failure whose message is one clear line for the user."""


class ContractError(StockstreamError):
    """A message breaks its contract; names the field, the value and what is accepted."""

    def __init__(self, topic: str, field: str, value: object, accepted: str) -> None:
        super().__init__(f"{topic}: field '{field}' has value {value!r:.80}: {accepted}")
        self.topic, self.field, self.value, self.accepted = topic, field, value, accepted


class WaitExpired(StockstreamError):
    """A bounded wait ended without its condition."""


def exit_with_message(main: Callable[[], None]) -> None:
    """Runs a verb; a `StockstreamError` becomes one line on stderr and exit status 1."""
    try:
        main()
    except StockstreamError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
