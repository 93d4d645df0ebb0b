from pathlib import Path

from kafka import KafkaAdminClient, TopicPartition

from infra.contracts.topics import CLICKSTREAM, ITEMS, TOPICS
from infra.kafka import Producer, make_consumer, read_to_end, topic_partitions
from infra.local.broker import MAX_MESSAGE_BYTES, Broker

YEAR_2011_MS = 1_320_000_000_000


def test_every_contract_topic_exists_with_the_asked_partitions(broker: Broker) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    described = {each["name"]: len(each["partitions"]) for each in admin.describe_topics()}
    admin.close()

    assert {name: described[name] for name in TOPICS} == dict.fromkeys(TOPICS, 4)
    assert {described[topic.dead_letters] for topic in TOPICS.values()} == {4}


def test_creating_the_topics_again_changes_nothing(broker: Broker) -> None:
    broker.create_topics(partitions=8)

    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    described = {each["name"]: len(each["partitions"]) for each in admin.describe_topics([CLICKSTREAM])}
    admin.close()
    assert described == {CLICKSTREAM: 4}


def test_a_large_message_comes_back_unchanged(broker: Broker) -> None:
    value = bytes(range(256)) * ((MAX_MESSAGE_BYTES - 1024) // 256)
    topic = TOPICS[ITEMS].dead_letters
    producer = Producer(broker.bootstrap_servers)
    producer.send_bytes(topic, b"lamp|gb-main", value)
    producer.flush()
    producer.close()

    records = list(read_to_end(broker.bootstrap_servers, topic_partitions([topic], range(4))))

    assert [record.value for record in records] == [value]


def test_a_restarted_broker_keeps_its_address_and_its_records(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        broker.create_topics(partitions=1)
        first_address = broker.bootstrap_servers
        producer = Producer(first_address)
        producer.send_heartbeat(CLICKSTREAM, YEAR_2011_MS)
        producer.flush()
        producer.close()

    with Broker(tmp_path) as broker:
        consumer = make_consumer(broker.bootstrap_servers)
        ends = consumer.end_offsets([TopicPartition(CLICKSTREAM, 0)])
        consumer.close()

        assert broker.bootstrap_servers == first_address
        assert ends == {TopicPartition(CLICKSTREAM, 0): 1}
