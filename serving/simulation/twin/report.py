"""A simulation's report: numbers with intervals, the table for people, and what was simulated."""

from collections.abc import Mapping, Sequence
from typing import Any

from serving.simulation.twin.choice import Choice
from serving.simulation.twin.choice_report import choice_report, choice_table
from serving.simulation.twin.intervals import estimates
from serving.simulation.twin.policies import Simulated
from serving.simulation.twin.runs import Experiment, Result
from serving.simulation.twin.scores import METRICS

SHOWN = (
    ("fill rate", "fill_rate", "{:.1%}"),
    ("cycle service", "cycle_service", "{:.1%}"),
    ("stock value", "average_stock_value", "{:,.0f}"),
    ("turns", "turns", "{:.1f}"),
    ("holding", "holding_cost", "{:,.0f}"),
    ("shortage", "shortage_cost", "{:,.0f}"),
    ("ordering", "ordering_cost", "{:,.0f}"),
    ("waste", "waste_cost", "{:,.0f}"),
    ("total cost", "total_cost", "{:,.0f}"),
    ("bullwhip", "bullwhip", "{:.2f}"),
    ("nervousness", "nervousness", "{:.2f}"),
)
INTERVALS = (SHOWN[0], SHOWN[2], SHOWN[8])


def build_report(
    experiment: Experiment,
    results: Mapping[Simulated, Sequence[Result]],
    options: Mapping[str, Any],
    choice: Choice | None,
) -> dict[str, Any]:
    """Everything; depends on nothing but the experiment, so that the same seed gives the same bytes."""
    world = next(iter(experiment.worlds.values()))
    counted = world.days - world.start - experiment.warm_up
    return {
        "policies": {
            policy.label: estimates([result.sums for result in runs]) for policy, runs in results.items()
        },
        "metrics": METRICS,
        "simulated": {
            "skus": len(world.items),
            "first_day": str(world.day(world.start)),
            "counted_from": str(world.day(world.start + experiment.warm_up)),
            "counted_days": counted,
            "seeds": sorted(experiment.worlds),
            "unmet_demand": world.items[0].unmet_demand,
            "forecasts": str(experiment.models_dir or "56-day empirical quantiles"),
        },
        "options": dict(options),
        "costs": experiment.costs.model_dump(),
        "panel_hash": world.panel_hash,
        "choice": None if choice is None else choice_report(experiment, results, choice),
    }


def table(report: Mapping[str, Any]) -> list[str]:
    """A row of metrics for each policy, the 95 % intervals of three of them, and what was chosen."""
    simulated, policies = report["simulated"], report["policies"]
    width = max(31, *(len(name) + 1 for name in policies))
    return [
        f"{simulated['skus']} SKUs, {simulated['counted_days']} days from {simulated['counted_from']}, "
        f"{len(simulated['seeds'])} seeds, unmet demand {simulated['unmet_demand']}, "
        f"forecasts: {simulated['forecasts']}",
        "",
        " " * width + "".join(f"{label:>14}" for label, _, _ in SHOWN),
        *(f"{name:<{width}}" + _values(found) for name, found in policies.items()),
        "",
        f"{'95 % intervals, SKUs drawn anew':<{width}}"
        + "".join(f"{label:>18}" for label, _, _ in INTERVALS),
        *(f"{name:<{width}}" + _intervals(found) for name, found in policies.items()),
        *([] if report["choice"] is None else ["", *choice_table(report["choice"])]),
    ]


def _values(found: Mapping[str, Any]) -> str:
    return "".join(f"{shape.format(found[metric]['value']):>14}" for _, metric, shape in SHOWN)


def _intervals(found: Mapping[str, Any]) -> str:
    ends = (map(shape.format, found[metric]["over_skus"]) for _, metric, shape in INTERVALS)
    return "".join(f"{'–'.join(pair):>18}" for pair in ends)
