import pytest

from infra.kafka import partition_of

KAFKAS_OWN = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"abc": 479470107,
}
"""Hashes that the tests of Kafka's Java client state for murmur2."""


@pytest.mark.parametrize("key", KAFKAS_OWN)
def test_a_key_lies_where_kafkas_own_producers_put_it(key: bytes) -> None:
    for partitions in (1, 4, 48):
        assert partition_of(key, partitions) == (KAFKAS_OWN[key] & 0x7FFFFFFF) % partitions
