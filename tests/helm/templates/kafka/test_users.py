from infra.contracts.table import strimzi_values
from tests.helm.chart import named


def test_a_component_is_granted_its_own_topics_and_no_other() -> None:
    users = named("KafkaUser")
    for name, access in strimzi_values(4)["users"].items():
        acls = users[name]["spec"]["authorization"]["acls"]
        granted = {acl["resource"]["name"] for acl in acls if acl["resource"]["type"] == "topic"}
        assert granted == {*access["readFrom"], *access["writeTo"]}


def test_a_user_outside_writes_only_what_it_is_named_for() -> None:
    acls = named("KafkaUser", "kafka.strimzi.users.till.writeTo[0]=shop.clickstream.v1")["till"]["spec"]
    assert acls["authorization"]["acls"] == [
        {
            "resource": {"type": "topic", "name": "shop.clickstream.v1", "patternType": "literal"},
            "operations": ["Write", "Describe"],
        }
    ]
