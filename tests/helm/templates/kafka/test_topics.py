import yaml

from infra.contracts.table import strimzi_values
from infra.contracts.topics import TOPICS
from tests.helm.chart import CHART, PRODUCTION, named


def test_the_charts_contracts_are_those_of_the_code() -> None:
    kept = yaml.safe_load((CHART / "files" / "contracts.yaml").read_text())
    assert kept == strimzi_values(partitions=12), (
        "stockstream topics --format strimzi > helm/files/contracts.yaml"
    )


def test_every_topic_of_the_contracts_becomes_a_topic_of_strimzi() -> None:
    topics = {each["spec"]["topicName"] for each in named("KafkaTopic").values()}
    assert topics >= set(TOPICS) | {topic.dead_letters for topic in TOPICS.values()}


def test_all_topics_share_one_partition_count() -> None:
    assert {each["spec"]["partitions"] for each in named("KafkaTopic", values=PRODUCTION).values()} == {24}
