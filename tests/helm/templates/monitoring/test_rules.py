from tests.helm.chart import PRODUCTION, named


def test_alerts_lead_to_the_runbook_that_was_given() -> None:
    given = "monitoring.runbook=https://wiki.example.com/stockstream"
    groups = named("PrometheusRule", given, values=PRODUCTION)[""]["spec"]["groups"]
    links = [
        rule["annotations"]["runbook_url"] for group in groups for rule in group["rules"] if "alert" in rule
    ]
    assert links
    assert [link for link in links if not link.startswith("https://wiki.example.com/stockstream#")] == []


def test_there_are_no_rules_unless_asked_for() -> None:
    assert named("PrometheusRule") == {}
