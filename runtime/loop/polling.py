"""FastStream's batch subscriber with our poll and without its decoding; which records are still to be handled.

All that is adapted of FastStream is here.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from faststream.kafka.subscriber.usecase import BatchSubscriber

from runtime.consistency import offsets
from runtime.consistency.offsets import Misfit, Standing
from runtime.kafka.record_reader import Delivered
from runtime.messages.message import runs
from runtime.messages.positions import Position
from schemas.topics import Topic

POLL_MS = 500
"""How long a poll waits for records; it ends when there are any."""

GATHERED_BYTES = 768 * 1024
"""So many are worth a batch at once: some 800 events of orders."""

_IDLE_MS = 500
"""How long Kafka keeps a request for records while there are none."""

HEARTBEAT_MS = 500
"""A worker hears with its next heartbeat that another has joined or left, which waits for it meanwhile."""


@dataclass(frozen=True)
class Fetched:
    """A batch as FastStream hands it over; wrapped, because a bare tuple would be spread over arguments."""

    records: Sequence[Delivered]

    async def current(
        self,
        consumer: AIOKafkaConsumer,
        owned: Mapping[TopicPartition, Position],
        compacted: Set[str],
    ) -> list[Delivered]:
        """Leave out what was fetched before a seek: its partition's position lies before it again.

        Raises OtherKafka when records were deleted that were not handled; `compacted` topics may lack some.
        """
        found: list[Delivered] = []
        for tp, run in runs(self.records):
            if tp in owned and await consumer.position(tp) > run[-1].offset:
                if run[0].offset > owned[tp].next_offset and tp.topic not in compacted:
                    await _refuse_expired(consumer, tp, owned[tp], run[0].offset)
                found += run
        return found


async def _refuse_expired(
    consumer: AIOKafkaConsumer, tp: TopicPartition, position: Position, offset: int
) -> None:
    # A transaction's end takes an offset too, so a gap alone says nothing.
    begin = (await consumer.beginning_offsets([tp]))[tp]
    if begin > position.next_offset:
        gone = Standing(tp, position.next_offset, begin, offset, Misfit.EXPIRED)
        offsets.refuse_misfits([gone])


def subscribe(
    broker: KafkaBroker,
    topics: Sequence[Topic],
    handle: Callable[[Fetched], Awaitable[None]],
    listener: ConsumerRebalanceListener,
    *,
    group: str,
    gather_ms: int,
    max_records: int,
    session_timeout_ms: int,
) -> BatchSubscriber:
    """A subscriber of these topics that gives each poll's records to `handle` as they are.

    Kafka may keep records for `gather_ms` until there are `GATHERED_BYTES` of them; 0 is not at all.
    """
    subscriber = broker.subscriber(
        *(topic.name for topic in topics),
        batch=True,
        group_id=group,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.MANUAL,
        partition_assignment_strategy=(RangePartitionAssignor,),
        fetch_min_bytes=GATHERED_BYTES if gather_ms else 1,
        fetch_max_wait_ms=gather_ms or _IDLE_MS,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        session_timeout_ms=session_timeout_ms,
        heartbeat_interval_ms=min(HEARTBEAT_MS, session_timeout_ms // 3),
        listener=listener,
        parser=_raw,
        decoder=_unwrapped,
    )
    subscriber(handle)
    subscriber.get_msg = partial(  # type: ignore[method-assign]
        polled, timeout_ms=POLL_MS, max_records=max_records
    )
    return subscriber


async def polled(
    consumer: AIOKafkaConsumer, *, timeout_ms: int, max_records: int
) -> tuple[Delivered, ...]:
    """The records that Kafka has, as soon as there are any; none after `timeout_ms` milliseconds.

    FastStream's own poll sleeps after one that was empty, and records that come meanwhile wait for it.
    """
    found = await consumer.getmany(timeout_ms=timeout_ms, max_records=max_records)
    return tuple(chain(*found.values()))


async def _raw(records: tuple[Delivered, ...]) -> KafkaMessage:
    # FastStream's own parser decodes headers, and would lose a record with a null or binary one.
    # Nothing is acknowledged through the message, so it needs no consumer.
    return KafkaMessage(body=b"", raw_message=records, consumer=FAKE_CONSUMER)


async def _unwrapped(message: KafkaMessage) -> Fetched:
    raw: Any = message.raw_message
    return Fetched(raw)
