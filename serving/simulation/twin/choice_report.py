"""What was chosen for each segment and how it did on later days: for the report, and for production."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from batch.forecaster.panel import DemandPanel
from batch.forecaster.segmentation import panel_segments
from serving.simulation.twin.choice import CHANCE, DEFAULT, SECOND, Choice, Half, Results
from serving.simulation.twin.policies import Simulated
from serving.simulation.twin.runs import Experiment

POLICY_FILE, SEGMENTS_FILE = "policy.json", "segments.csv"


def choice_report(experiment: Experiment, results: Results, choice: Choice) -> dict[str, Any]:
    """The policy of each segment, and costs and fill rates of the days that it was not chosen on.

    Args:
        experiment: the one that was run.
        results: of every candidate, and of what was chosen where a segment does not keep the default.
        choice: made on them.
    """
    world = next(iter(experiment.worlds.values()))
    first, second = (
        {"first_day": str(world.day(world.start + days.start)), "days": days.stop - days.start}
        for days in experiment.halves
    )
    return {
        "goal": choice.goal.words,
        "chosen_on": first,
        "judged_on": second,
        "segments": {
            each.segment: {
                "skus": each.skus,
                "policy": each.policy.label,
                "why": each.why,
                "best_less_kept": None if each.difference is None else asdict(each.difference),
            }
            for each in (choice.whole, *choice.segments)
        },
        "best_single": choice.single.label,
        **_judged(results, choice),
    }


def _judged(results: Results, choice: Choice) -> dict[str, Any]:
    """Cost and fill rate on the second half of what was chosen, of the default and of the best single one."""
    others: list[Simulated] = list(dict.fromkeys([DEFAULT, choice.single]))
    chosen: list[Simulated] = [] if choice.keeps_default else [choice.policies]
    half, every = Half(results, choice.goal, SECOND), np.ones(len(choice.rows), dtype=np.bool_)
    return {
        "judged": {
            policy.label: {
                "cost": float(half.costs(policy, every).sum(axis=1).mean()),
                "fill_rate": half.fill_rate(policy, every),
            }
            for policy in [*chosen, *others]
        },
        "chosen_less": {
            other.label: asdict(half.difference(own, other, every, CHANCE))
            for own in chosen
            for other in others
        },
    }


def choice_table(chosen: Mapping[str, Any]) -> list[str]:
    """The policies of the segments, then how they did."""
    first, second, segments = chosen["chosen_on"], chosen["judged_on"], chosen["segments"]
    width = 2 + max(map(len, ("segment", *segments)))
    wide = 2 + max(map(len, ("policy", *(each["policy"] for each in segments.values()))))
    judged = f"Judged on the {second['days']} days after"
    return [
        f"Chosen per segment: {chosen['goal']} on {first['days']} days from {first['first_day']}",
        f"{'segment':<{width}}{'SKUs':>6}  {'policy':<{wide}}why (difference in cost)",
        *(
            f"{name:<{width}}{each['skus']:>6}  {each['policy']:<{wide}}{_why(each)}"
            for name, each in segments.items()
        ),
        "",
        f"{judged:<42}{'cost':>14}{'fill rate':>12}",
        *(
            f"{name:<42}{found['cost']:>14,.0f}{found['fill_rate']:>12.1%}"
            for name, found in chosen["judged"].items()
        ),
        *(
            f"chosen-per-segment less {name}: {_words(less)}, {_verdict(less)}"
            for name, less in chosen["chosen_less"].items()
        ),
        *([] if chosen["chosen_less"] else ["all keep the default"]),
    ]


def for_production(chosen: Mapping[str, Any], choice: Choice, panel: DemandPanel) -> dict[str, str]:
    """Files by name: the request that sets the policies, and the segment of every SKU by the panel's end."""
    if choice.keeps_default:
        return {}
    first, less = chosen["chosen_on"], chosen["chosen_less"][DEFAULT.label]
    reason = (
        f"simulated: {chosen['goal']} on {first['days']} days from {first['first_day']}; on the "
        f"{chosen['judged_on']['days']} days after {_words(less)} against the default, {_verdict(less)}"
    )
    body = {
        "replenishment": choice.policies.whole and choice.policies.whole.model_dump(mode="json"),
        "segments": [each.model_dump(mode="json") for each in choice.policies.segments],
        "reason": reason,
    }
    rows = zip(panel.series, panel_segments(panel).tolist(), strict=True)
    lines = ["sku,location,segment", *(f"{sku},{location},{segment}" for (sku, location), segment in rows)]
    return {POLICY_FILE: json.dumps(body, indent=1) + "\n", SEGMENTS_FILE: "\n".join(lines) + "\n"}


def _why(each: Mapping[str, Any]) -> str:
    less = each["best_less_kept"]
    return each["why"] if less is None else f"{each['why']}: {_words(less)}"


def _words(less: Mapping[str, float]) -> str:
    return f"{less['value']:+,.0f} ({less['low']:+,.0f} to {less['high']:+,.0f})"


def _verdict(less: Mapping[str, float]) -> str:
    if less["high"] < 0:
        return "cheaper"
    return "dearer" if less["low"] > 0 else "not told apart"
