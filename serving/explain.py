"""`stockstream explain`: which drivers moved the forecast of a SKU, in units of demand."""

import json
from contextlib import suppress
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import typer

from batch.forecaster.panel import DemandPanel
from infra.contracts.codec import decode, message_key
from infra.contracts.topics import CALENDARS, FEATURES, FORECASTS, PROMOTIONS
from infra.errors import ContractError, StockstreamError, exit_with_message
from infra.kafka import partition_of, read_to_end, topic_partitions
from infra.settings import Settings, load_settings
from serving.explained_forecast import Explained, SeriesRecords, explain_panel, explain_published
from serving.forecast_source import ForecastSource
from serving.inventory.ledger import Key
from serving.promoted_model import load_source

app = typer.Typer(add_completion=False, help=__doc__)


def explained(settings: Settings, key: Key, origin: date | None, days: int) -> Explained:
    """Explains from the panel alone where it covers the origin's whole horizon, else the published forecast.

    Raises:
        StockstreamError: what is asked for is not there, or more days than a forecast has.
    """
    source, panel = load_source(settings.models_dir, settings.panel_dir, settings.forecast_paths)
    if days > source.horizon_days:
        raise StockstreamError(f"--days has value {days}: a forecast has {source.horizon_days} days")
    if panel is not None and origin is not None and _covers(panel, origin, source):
        return explain_panel(panel, source, key, origin, days)
    return explain_published(records_of(settings, key), panel, source, key, origin, days)


def _covers(panel: DemandPanel, origin: date, source: ForecastSource) -> bool:
    last = panel.index(origin + timedelta(days=source.horizon_days - 1))
    return panel.index(origin) > 0 and last < panel.units.shape[1]


def records_of(settings: Settings, key: Key) -> SeriesRecords:
    """What the topics of the running stack say of a series; of its own topics one partition is read."""
    records, wanted = SeriesRecords(), message_key(*key)
    partitions = topic_partitions([CALENDARS], range(settings.partitions))
    partitions += topic_partitions(
        [PROMOTIONS, FEATURES, FORECASTS], [partition_of(wanted, settings.partitions)]
    )
    for record in read_to_end(settings.bootstrap_servers, partitions):
        if record.topic == CALENDARS or record.key == wanted:
            with suppress(ContractError):  # a dead letter by now, which no forecast has read
                records.take(decode(record.topic, record.value), record.offset)
    return records


def as_table(found: Explained) -> str:
    """The drivers, largest first, between the reference and the forecast."""
    explanation = found.explanation
    moved = sorted(explanation.contributions.items(), key=lambda item: -abs(item[1]))
    lines = [("usual level on the usual open days", f"{explanation.reference:,.2f}")]
    lines += [(driver, _signed(units)) for driver, units in moved]
    lines.append(("mean of the forecast", f"{explanation.forecast:,.2f}"))
    if found.published_mean is not None:
        lines.append(("recalibration", _signed(found.published_mean - explanation.forecast)))
        lines.append(("mean of the published forecast", f"{found.published_mean:,.2f}"))
    width, figures = (max(len(line[column]) for line in lines) for column in (0, 1))
    table = [f"  {name:<{width}}  {figure:>{figures}}" for name, figure in lines]
    return "\n".join([*_heading(found), *table])


def _signed(units: float) -> str:
    # Nothing is no less than nothing: -0.00 becomes +0.00.
    return f"{round(units, 2) + 0.0:+,.2f}"


def _heading(found: Explained) -> list[str]:
    by = found.model_id if found.forecaster == "lstm" else found.forecaster
    days = found.explanation.days
    heading = [f"{found.sku} at {found.location}, {days} days from {found.origin}, {by}; units"]
    if found.fallback_reason is not None:
        heading.append(f"the fallback forecast: {found.fallback_reason}")
    if found.same_context is False:
        heading.append("not the days that the published forecast read: the panel or the topics have changed")
    return heading


def as_json(found: Explained) -> dict[str, Any]:
    """Every figure, unrounded."""
    return asdict(found) | {"origin": found.origin.isoformat()}


@app.command()
def explain(
    sku: Annotated[str, typer.Option(help="which SKU")],
    location: Annotated[str | None, typer.Option(help="where; the first location if left out")] = None,
    origin: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="first day ahead; the latest if left out")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="how many days ahead are summed")] = 28,
    as_json_: Annotated[bool, typer.Option("--json", help="every figure as JSON")] = False,
) -> None:
    """Says what each driver adds to the mean demand of the days ahead, from usual to forecast."""
    settings = load_settings()
    key = (sku, location or settings.locations[0])
    found = explained(settings, key, None if origin is None else origin.date(), days)
    print(json.dumps(as_json(found), indent=1) if as_json_ else as_table(found))


if __name__ == "__main__":
    exit_with_message(app)
