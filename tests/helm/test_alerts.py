"""Every alert fires when it should and not a minute before, as Prometheus' own tool sees it."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local.prometheus_server import BINARY
from infra.prometheus.rule import Alert, Recording, scaled
from infra.prometheus.rules import ALERTS, CHART_FILE, GROUPS, RULES_FILE, rules_text
from tests.helm.alert_cases.business import BURN_CASES, BUSINESS_CASES
from tests.helm.alert_cases.case import Case
from tests.helm.alert_cases.healthy import HEALTHY, HEALTHY_MINUTES
from tests.helm.alert_cases.pipeline import PIPELINE_CASES
from tests.helm.chart import CHART, PRODUCTION, objects
from tests.promql import known_names, names_in

ROOT = Path(__file__).parents[2]
PROMTOOL = BINARY.with_name("promtool")
CASES = (*PIPELINE_CASES, *BURN_CASES, *BUSINESS_CASES)
DECLARED = {alert.name: alert for alert in ALERTS}


def promtool(*arguments: str) -> str:
    done = subprocess.run([str(PROMTOOL), *arguments], capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    return output


def expectation(case: Case) -> dict[str, Any]:
    rule = DECLARED[case.alert].rule(time_scale=1)
    annotations = rule["annotations"] | {"summary": case.summary}
    return {"exp_labels": rule["labels"] | case.labels, "exp_annotations": annotations}


def case_test(case: Case) -> dict[str, Any]:
    """Promtool's test of a case: silent a minute before it fires."""
    silent = {"eval_time": f"{case.fires_at - 1}m", "alertname": case.alert, "exp_alerts": []}
    fires = silent | {"eval_time": f"{case.fires_at}m", "exp_alerts": [expectation(case)]}
    return _test(case.alert, case.series, [silent, fires])


def healthy_test() -> dict[str, Any]:
    """Promtool's test that nothing fires at any hour of a healthy day."""
    checks = [
        {"eval_time": f"{minute}m", "alertname": name, "exp_alerts": []}
        for minute in range(60, HEALTHY_MINUTES, 60)
        for name in DECLARED
    ]
    return _test("healthy", HEALTHY, checks)


def _test(name: str, series: dict[str, str], checks: list[dict[str, Any]]) -> dict[str, Any]:
    inputs = [{"series": each, "values": values} for each, values in series.items()]
    return {"name": name, "interval": "1m", "input_series": inputs, "alert_rule_test": checks}


def needed_rules(name: str) -> list[dict[str, Any]]:
    """The rules an alert rests on, from the file that Prometheus reads, itself last."""
    rules = {rule.get("alert") or rule["record"]: rule for rule in rules_in_file()}
    read = sorted(names_in(rules[name]["expr"]) & set(rules))
    return [rule for each in read for rule in needed_rules(each)] + [rules[name]]


def rules_in_file() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES_FILE.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def write_test(folder: Path, test: dict[str, Any], rules: list[dict[str, Any]], every: str) -> Path:
    """Promtool's input; with the needed rules alone, since it evaluates all of them every minute."""
    rules_file, test_file = folder / f"{test['name']}-rules.yaml", folder / f"{test['name']}.yaml"
    rules_file.write_text(yaml.safe_dump({"groups": [{"name": "needed", "rules": rules}]}))
    document = {"rule_files": [str(rules_file)], "evaluation_interval": every, "tests": [test]}
    test_file.write_text(yaml.safe_dump(document))
    return test_file


def test_the_rules_files_are_what_the_declarations_say() -> None:
    for file in (RULES_FILE, CHART_FILE):
        assert file.read_text() == rules_text(), f"python -m infra.prometheus.rules --out {file}"


def test_kafka_of_the_chart_names_its_metrics_as_the_local_one_does() -> None:
    local = ROOT / "infra" / "local" / "kafka_jmx.yaml"
    kept = next(each for each in objects(values=PRODUCTION) if each["metadata"]["name"].endswith("-metrics"))

    assert (CHART / "files" / "kafka_jmx.yaml").read_text() == local.read_text(), f"cp {local} helm/files/"
    assert yaml.safe_load(kept["data"]["rules.yaml"]) == yaml.safe_load(local.read_text())


def test_the_chart_brings_the_rules_and_its_own_runbook() -> None:
    rule = next(each for each in objects(values=PRODUCTION) if each["kind"] == "PrometheusRule")

    runbooks = {
        each["annotations"]["runbook_url"]
        for group in rule["spec"]["groups"]
        for each in group["rules"]
        if "alert" in each
    }
    assert runbooks == {f"https://runbooks.example.com/stockstream#{name.lower()}" for name in DECLARED}


@pytest.mark.parametrize("time_scale", [1, 60])
def test_prometheus_accepts_the_rules(time_scale: float, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(rules_text(time_scale))

    assert f"{sum(map(len, GROUPS.values()))} rules found" in promtool(
        "check", "rules", "--lint-fatal", str(file)
    )


def test_every_alert_has_a_case() -> None:
    assert {case.alert for case in CASES} == set(DECLARED)
    assert len(DECLARED) >= 20


def test_every_alert_fires_and_is_silent_the_minute_before(tmp_path: Path) -> None:
    files = [write_test(tmp_path, case_test(case), needed_rules(case.alert), "1m") for case in CASES]

    assert promtool("test", "rules", *map(str, files)).count("SUCCESS") == len(CASES)


def test_no_alert_fires_on_a_healthy_day(tmp_path: Path) -> None:
    file = write_test(tmp_path, healthy_test(), rules_in_file(), "10m")

    assert promtool("test", "rules", str(file)).count("SUCCESS") == 1


@pytest.mark.parametrize("name", DECLARED)
def test_every_alert_has_a_section_in_the_runbook_with_a_command(name: str) -> None:
    sections = re.split(r"^## ", (ROOT / "infra" / "runbook.md").read_text(), flags=re.MULTILINE)
    section = next((each for each in sections if each.startswith(f"{name}\n")), "")

    for part in ("**Means.**", "**Look.**", "**Do.**", "```"):
        assert part in section


@pytest.mark.parametrize(
    "rule", [rule for rules in GROUPS.values() for rule in rules], ids=lambda rule: rule.name
)
def test_rules_read_only_metrics_that_exist(rule: Alert | Recording) -> None:
    assert names_in(scaled(rule.expression, 1)) <= known_names()


def test_a_time_scale_shortens_windows_ages_and_waits_but_not_below_what_scrapes_can_tell() -> None:
    alert = Alert(
        "X", "rate(a[1h]) > 0 and time() - b > 2h and c > 3 * 3600 and d offset 5m", "10m", "page", ""
    )

    assert (
        scaled(alert.expression, 1)
        == "rate(a[1h]) > 0 and time() - b > 7200 and c > 3 * 3600 and d offset 5m"
    )
    assert scaled(alert.expression, 60) == (
        "rate(a[60000ms]) > 0 and time() - b > 120 and c > 3 * 3600 and d offset 30000ms"
    )
    assert alert.rule(time_scale=60)["for"] == "10000ms"
