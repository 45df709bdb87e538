"""Kafka's keys: their text, their hash, and the partition that is their home."""

import pytest
from aiokafka import partitioner
from hypothesis import given
from hypothesis import strategies as st

from runtime import keys
from runtime.keys import Key, key_of, murmur2
from runtime.records import partition_of

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
def test_keys_hash_as_kafkas_own_producer_hashes_them(key: bytes) -> None:
    assert murmur2(key) == KAFKA[key] & 0xFFFFFFFF
    assert key_of(key) == Key(key.decode(), KAFKA[key] & 0x7FFFFFFF)


@given(st.binary(max_size=400))
def test_any_bytes_hash_as_aiokafka_hashes_them(key: bytes) -> None:
    assert murmur2(key) == partitioner.murmur2(key) & 0xFFFFFFFF


@pytest.mark.parametrize("key", KAFKA)
@pytest.mark.parametrize("partitions", [1, 8, 12])
def test_a_key_has_one_home_among_the_partitions(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (KAFKA[key] & 0x7FFFFFFF) % partitions


@pytest.mark.parametrize("key", [b"\xff\xfe", b"pat_\x00", b"\xed\xa0\x80"])
def test_what_is_no_text_has_a_home_all_the_same(key: bytes) -> None:
    """A record that cannot be taken becomes a dead letter, which is published by its key."""
    assert key_of(key) == Key(None, partitioner.murmur2(key) & 0x7FFFFFFF)


def test_a_large_key_is_read_and_not_kept() -> None:
    """Given keys as large as a record may be, when they come by the thousand, then memory stays as it is."""
    kept = keys._remembered.cache_info().currsize
    large = b"x" * 100_000
    assert key_of(large) == Key("x" * 100_000, partitioner.murmur2(large) & 0x7FFFFFFF)
    assert keys._remembered.cache_info().currsize == kept
