"""What a poll brings, and which of it is still to be handled."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from faststream.kafka import KafkaMessage

from runtime import continuity
from runtime.continuity import Misfit, Standing
from runtime.deliveries import Delivered
from runtime.positions import Position
from runtime.records import runs


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
        continuity.refuse_misfits([gone])


async def polled(
    consumer: AIOKafkaConsumer, *, timeout_ms: int, max_records: int
) -> tuple[Delivered, ...]:
    """What Kafka has brought, as soon as it has; nothing after `timeout_ms` milliseconds without.

    FastStream's own poll sleeps after one that found nothing, and what comes meanwhile waits for it.
    """
    found = await consumer.getmany(timeout_ms=timeout_ms, max_records=max_records)
    return tuple(chain(*found.values()))


async def unwrapped(message: KafkaMessage) -> Fetched:
    """FastStream's decoder: records as they are."""
    raw: Any = message.raw_message
    return Fetched(raw)
