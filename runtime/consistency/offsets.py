"""Checks at each assignment that the stored offsets still fit the partitions of this cluster.

A consumer whose offset no longer exists starts at the earliest or latest offset (`auto.offset.reset`) and
skips records silently. Here the process ends with an error that names the remedy.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.errors import CannotRun
from runtime.messages.message import Record
from runtime.messages.positions import Position

POLL_MS = 500
"""How long one poll waits. In a compacted topic the wanted record may have been removed, so one is enough."""

TIMEOUT_S = 10.0
"""How long the topics that are not compacted may take to deliver their last handled record."""

_MAX_RECORDS = 50
"""Per poll. One or two polls then cover all partitions; only the first record of each is used."""

REMEDY = "`herhaal progress` shows what fits, and what can be done."


class Misfit(StrEnum):
    """Why a partition does not fit its stored offset."""

    PAST_END = "past_end"
    """The end offset is lower than the stored offset: Kafka lost records, or this is another cluster."""

    EXPIRED = "expired"
    """The beginning offset is higher than the stored offset: records were deleted before they were handled."""

    OTHER_RECORD = "other_record"
    """The last handled record has another append time: the topic was recreated or restored."""


class ClusterMismatch(CannotRun):
    """The database belongs to another Kafka cluster, or a partition does not fit its stored offset."""


@dataclass(frozen=True, slots=True)
class PartitionCheck:
    """A partition's stored offset (`next_offset`, 0 for a new one), its beginning and its end offset."""

    tp: TopicPartition
    next_offset: int
    begin: int
    end: int
    misfit: Misfit | None = None


def refuse_other_cluster(stored: str, current: str) -> None:
    """Raise ClusterMismatch unless both cluster ids are the same."""
    if stored != current:
        raise ClusterMismatch(
            f"this is Kafka cluster {current}, and the database belongs to {stored}. {REMEDY}"
        )


def refuse_misfits(partitions: Iterable[PartitionCheck]) -> None:
    """Raise ClusterMismatch that describes the first misfit, if there is one."""
    for partition in partitions:
        if partition.misfit is not None:
            raise ClusterMismatch(f"{describe(partition, partition.misfit)}. {REMEDY}")


def describe(partition: PartitionCheck, misfit: Misfit) -> str:
    """Describe a misfit in a sentence, without the full stop."""
    name = f"{partition.tp.topic}-{partition.tp.partition}"
    match misfit:
        case Misfit.PAST_END:
            return (
                f"{name} ends at {partition.end}, but everything before {partition.next_offset} is done:"
                " Kafka has lost records"
            )
        case Misfit.EXPIRED:
            return (
                f"{name} begins at {partition.begin}, but only what is before {partition.next_offset}"
                " is done: records have expired that were never handled"
            )
        case Misfit.OTHER_RECORD:
            return (
                f"{name} holds another record before {partition.next_offset} than the one that was"
                " handled: the topic was recreated, or restored from a backup"
            )
        case _:
            assert_never(misfit)


async def check_offsets(
    consumer: AIOKafkaConsumer,
    positions: Mapping[TopicPartition, Position],
    compacted: Set[str],
    *,
    new: Set[TopicPartition] = frozenset(),
    may_expire: Set[TopicPartition] = frozenset(),
) -> list[PartitionCheck]:
    """Compare stored positions with the partitions' offsets and last handled records.

    `consumer` is assigned to these partitions, and has an arbitrary position afterwards. Of `new` partitions
    nothing was handled yet. `compacted` topics may lack the last handled record. Partitions that
    `may_expire` may lack records that were not handled.

    Raises:
        TimeoutError: Kafka did not deliver a last handled record within `TIMEOUT_S`.
    """
    begins = await consumer.beginning_offsets([*positions])
    ends = await consumer.end_offsets([*positions])
    checks = {
        tp: _check_range(
            tp,
            0 if tp in new else position.next_offset,
            begins[tp],
            ends[tp],
            may_expire=tp in may_expire,
        )
        for tp, position in sorted(positions.items())
    }
    comparable = {
        tp: positions[tp]
        for tp, check in checks.items()
        if check.misfit is None and check.next_offset > check.begin
    }
    async for tp in _other_records(consumer, comparable, compacted):
        checks[tp] = replace(checks[tp], misfit=Misfit.OTHER_RECORD)
    return [*checks.values()]


def _check_range(
    tp: TopicPartition, next_offset: int, begin: int, end: int, *, may_expire: bool
) -> PartitionCheck:
    misfit = None
    if next_offset > end:
        misfit = Misfit.PAST_END
    elif next_offset < begin and not may_expire:
        misfit = Misfit.EXPIRED
    return PartitionCheck(tp, next_offset, begin, end, misfit)


async def _other_records(
    consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, Position], compacted: Set[str]
) -> AsyncIterator[TopicPartition]:
    """Partitions whose last handled record has another append time than the stored one."""
    wanted = {tp: p for tp, p in positions.items() if p.last_ms is not None}
    async with asyncio.timeout(TIMEOUT_S):
        async for tp, record in _first_records(consumer, wanted, compacted):
            last = wanted[tp]
            if record.offset == last.next_offset - 1 and record.timestamp != last.last_ms:
                yield tp


async def _first_records(
    consumer: AIOKafkaConsumer, wanted: Mapping[TopicPartition, Position], compacted: Set[str]
) -> AsyncIterator[tuple[TopicPartition, Record]]:
    """The first record of each partition at or after its last handled offset."""
    for tp, position in wanted.items():
        consumer.seek(tp, position.next_offset - 1)
    left = set(wanted)
    while left:
        batches = await consumer.getmany(*left, timeout_ms=POLL_MS, max_records=_MAX_RECORDS)
        if not batches and all(tp.topic in compacted for tp in left):
            return
        for tp, records in batches.items():
            left.discard(tp)
            yield tp, records[0]
