import json

import pytest
from typer.testing import CliRunner

from infra.cli import module_command
from serving.lost_sales_benchmark import app

INSTANCE = [
    "--demand",
    "poisson",
    "--mean",
    "5",
    "--lead-time",
    "1",
    "--holding-cost",
    "1",
    "--stockout-cost",
    "9",
]


def test_the_report_has_the_optimum_and_every_policys_exact_cost() -> None:
    report = json.loads(CliRunner().invoke(app, [*INSTANCE, "--json"]).stdout)

    assert report["optimal_cost"] == pytest.approx(5.4382, abs=4e-4)
    assert report["instance"]["lead_time"] == 1
    ratios = {line["policy"]: line["ratio"] for line in report["policies"]}
    assert all(ratio > 1 - 1e-5 for ratio in ratios.values())
    assert ratios["best capped base stock"] == pytest.approx(1.008, abs=5e-4)
    assert ratios["best projected inventory level"] < ratios["best capped base stock"]
    assert ratios["lookahead"] < 1.002
    assert min(ratios, key=lambda name: ratios[name]) == "lookahead"


def test_the_table_names_every_policy_with_its_parameters() -> None:
    shown = CliRunner().invoke(app, INSTANCE).stdout.splitlines()

    assert "optimal cost 5.4382" in shown[0]
    assert [line.split("  ")[0] for line in shown[2:]] == [
        "base stock, newsvendor level",
        "best base stock",
        "best (s, S), S - s > 1",
        "best capped base stock",
        "best projected inventory level",
        "lookahead",
    ]


def test_the_verb_is_known() -> None:
    assert module_command(["lost-sales-benchmark", "--json"])[1:] == [
        "-m",
        "serving.lost_sales_benchmark",
        "--json",
    ]
