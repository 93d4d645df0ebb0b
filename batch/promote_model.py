"""`stockstream promote` and `rollback`: which model serves."""

from pathlib import Path
from typing import Annotated

import typer

from batch.forecaster.artifact import current_model, load_artifact, point_to, roll_back
from batch.forecaster.errors import ModelRejected
from infra.errors import exit_with_message
from infra.settings import load_settings

app = typer.Typer(help=__doc__, add_completion=False)


def promote_model(models_dir: Path, model_id: str) -> None:
    """Makes a model the current one.

    Raises:
        ModelRejected: its files are damaged, or it does not beat both baselines on both scores.
    """
    artifact = load_artifact(models_dir, model_id)
    if artifact.metrics.get("passes") is not True:
        ratio = artifact.metrics.get("ratio_to_better_baseline")
        raise ModelRejected(
            f"model {model_id} does not beat the baselines (ratios {ratio}, accepted: below 1)"
        )
    point_to(models_dir, model_id)


def promote_if_better(models_dir: Path, model_id: str) -> str:
    """Promotes a model that passes, else keeps what serves; returns a line that says which."""
    try:
        promote_model(models_dir, model_id)
    except ModelRejected as error:
        return f"{error}; {current_model(models_dir) or 'the fallback'} keeps serving"
    return f"model {model_id} promoted"


@app.command()
def promote(model_id: Annotated[str, typer.Argument(help="a folder of the models directory")]) -> None:
    """Make a model the current one if it beats the baselines."""
    promote_model(load_settings().models_dir, model_id)
    typer.echo(f"model {model_id} promoted")


@app.command()
def rollback() -> None:
    """Return to the model before the current one; without one, to the fallback."""
    before = roll_back(load_settings().models_dir)
    typer.echo(
        f"model {before} is current again" if before else "no earlier model: the fallback forecasts now"
    )


if __name__ == "__main__":
    exit_with_message(app)
