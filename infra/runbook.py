"""Sections of the runbook, by alert."""

from functools import cache
from pathlib import Path

RUNBOOK = Path(__file__).parent / "runbook.md"


@cache
def sections() -> dict[str, str]:
    """The text (Markdown) below each alert's heading."""
    parts = RUNBOOK.read_text().split("\n## ")[1:]
    return {heading.strip(): text.strip() for heading, _, text in (part.partition("\n") for part in parts)}
