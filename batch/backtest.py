"""`stockstream backtest`: a trained model against the baselines at rolling origins of the panel."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from batch.forecaster.artifact import current_model, load_artifact
from batch.forecaster.panel import read_panel
from batch.forecaster.predictor import load_predictor
from batch.model_gate import ORIGIN_SPACING_DAYS, compare, rolling_origins
from batch.model_report import comparison_table
from infra.errors import StockstreamError, exit_with_message
from infra.settings import load_settings

app = typer.Typer(help=__doc__, add_completion=False)


def backtest(panel_dir: Path, models_dir: Path, model_id: str, origins: int, spacing: int) -> dict[str, Any]:
    """Scores a model at the panel's last origins.

    Returns:
        The report: model, panel hash, how many origins the model has learned from, and all scores.
    """
    panel = read_panel(panel_dir)
    artifact = load_artifact(models_dir, model_id)
    columns = rolling_origins(panel, origins, spacing)
    learned_until = artifact.manifest["learned_until"]
    return {
        "model_id": model_id,
        "panel_hash": panel.panel_hash,
        "learned_until": learned_until,
        "origins_learned_from": sum(panel.day(column).isoformat() < learned_until for column in columns),
        **compare(panel, columns, load_predictor(artifact)),
    }


@app.command()
def main(
    model: Annotated[str | None, typer.Option(help="model id; the current model by default")] = None,
    origins: Annotated[int, typer.Option(min=1, help="number of origins")] = 6,
    spacing: Annotated[int, typer.Option(min=1, help="days between origins")] = ORIGIN_SPACING_DAYS,
) -> None:
    """Score a model at past origins; writes `backtest/report.json` in the run directory."""
    settings = load_settings()
    model_id = model or current_model(settings.models_dir)
    if model_id is None:
        raise StockstreamError(f"no model is promoted in {settings.models_dir}: give --model or run `train`")
    report = backtest(settings.panel_dir, settings.models_dir, model_id, origins, spacing)
    target = settings.run_dir / "backtest" / "report.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(report, indent=1) + "\n")
    typer.echo(comparison_table(report))
    if report["origins_learned_from"]:
        typer.echo(
            f"{report['origins_learned_from']} origins lie before {report['learned_until']}: seen in training"
        )
    typer.echo(f"report: {target}")


if __name__ == "__main__":
    exit_with_message(app)
