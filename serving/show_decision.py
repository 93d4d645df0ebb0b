"""`stockstream decision`: says in words why a decision orders what it orders."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.contracts.codec import decode
from infra.contracts.inventory import ReorderDecision
from infra.contracts.topics import DECISIONS
from infra.errors import StockstreamError, exit_with_message
from infra.settings import load_settings
from serving.inventory.decision_words import explain_decision
from serving.inventory.ledger import Key
from serving.replay import FolderSource, Source, TopicSource

app = typer.Typer(add_completion=False, help=__doc__)


def decision_by_id(decisions: Iterable[ReorderDecision], decision_id: str) -> ReorderDecision:
    """The decision with the id.

    Raises:
        StockstreamError: there is none.
    """
    for decision in decisions:
        if decision.decision_id == decision_id:
            return decision
    raise StockstreamError(f"there is no decision {decision_id}")


def latest_decision(decisions: Iterable[ReorderDecision], key: Key) -> ReorderDecision:
    """The newest decision of a SKU at a location: the one that no other supersedes.

    Raises:
        StockstreamError: there is none.
    """
    own = [each for each in decisions if (each.sku, each.location) == key]
    if not own:
        raise StockstreamError(f"there is no decision of {key[0]} at {key[1]}")
    return max(own, key=lambda each: (each.epoch_ms, each.sequence))


def as_json(decision: ReorderDecision) -> dict[str, Any]:
    """The decision as published, with the words beside it."""
    return decision.model_dump(mode="json") | {"explanation": explain_decision(decision)}


def as_text(decision: ReorderDecision) -> str:
    """Which decision, in words, and what replaced what."""
    heading = f"{decision.sku} at {decision.location}, decision {decision.decision_id}"
    if decision.supersedes is not None:
        heading += f", instead of {decision.supersedes}"
    return f"{heading}\n  {explain_decision(decision)}"


@app.command()
def decision(
    decision_id: Annotated[str | None, typer.Argument(help="which decision")] = None,
    sku: Annotated[str | None, typer.Option(help="the latest decision of this SKU instead")] = None,
    location: Annotated[str | None, typer.Option(help="where; the first location if left out")] = None,
    file: Annotated[Path | None, typer.Option(help="read a folder of <topic>.jsonl, not the topics")] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="the whole decision as JSON")] = False,
) -> None:
    """Explains one decision, by its id or as the latest of a SKU."""
    if (decision_id is None) == (sku is None):
        raise StockstreamError("either a decision's id or --sku is expected")
    settings = load_settings()
    source: Source = FolderSource(file) if file is not None else TopicSource(settings)
    decisions = (decode(DECISIONS, value) for value in source.values(DECISIONS))
    if sku is not None:
        found = latest_decision(decisions, (sku, location or settings.locations[0]))
    else:
        found = decision_by_id(decisions, str(decision_id))
    print(json.dumps(as_json(found), indent=1) if as_json_ else as_text(found))


if __name__ == "__main__":
    exit_with_message(app)
