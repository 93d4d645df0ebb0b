"""`python -m infra.prometheus.rules`: writes the rules file that Prometheus reads, from what is declared."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from infra.errors import exit_with_message
from infra.prometheus.business_alerts import BUSINESS_ALERTS
from infra.prometheus.objectives import BURN_ALERTS, BURN_RECORDINGS
from infra.prometheus.pipeline_alerts import PIPELINE_ALERTS
from infra.prometheus.recordings import RECORDINGS
from infra.prometheus.rule import Alert, Recording

RULES_FILE = Path(__file__).parent / "rules" / "stockstream.yaml"
CHART_FILE = Path(__file__).parents[2] / "helm" / "files" / "rules.yaml"
"""A chart cannot read files outside its folder."""

GROUPS: dict[str, tuple[Recording | Alert, ...]] = {
    "stockstream-recordings": (*RECORDINGS, *BURN_RECORDINGS),
    "stockstream-pipeline": PIPELINE_ALERTS,
    "stockstream-objectives": BURN_ALERTS,
    "stockstream-business": BUSINESS_ALERTS,
}
ALERTS = (*PIPELINE_ALERTS, *BURN_ALERTS, *BUSINESS_ALERTS)

app = typer.Typer(help=__doc__, add_completion=False)


def rules_text(time_scale: float = 1.0) -> str:
    """The rules file; windows, thresholds of age and waits divided by the time scale."""
    groups: list[dict[str, Any]] = [
        {"name": name, "rules": [rule.rule(time_scale) for rule in rules]} for name, rules in GROUPS.items()
    ]
    header = "# Written by python -m infra.prometheus.rules; edit the declarations beside it.\n"
    return header + yaml.safe_dump({"groups": groups}, sort_keys=False, allow_unicode=True, width=110)


@app.command()
def write(
    time_scale: Annotated[
        float, typer.Option(min=1, help="divide windows, ages and waits, for a stack that lives for minutes")
    ] = 1.0,
    out: Annotated[Path, typer.Option(help="file to write")] = RULES_FILE,
) -> None:
    """Write the rules file."""
    out.write_text(rules_text(time_scale))


if __name__ == "__main__":
    exit_with_message(app)
