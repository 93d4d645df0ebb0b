from typing import Any

from tests.helm.chart import EXTERNAL, PRODUCTION, named


def ports(rules: list[dict[str, Any]]) -> set[Any]:
    return {port["port"] for rule in rules for port in rule.get("ports", [])}


def test_every_component_is_closed_both_ways() -> None:
    policies = named("NetworkPolicy")
    assert set(policies) == {"features", "serving", "batch", "heartbeat"}
    for policy in policies.values():
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_nobody_reaches_the_heartbeat_and_only_operators_reach_flink() -> None:
    policies = named("NetworkPolicy")
    assert not policies["heartbeat"]["spec"]["ingress"]
    assert ports(policies["features"]["spec"]["ingress"]) == {8081}
    for rule in policies["features"]["spec"]["ingress"]:
        assert rule["from"], "a rule without peers opens the port to everybody"


def test_the_api_is_open_to_the_namespaces_that_were_named() -> None:
    rules = named("NetworkPolicy", values=PRODUCTION)["serving"]["spec"]["ingress"]
    opened = [rule for rule in rules if ports([rule]) == {8000}]
    assert [rule["from"][0]["namespaceSelector"]["matchLabels"] for rule in opened] == [
        {"kubernetes.io/metadata.name": "ingress-nginx"}
    ]


def test_an_external_kafka_is_reached_on_its_own_ports() -> None:
    assert 9094 in ports(named("NetworkPolicy", values=EXTERNAL)["batch"]["spec"]["egress"])
