"""`python -m infra.grafana.dashboards`: writes the dashboards that Grafana loads, from what is declared."""

import json
from pathlib import Path
from typing import Annotated

import typer

from infra.errors import exit_with_message
from infra.grafana.board import Board
from infra.grafana.forecast_board import FORECASTS
from infra.grafana.inventory_board import INVENTORY
from infra.grafana.pipeline_board import PIPELINE
from infra.grafana.training_board import TRAINING

FOLDER = Path(__file__).parent / "dashboards"
CHART_FOLDER = Path(__file__).parents[2] / "helm" / "files" / "dashboards"
"""A chart cannot read files outside its folder."""

BOARDS: tuple[Board, ...] = (PIPELINE, FORECASTS, INVENTORY, TRAINING)

app = typer.Typer(help=__doc__, add_completion=False)


def dashboard_texts() -> dict[str, str]:
    """Each dashboard's file, by name."""
    return {f"{board.uid}.json": json.dumps(board.json(), indent=1) + "\n" for board in BOARDS}


@app.command()
def write(out: Annotated[Path, typer.Option(help="folder to write to")] = FOLDER) -> None:
    """Write the dashboards."""
    out.mkdir(parents=True, exist_ok=True)
    for name, text in dashboard_texts().items():
        (out / name).write_text(text)


if __name__ == "__main__":
    exit_with_message(app)
