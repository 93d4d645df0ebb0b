"""A policy is chosen for a segment only where it is better there, and judged on days it was not chosen on."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from batch.forecaster.champions import FALLBACK
from batch.forecaster.sales_panel import read_sales_panel
from infra.contracts.replenishment import BaseStock, SegmentReplenishment
from infra.errors import StockstreamError
from serving.api.saying import AskedReplenishment
from serving.forecast_source import ForecastSource
from serving.inventory.cover import Integers
from serving.inventory.policy import Request
from serving.simulation.twin.choice import (
    DEFAULT,
    Choice,
    Goal,
    Results,
    candidates_of,
    choose_policies,
    parse_goal,
)
from serving.simulation.twin.costs import read_costs
from serving.simulation.twin.intervals import sum_interval
from serving.simulation.twin.lead_time_odds import parse_lead_time
from serving.simulation.twin.loop import Review, run
from serving.simulation.twin.panel_world import Supply, panel_worlds
from serving.simulation.twin.policies import SegmentPolicies, parse_policy
from serving.simulation.twin.production import ProductionPlanner
from serving.simulation.twin.runs import Result
from serving.simulation.twin.scores import METRICS, Sums
from serving.simulation.twin.simulate import app

Floats = NDArray[np.float64]
LEAN, RICH = parse_policy("order-up-to:0.8"), parse_policy("min-max:5")
CANDIDATES = [DEFAULT, LEAN, RICH]
SEGMENT = np.array(["A/X/smooth"] * 20 + ["C/Z/lumpy"] * 20 + ["B/Y/erratic"] * 5)
STEADY, LUMPY = SEGMENT == "A/X/smooth", SEGMENT == "C/Z/lumpy"
COST = Goal(None)
USUAL = np.full(len(SEGMENT), 10.0)


def sums(costs: Floats, fill_rate: Floats | float = 1.0) -> Sums:
    numerators, denominators = np.zeros((2, len(METRICS), len(costs)))
    places = list(METRICS)
    numerators[places.index("total_cost")] = costs
    numerators[places.index("fill_rate")] = fill_rate
    denominators[places.index("fill_rate")] = 1.0
    return Sums(numerators, denominators)


def result(first: Sums, second: Sums | None = None) -> list[Result]:
    """One seed; the second half is like the first unless it is given."""
    nothing = np.zeros(1)
    return [Result(first, (first, second or first), nothing, nothing, nothing)]


def chosen(results: Results, goal: Goal = COST) -> dict[str, str]:
    return policies_of(choose_policies(results, CANDIDATES, SEGMENT, goal))


def policies_of(choice: Choice) -> dict[str, str]:
    return {each.segment: each.policy.label for each in (choice.whole, *choice.segments)}


def test_a_segment_has_the_policy_that_costs_least_there_and_the_others_keep_what_is_best_for_all() -> None:
    results: Results = {
        DEFAULT: result(sums(USUAL)),
        LEAN: result(sums(USUAL - 2.0 * STEADY + 1.0 * LUMPY)),
        RICH: result(sums(USUAL + 3.0 * STEADY - 1.0 * LUMPY)),
    }

    assert chosen(results) == {
        "all": DEFAULT.label,
        "A/X/smooth": LEAN.label,
        "C/Z/lumpy": RICH.label,
        "B/Y/erratic": DEFAULT.label,
    }


def test_what_is_better_for_all_is_what_small_segments_get_and_where_it_is_worse_the_default_stays() -> None:
    better = USUAL - 4.0 + 5.0 * LUMPY
    results: Results = {
        DEFAULT: result(sums(USUAL)),
        LEAN: result(sums(better)),
        RICH: result(sums(USUAL + 1.0)),
    }

    choice = choose_policies(results, CANDIDATES, SEGMENT, COST)

    assert policies_of(choice) == {
        "all": LEAN.label,
        "A/X/smooth": LEAN.label,
        "B/Y/erratic": LEAN.label,
        "C/Z/lumpy": DEFAULT.label,
    }
    assert choice.policies.whole == LEAN.of_any
    assert [(each.segment, each.replenishment.policy) for each in choice.policies.segments] == [
        ("C/Z/lumpy", "cover-until-next-arrival")
    ]


def test_luck_on_a_few_skus_is_no_reason_to_leave_the_default() -> None:
    one_lucky = USUAL.copy()
    one_lucky[0] = -90.0
    results: Results = {
        DEFAULT: result(sums(USUAL)),
        LEAN: result(sums(one_lucky)),
        RICH: result(sums(USUAL + np.random.default_rng(3).normal(-0.01, 1.0, len(USUAL)))),
    }

    assert set(chosen(results).values()) == {DEFAULT.label}
    assert choose_policies(results, CANDIDATES, SEGMENT, COST).keeps_default


def test_what_happens_on_the_second_half_changes_no_choice() -> None:
    first = {DEFAULT: USUAL, LEAN: USUAL - 2.0 * STEADY, RICH: USUAL + 1.0}
    same: Results = {policy: result(sums(costs)) for policy, costs in first.items()}
    turned: Results = {policy: result(sums(costs), sums(-costs)) for policy, costs in first.items()}

    assert chosen(same) == chosen(turned)


def test_of_those_that_reach_the_fill_rate_the_cheapest_is_chosen() -> None:
    results: Results = {
        DEFAULT: result(sums(USUAL, 0.99)),
        LEAN: result(sums(USUAL - 3.0, np.where(STEADY, 0.96, 0.90))),
        RICH: result(sums(USUAL - 1.0, np.where(LUMPY, 0.951, 0.96))),
    }

    found = chosen(results, Goal(0.95))

    assert (found["A/X/smooth"], found["C/Z/lumpy"]) == (LEAN.label, RICH.label)


def test_a_dearer_policy_is_chosen_where_it_alone_reaches_the_fill_rate_and_none_where_none_does() -> None:
    results: Results = {
        DEFAULT: result(sums(USUAL, np.where(LUMPY, 0.7, 0.9))),
        LEAN: result(sums(USUAL - 1.0, 0.8)),
        RICH: result(sums(USUAL + 5.0, np.where(LUMPY, 0.8, 0.97))),
    }
    choice = choose_policies(results, CANDIDATES, SEGMENT, Goal(0.95))
    why = {each.segment: (each.policy, each.why) for each in (choice.whole, *choice.segments)}

    assert why["A/X/smooth"] == (RICH, f"reaches the fill rate, {DEFAULT.label} does not")
    assert why["C/Z/lumpy"] == (DEFAULT, "no policy reaches the fill rate")
    assert why["all"] == (DEFAULT, "no policy reaches the fill rate")


def test_the_interval_of_a_sum_is_that_of_the_central_limit() -> None:
    values = np.random.default_rng(1).normal(2.0, 1.0, (1, 400))
    low, high = sum_interval(values, 0.05)

    assert (low + high) / 2 == pytest.approx(values.sum(), abs=3)
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(400) * values.std(), rel=0.1)


@pytest.mark.parametrize("text", ["costs", "fill-rate", "fill-rate:95", "fill-rate:much", "cost:1"])
def test_a_goal_that_is_none_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(StockstreamError, match=f"--choose {text}: accepted are cost, or fill-rate"):
        parse_goal(text)


def test_only_what_a_planner_can_say_of_a_segment_can_be_chosen() -> None:
    for name in ("sigma-root-l", "clairvoyant", "lookahead", "order-up-to-cost"):
        with pytest.raises(StockstreamError, match=f"{name}.* cannot be set for a segment"):
            candidates_of([parse_policy(name)])
    with pytest.raises(StockstreamError, match="there is only cover-until-next-arrival to choose from"):
        candidates_of([DEFAULT])
    assert candidates_of([LEAN, LEAN]) == [DEFAULT, LEAN]


class Listener:
    """Orders nothing and keeps the requests of the last review."""

    def __init__(self, planner: ProductionPlanner) -> None:
        self._planner = planner
        self.requests: list[Request] = []

    def order(self, review: Review) -> Integers:
        self.requests = self._planner.requests(review)
        return np.zeros(len(self.requests), dtype=np.int64)


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty SKUs that sell every day at one price, and fourteen cheap ones that hardly do."""
    days = pd.date_range("2024-01-01", periods=119)
    rng = np.random.default_rng(5)
    rows = [
        pd.DataFrame({
            "sku": f"s{number:02}", "location": "shop", "date": days,
            "units": rng.poisson(mean, len(days)), "price": price,
        })
        for number, (mean, price) in enumerate([(6, 10.0)] * 30 + [(0.3, 1.0)] * 14)
    ]  # fmt: skip
    path = tmp_path_factory.mktemp("panel") / "sales.parquet"
    pd.concat(rows).to_parquet(path)
    return path


def test_a_segments_policy_reaches_the_inputs_of_the_decision(panel: Path) -> None:
    sales = read_sales_panel(panel)
    supply = Supply(parse_lead_time("3"), "independent", 0, 1, 1, 0.95, "lost")
    world = panel_worlds(sales, 14, supply, read_costs(), 1)[1]
    rows = tuple("C/Z/intermittent" if item.sku >= "s30" else "A/X/smooth" for item in world.items)
    whole, steady = (BaseStock(policy="base-stock", level=level) for level in (10, 99))
    said = (SegmentReplenishment(segment="A/X/smooth", replenishment=steady),)

    source = ForecastSource(None, FALLBACK, "no model", world.panel_hash, 50)
    planner = SegmentPolicies(rows, whole, said).planner(world, source)
    assert isinstance(planner, ProductionPlanner)
    listener = Listener(planner)
    run(world, listener)

    decided = [request.inputs.replenishment for request in listener.requests]
    assert decided == [steady if segment == "A/X/smooth" else whole for segment in rows]


def test_a_planner_is_given_the_request_that_sets_the_policies_and_every_skus_segment(
    panel: Path, tmp_path: Path
) -> None:
    (tmp_path / "costs.yaml").write_text("order_line: 1\nholding_per_year: 0.5\n")
    out = tmp_path / "out"
    arguments = [
        "--panel", str(panel), "--out", str(out), "--choose", "cost", "--policy", "min-max:1",
        "--policy", "order-up-to:0.5", "--days", "42", "--warm-up", "14", "--lead-time", "3", "--paths", "50",
        "--costs", str(tmp_path / "costs.yaml"), "--processes", "1",
    ]  # fmt: skip

    output = CliRunner().invoke(app, arguments).output

    report = json.loads((out / "report.json").read_text())["choice"]
    body = AskedReplenishment.model_validate_json((out / "policy.json").read_text())
    assert report["chosen_on"] == {"first_day": "2024-03-18", "days": 21}
    assert report["judged_on"] == {"first_day": "2024-04-08", "days": 21}
    assert body.reason.startswith(
        "simulated: least total cost on 21 days from 2024-03-18; on the 21 days after"
    )
    said = {each.segment: each.replenishment.policy for each in body.segments}
    whole = report["segments"].pop("all")["policy"]
    for name, each in report["segments"].items():
        assert (name in said) == (each["policy"] != whole)
        assert name in output
    assert set(report["judged"]) >= {"chosen-per-segment", DEFAULT.label}
    segments = pd.read_csv(out / "segments.csv")
    assert segments["sku"].tolist() == [f"s{number:02}" for number in range(44)]
    assert set(segments["location"]) == {"shop"}
