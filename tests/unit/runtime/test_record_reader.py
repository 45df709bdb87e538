"""The record reader: header names that are not UTF-8, fields of a delivered record."""

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_UNCOMMITTED, MemoryRecords, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchBuilderPy

from runtime.kafka import record_reader
from tests.harness.odd import OddName

HERE = TopicPartition("orders.requests", 3)


def _batch(compression: int) -> bytes:
    builder = _DefaultRecordBatchBuilderPy(2, compression, False, -1, -1, -1, 100_000)
    builder.append(0, 1000, b"k0", b"v0", [("plain", b"1")])
    builder.append(1, 1000, b"k1", b"v1", [(OddName("x"), b"1"), ("after", None)])
    builder.append(2, 1000, b"k2", b"v2" * 500, [("plain", b"2")])
    return bytes(builder.build())


def test_aiokafka_cannot_read_such_a_batch() -> None:
    """When this fails, aiokafka can, and `runtime/kafka/record_reader.py` can be removed."""
    with pytest.raises(UnicodeDecodeError):
        list(DefaultRecordBatch(_batch(0)))


@pytest.mark.parametrize("compression", [0, 1, 2, 3, 4])
def test_every_record_of_the_batch_is_read_once_and_in_order(compression: int) -> None:
    record_reader.install()
    records = record_reader._Records(_batch(compression) + _batch(0))
    batches = []
    while records.has_next():
        batch = records.next_batch()
        assert batch.validate_crc()
        batches.append([(r.offset, r.key, r.headers) for r in batch])
    assert [[key for _, key, _ in batch] for batch in batches] == [[b"k0", b"k1", b"k2"]] * 2
    assert batches[0][1][2] == [("\\xff\\xfe", b"1"), ("after", None)]


def test_consumers_use_it_once_installed() -> None:
    record_reader.install()
    from aiokafka.consumer import fetcher

    assert fetcher.MemoryRecords is record_reader._Records
    assert fetcher.PartitionRecords is record_reader._Partition
    assert MemoryRecords is not None


def test_a_record_has_the_same_fields_as_aiokafkas_own() -> None:
    """Given records with and without a key, and a header without a value."""
    builder = _DefaultRecordBatchBuilderPy(2, 0, False, -1, -1, -1, 100_000)
    builder.append(0, 1000, b"k0", b"v0", [("plain", b"1"), ("null", None)])
    builder.append(1, 2000, None, None, [])
    batch = bytes(builder.build())
    ours, theirs = (
        list(read(HERE, MemoryRecords(batch), [], 0, None, None, True, READ_UNCOMMITTED))
        for read in (record_reader._Partition, PartitionRecords)
    )
    assert len(ours) == len(theirs) == 2
    for one, other in zip(ours, theirs, strict=True):
        assert all(getattr(one, name) == getattr(other, name) for name in one.__struct_fields__)
