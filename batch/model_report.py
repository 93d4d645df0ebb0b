"""A comparison of forecasters as text."""

from typing import Any


def comparison_table(metrics: dict[str, Any]) -> str:
    """The pooled scores of `batch.model_gate.compare`, one forecaster per line."""
    origins = metrics["origins"]
    lines = [
        f"{len(origins)} origins, {origins[0]} to {origins[-1]}, 28 days each",
        f"{'forecaster':<24}{'WQL':>8}{'14-day':>9}{'80 % interval':>15}",
    ]
    for name, score in metrics["pooled"].items():
        lines.append(
            f"{name:<24}{score['wql']:>8.4f}{score['cumulative_pinball_14']:>9.4f}"
            f"{score['coverage_80_of_14_days']:>15.1%}"
        )
    ratio = metrics["ratio_to_better_baseline"]
    lines.append(
        f"{'ratio to better baseline':<24}{ratio['wql']:>8.4f}{ratio['cumulative_pinball_14']:>9.4f}"
        f"{'passes' if metrics['passes'] else 'does not pass':>15}"
    )
    return "\n".join(lines)
