import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from infra.errors import StockstreamError
from serving.simulation.twin.costs import read_costs
from serving.simulation.twin.lead_time_odds import DrawnLeadTime, LeadTimeOdds, parse_lead_time
from serving.simulation.twin.policies import KINDS, OWN, parse_policy
from serving.simulation.twin.simulate import app


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three SKUs, 120 days of Poisson demand."""
    days = pd.date_range("2024-01-01", periods=120)
    rng = np.random.default_rng(5)
    rows = [
        pd.DataFrame(
            {
                "sku": sku,
                "location": "shop",
                "date": days,
                "units": rng.poisson(mean, len(days)),
                "price": price,
            }
        )
        for sku, mean, price in (("a", 8, 2.5), ("b", 3, 10.0), ("c", 0.4, 4.0))
    ]
    path = tmp_path_factory.mktemp("panel") / "sales.parquet"
    pd.concat(rows).to_parquet(path)
    return path


def simulated(panel: Path, out: Path, *options: str) -> str:
    arguments = ["--panel", str(panel), "--out", str(out), "--days", "35", "--warm-up", "14", *options]
    result = CliRunner().invoke(app, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def besides_ordering(found: dict[str, dict[str, float]]) -> float:
    """Costs; the clairvoyant does not gather orders into lots, as min-max does."""
    return found["total_cost"]["value"] - found["ordering_cost"]["value"]


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


LUCK = ("--lead-time", "2:0.7,9:0.3", "--seeds", "2")


def test_the_same_seed_gives_the_same_bytes_in_one_process_and_in_several(
    panel: Path, tmp_path: Path
) -> None:
    policies = ("--policy", f"{OWN}:0.9", "--policy", "sigma-root-l")
    simulated(panel, tmp_path / "one", *policies, *LUCK, "--processes", "1")
    simulated(panel, tmp_path / "two", *policies, *LUCK, "--processes", "2")

    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert set(contents(tmp_path / "one")) == {"report.json", "report.txt", "service.png", "days.png"}


def test_every_policy_can_be_simulated_and_who_knows_the_future_loses_no_sale(
    panel: Path, tmp_path: Path
) -> None:
    every = [option for name in KINDS for option in ("--policy", name)]
    output = simulated(panel, tmp_path / "out", "--lead-time", "2", *every)
    policies = json.loads((tmp_path / "out" / "report.json").read_text())["policies"]

    assert {name.partition(":")[0] for name in policies} == set(KINDS)
    assert all(name in output for name in policies)
    clairvoyant = policies.pop("clairvoyant:1")
    assert clairvoyant["fill_rate"]["value"] == 1
    assert clairvoyant["shortage_cost"]["value"] == 0
    best = min(besides_ordering(found) for found in policies.values())
    assert besides_ordering(clairvoyant) < best


def test_costs_add_up_and_intervals_hold_the_value(panel: Path, tmp_path: Path) -> None:
    costs = tmp_path / "costs.yaml"
    costs.write_text("order_line: 7.5\n")
    simulated(panel, tmp_path / "out", "--policy", OWN, *LUCK, "--costs", str(costs), "--shelf-life", "10")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    (found,) = report["policies"].values()
    parts = ("holding_cost", "shortage_cost", "ordering_cost", "waste_cost")

    assert found["total_cost"]["value"] == pytest.approx(sum(found[part]["value"] for part in parts))
    assert found["ordering_cost"]["value"] == pytest.approx(7.5 * found["orders"]["value"])
    assert found["waste_cost"]["value"] > 0
    for estimate in found.values():
        assert estimate["over_skus"][0] <= estimate["value"] <= estimate["over_skus"][1]
    assert report["costs"]["order_line"] == 7.5


def test_customers_who_wait_are_served_later_and_counted_as_not_served_on_the_day(
    panel: Path, tmp_path: Path
) -> None:
    simulated(panel, tmp_path / "out", "--policy", f"{OWN}:0.5", "--lead-time", "9", "--backorders")
    report = json.loads((tmp_path / "out" / "report.json").read_text())

    assert report["simulated"]["unmet_demand"] == "backordered"
    assert 0.5 < report["policies"][f"{OWN}:0.5"]["fill_rate"]["value"] < 1


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (
            ("--policy", "magic"),
            "no policy 'magic'; there are: cover-until-next-arrival, cover-group-fill-rate",
        ),
        (("--policy", f"{OWN}:1.5"), "cycle service level above 0 and below 1"),
        (("--policy", "days-of-cover:many"), "days, above 0 to 365"),
        (("--policy", "lookahead", "--backorders"), "lookahead: it is for lost sales, not --backorders"),
        (("--lead-time", "soon"), "--lead-time soon: accepted are days from 0 to 365"),
        (("--lead-time", "5:0.8,25:0.3"), "shares that sum to 1"),
        (("--seeds", "3"), "seeds differ in lead times only"),
        (("--days", "100"), "the panel has 120 days: --days and --warm-up ask for 114"),
        (("--model", "nowhere"), "option --model nowhere: no model is promoted"),
    ],
)
def test_options_that_cannot_work_are_refused_by_name(
    panel: Path, tmp_path: Path, options: tuple[str, ...], named: str
) -> None:
    with pytest.raises(StockstreamError, match=named.replace("(", "\\(")):
        simulated(panel, tmp_path / "out", *options)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("units", 0.5, "0.5 units of sku 'a', location 'shop' on 2024-01-01 .* accepted are whole units"),
        ("sku", "bad name", "sku 'bad name', location 'shop': sku 'bad name'"),
    ],
)
def test_panels_that_cannot_be_simulated_are_refused_by_name(
    panel: Path, tmp_path: Path, column: str, value: float | str, named: str
) -> None:
    rows = pd.read_parquet(panel).reset_index(drop=True).astype({"units": float})
    rows.loc[0, column] = value
    rows.to_parquet(tmp_path / "bad.parquet")

    with pytest.raises(StockstreamError, match=named):
        simulated(tmp_path / "bad.parquet", tmp_path / "out", "--policy", "days-of-cover")


def test_a_folder_with_other_files_is_left_alone(panel: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(StockstreamError, match="holds other files"):
        simulated(panel, tmp_path)

    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("order_line: -1", "field 'order_line' has value -1"),
        ("oder_line: 1", "field 'oder_line' has value 1.*there are: holding_per_year"),
        ("- 1", "a YAML mapping of costs is expected"),
        ("{", "cannot be read as YAML"),
    ],
)
def test_costs_that_cannot_be_used_are_refused_by_name(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "costs.yaml").write_text(text)

    with pytest.raises(StockstreamError, match=named):
        read_costs(tmp_path / "costs.yaml")


def test_an_order_has_the_same_luck_whoever_places_it_and_whatever_else_is_ordered() -> None:
    odds = parse_lead_time("5:0.8,25:0.2")
    luck = [DrawnLeadTime(odds, seed=3)(None, f"po-{n}") for n in range(2000)]  # type: ignore[arg-type]

    assert odds == LeadTimeOdds((5, 25), (0.8, 0.2))
    assert set(luck) == {5, 25}
    assert luck.count(25) / 2000 == pytest.approx(0.2, abs=0.03)
    assert luck[::-1] == [DrawnLeadTime(odds, 3)(None, f"po-{n}") for n in reversed(range(2000))]  # type: ignore[arg-type]


def test_more_service_asked_of_a_policy_of_the_catalogue_is_more_service_given(
    panel: Path, tmp_path: Path
) -> None:
    named = ("order-up-to:0.6", "order-up-to:0.95", "cover-group-fill-rate:0.01", "cover-group-fill-rate:1")
    simulated(panel, tmp_path / "out", "--lead-time", "2", *(word for n in named for word in ("--policy", n)))
    policies = json.loads((tmp_path / "out" / "report.json").read_text())["policies"]
    fill = {name: found["fill_rate"]["value"] for name, found in policies.items()}

    assert fill["order-up-to:0.6"] < fill["order-up-to:0.95"]
    assert fill["cover-group-fill-rate:0.01"] < fill["cover-group-fill-rate:1"]


def test_a_policy_without_a_parameter_has_its_usual_one() -> None:
    assert parse_policy(OWN).parameter is None
    assert parse_policy("sigma-root-l").label == "sigma-root-l:1.645"
