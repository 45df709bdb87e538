"""Whether Kafka still is the one that a database belongs to: asked when partitions are taken.

Kafka by itself would start at the beginning, or at the end, where the stored place is not there any more,
and skip records in silence. Here the process ends instead, and says the way out.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.errors import CannotRun
from runtime.messages.message import Record
from runtime.messages.positions import Position

LOOK_MS = 500
"""How long a compacted topic is asked for a record that it may not have any more."""

WITHIN_S = 10.0
"""How long all others may take to give theirs."""

_FEW = 50
"""Enough to hear of every partition in a poll or two; what else is fetched is thrown away."""

WAY_OUT = "`herhaal progress` shows what fits, and what can be done."


class Misfit(StrEnum):
    """Why a partition is not the one in which a service stands."""

    PAST_END = "past_end"
    """It ends before what is done: Kafka has lost records, or is another one."""

    EXPIRED = "expired"
    """It begins after what is done: records were deleted that were never handled."""

    OTHER_RECORD = "other_record"
    """The last record that is done is another one there: the topic was made again, or brought back."""


class OtherKafka(CannotRun):
    """This is not the Kafka that the database belongs to, or not all of it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a service stands in a partition that holds offsets from `begin` to, not including, `end`.

    `done` is how far it is; 0 when it was never there.
    """

    tp: TopicPartition
    done: int
    begin: int
    end: int
    misfit: Misfit | None = None


def refuse_other_cluster(known: str, found: str) -> None:
    """Raises OtherKafka when `found` is not the `known` cluster id."""
    if known != found:
        raise OtherKafka(
            f"this is Kafka cluster {found}, and the database belongs to {known}. {WAY_OUT}"
        )


def refuse_misfits(standings: Iterable[Standing]) -> None:
    """Raises OtherKafka, with the first that does not fit in words."""
    for standing in standings:
        if standing.misfit is not None:
            raise OtherKafka(f"{in_words(standing, standing.misfit)}. {WAY_OUT}")


def in_words(standing: Standing, misfit: Misfit) -> str:
    """What is wrong with a partition, as a sentence without its full stop."""
    where = f"{standing.tp.topic}-{standing.tp.partition}"
    match misfit:
        case Misfit.PAST_END:
            return f"{where} ends at {standing.end}, but {standing.done} is done: Kafka has lost records"
        case Misfit.EXPIRED:
            return (
                f"{where} begins at {standing.begin}, but only what is before {standing.done} is done:"
                " records have expired that were never handled"
            )
        case Misfit.OTHER_RECORD:
            return (
                f"{where} holds another record before {standing.done} than the one that was handled:"
                " the topic was made again, or brought back"
            )
        case _:
            assert_never(misfit)


async def look(
    reader: AIOKafkaConsumer,
    positions: Mapping[TopicPartition, Position],
    compacted: Set[str],
    *,
    new: Set[TopicPartition] = frozenset(),
    may_expire: Set[TopicPartition] = frozenset(),
) -> list[Standing]:
    """Hold our positions against what is there; `reader` has these partitions, and is left anywhere.

    Nothing is done of those that are `new` to the service. `compacted` topics may not have the last
    record any more; in those that `may_expire`, what is gone needs no handling.

    Raises:
        TimeoutError: Kafka does not give a record that it must have.
    """
    begins = await reader.beginning_offsets([*positions])
    ends = await reader.end_offsets([*positions])
    standings = {
        tp: _standing(
            tp,
            0 if tp in new else position.next_offset,
            begins[tp],
            ends[tp],
            expires=tp not in may_expire,
        )
        for tp, position in sorted(positions.items())
    }
    comparable = {
        tp: positions[tp]
        for tp, standing in standings.items()
        if standing.misfit is None and standing.done > standing.begin
    }
    async for tp in _other_records(reader, comparable, compacted):
        standings[tp] = Standing(tp, standings[tp].done, begins[tp], ends[tp], Misfit.OTHER_RECORD)
    return [*standings.values()]


def _standing(tp: TopicPartition, done: int, begin: int, end: int, *, expires: bool) -> Standing:
    if done > end:
        return Standing(tp, done, begin, end, Misfit.PAST_END)
    return Standing(tp, done, begin, end, Misfit.EXPIRED if expires and done < begin else None)


async def _other_records(
    reader: AIOKafkaConsumer, positions: Mapping[TopicPartition, Position], compacted: Set[str]
) -> AsyncIterator[TopicPartition]:
    """The partitions in which the last record that is done was taken at another time than we know."""
    asked = {tp: p for tp, p in positions.items() if p.last_ms is not None}
    async with asyncio.timeout(WITHIN_S):
        async for tp, record in _first_records(reader, asked, compacted):
            last = asked[tp]
            if record.offset == last.next_offset - 1 and record.timestamp != last.last_ms:
                yield tp


async def _first_records(
    reader: AIOKafkaConsumer, asked: Mapping[TopicPartition, Position], compacted: Set[str]
) -> AsyncIterator[tuple[TopicPartition, Record]]:
    """The first record there is from each position's last record on."""
    for tp, position in asked.items():
        reader.seek(tp, position.next_offset - 1)
    left = set(asked)
    while left:
        found = await reader.getmany(*left, timeout_ms=LOOK_MS, max_records=_FEW)
        if not found and all(tp.topic in compacted for tp in left):
            return
        for tp, records in found.items():
            left.discard(tp)
            yield tp, records[0]
