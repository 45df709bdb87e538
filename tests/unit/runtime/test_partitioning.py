"""The partition that is a key's home."""

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
def test_a_key_is_where_kafkas_own_producer_puts_it(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (KAFKA[key] & 0x7FFFFFFF) % partitions


@pytest.mark.parametrize("key", [b"", b"\xff\xfe", b"pat_\x00", b"\xed\xa0\x80"])
def test_what_is_no_text_has_a_home_all_the_same(key: bytes) -> None:
    """A record that cannot be taken becomes a dead letter, which is published by its key."""
    assert partition_of(key, 12) in range(12)


def test_the_hash_of_a_large_key_is_not_cached() -> None:
    """Given keys as large as a record may be, when they come by the thousand, then memory stays as it is."""
    cached = partitioner._cached_hash.cache_info().currsize
    assert partition_of(b"x" * 100_000, 12) in range(12)
    assert partitioner._cached_hash.cache_info().currsize == cached
