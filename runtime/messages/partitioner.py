"""Kafka's default partitioner for records with a key: murmur2."""

from functools import lru_cache

from aiokafka.partitioner import murmur2

_CACHED_KEY_BYTES = 256
"""Hashes of longer keys are not cached, which bounds memory; no valid key is longer."""


def partition_of(key: bytes, partitions: int) -> int:
    """Compute the partition of a key."""
    hashed = _cached_hash(key) if len(key) <= _CACHED_KEY_BYTES else murmur2(key)
    # KIP-480, `Utils.toPositive`.
    return int(hashed & 0x7FFFFFFF) % partitions


# aiokafka's murmur2 is Python and slow; most records that one record causes have the same key.
_cached_hash = lru_cache(maxsize=10_000)(murmur2)
