"""What Ray's worker processes print while a verb runs."""

import logging


def errors_only() -> None:
    """Silences information and warnings, among them one a second about the dashboard that is not started."""
    logging.disable(logging.WARNING)
