from tests.helm.chart import EXTERNAL, PRODUCTION, named


def test_brokers_listen_with_tls_and_passwords_alone_and_ask_who_may_do_what() -> None:
    kafka = named("Kafka")[""]["spec"]["kafka"]
    (listener,) = kafka["listeners"]
    assert (listener["tls"], listener["authentication"]["type"]) == (True, "scram-sha-512")
    assert kafka["authorization"] == {"type": "simple"}
    assert kafka["config"]["auto.create.topics.enable"] is False


def test_controllers_and_brokers_are_pools_of_their_own_that_keep_their_disks() -> None:
    pools = named("KafkaNodePool", values=PRODUCTION)
    assert {name: pool["spec"]["roles"] for name, pool in pools.items()} == {
        "controller": ["controller"],
        "broker": ["broker"],
    }
    for pool in pools.values():
        assert [volume["deleteClaim"] for volume in pool["spec"]["storage"]["volumes"]] == [False]


def test_somebody_elses_kafka_is_left_alone() -> None:
    for kind in ("Kafka", "KafkaNodePool", "KafkaTopic", "KafkaUser"):
        assert named(kind, values=EXTERNAL) == {}
