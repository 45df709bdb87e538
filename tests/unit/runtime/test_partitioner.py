"""The partitioner: the partition of a key."""

import pytest

from runtime.messages import partitioner
from runtime.messages.partitioner import partition_of

# From Kafka's own UtilsTest.testMurmur2, where hashes are signed 32-bit numbers.
KAFKA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize("key", KAFKA)
@pytest.mark.parametrize("partitions", [1, 8, 12])
def test_a_key_has_the_same_partition_as_with_kafkas_producer(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (KAFKA[key] & 0x7FFFFFFF) % partitions


@pytest.mark.parametrize("key", [b"", b"\xff\xfe", b"pat_\x00", b"\xed\xa0\x80"])
def test_a_key_that_is_not_text_has_a_partition(key: bytes) -> None:
    """An unreadable record becomes a dead letter, which is published with its key."""
    assert partition_of(key, 12) in range(12)


def test_the_hash_of_a_large_key_is_not_cached() -> None:
    """Many large keys must not fill the memory."""
    cached = partitioner._cached_hash.cache_info().currsize
    assert partition_of(b"x" * 100_000, 12) in range(12)
    assert partitioner._cached_hash.cache_info().currsize == cached
