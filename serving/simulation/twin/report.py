"""A simulation's report: numbers with intervals, the table for people, and what was simulated."""

from collections.abc import Mapping, Sequence
from typing import Any

from serving.simulation.twin.intervals import estimates
from serving.simulation.twin.policies import Policy
from serving.simulation.twin.runs import Experiment, Result
from serving.simulation.twin.scores import METRICS

SHOWN = (
    ("fill rate", "fill_rate", "{:.1%}"),
    ("cycle service", "cycle_service", "{:.1%}"),
    ("total cost", "total_cost", "{:,.0f}"),
    ("holding", "holding_cost", "{:,.0f}"),
    ("shortage", "shortage_cost", "{:,.0f}"),
    ("ordering", "ordering_cost", "{:,.0f}"),
    ("waste", "waste_cost", "{:,.0f}"),
    ("stock value", "average_stock_value", "{:,.0f}"),
    ("turns", "turns", "{:.1f}"),
    ("bullwhip", "bullwhip", "{:.2f}"),
    ("nervousness", "nervousness", "{:.2f}"),
)


def build_report(
    experiment: Experiment, results: Mapping[Policy, Sequence[Result]], options: Mapping[str, Any]
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
            "unmet_demand": experiment.unmet,
            "forecasts": str(experiment.models_dir or "56-day empirical quantiles"),
        },
        "options": dict(options),
        "costs": experiment.costs.model_dump(),
        "panel_hash": world.panel_hash,
    }


def table(report: Mapping[str, Any]) -> list[str]:
    """One row per metric, one column per policy; below each the 95 % interval over SKUs."""
    simulated, policies = report["simulated"], report["policies"]
    width = max(18, *(len(name) + 2 for name in policies))
    lines = [
        f"{simulated['skus']} SKUs, {simulated['counted_days']} days from {simulated['counted_from']}, "
        f"{len(simulated['seeds'])} seeds, unmet demand {simulated['unmet_demand']}, "
        f"forecasts: {simulated['forecasts']}",
        "",
        f"{'':<14}" + "".join(f"{name:>{width}}" for name in policies),
    ]
    for label, metric, shape in SHOWN:
        found = [policy[metric] for policy in policies.values()]
        ranges = ["–".join(shape.format(end) for end in each["over_skus"]) for each in found]
        lines.append(f"{label:<14}" + "".join(f"{shape.format(each['value']):>{width}}" for each in found))
        lines.append(f"{'':<14}" + "".join(f"{text:>{width}}" for text in ranges))
    lines.append("below each value: its 95 % interval, SKUs drawn anew; over seeds: report.json")
    return lines
