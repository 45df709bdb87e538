"""Kafka's default partitioner."""

from functools import lru_cache

from aiokafka.partitioner import murmur2

_CACHED_KEY_BYTES = 256
"""No patient, practice or pharmacy has a longer key; the hash of one is not cached, which bounds the memory."""


def partition_of(key: bytes, partitions: int) -> int:
    """The partition where Kafka's default partitioner puts `key`."""
    hashed = _cached_hash(key) if len(key) <= _CACHED_KEY_BYTES else murmur2(key)
    # KIP-480, `Utils.toPositive`.
    return int(hashed & 0x7FFFFFFF) % partitions


# aiokafka hashes in Python, and all that follows from a record has its key.
_cached_hash = lru_cache(maxsize=10_000)(murmur2)
