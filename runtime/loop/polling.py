"""Adapts FastStream's batch subscriber: our own poll, no decoding; filters records fetched before a seek.

The only module that adapts FastStream.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka import Topic as DeclaredTopic
from faststream.kafka.message import FAKE_CONSUMER
from faststream.kafka.subscriber.usecase import BatchSubscriber
from faststream.security import BaseSecurity, SASLScram512

from runtime.consistency import offsets
from runtime.consistency.offsets import Misfit, PartitionCheck
from runtime.kafka.client_id import client_id
from runtime.kafka.record_reader import Delivered
from runtime.kafka_address import Address, tls_context
from runtime.loop.assignor import CoPartitionAssignor
from runtime.messages.message import runs
from runtime.messages.positions import Position
from runtime.observability.logs import FASTSTREAM
from schemas.topics import Topic

POLL_MS = 500
"""Poll timeout; a poll returns earlier when there are records."""

MIN_FETCH_BYTES = 768 * 1024
"""Kafka's `fetch.min.bytes` for services with `fetch_wait_ms`: about 800 order events."""

_IDLE_MS = 500
"""Kafka's `fetch.max.wait.ms` for the other services."""

HEARTBEAT_MS = 500
"""Short, because members learn of a rebalance with their next heartbeat, and the others wait for them."""


REQUEST_TIMEOUT_MS = 15_000
"""Longer than a rebalance, which may wait until the session of a paused member has expired."""


@dataclass(frozen=True)
class Fetched:
    """The records of one poll. A class, because FastStream spreads a bare tuple over arguments."""

    records: Sequence[Delivered]

    async def drop_outdated(
        self,
        consumer: AIOKafkaConsumer,
        assigned: Mapping[TopicPartition, Position],
        compacted: Set[str],
    ) -> list[Delivered]:
        """Return the records without those fetched before a seek to an earlier position.

        Raises:
            ClusterMismatch: Kafka has deleted records that were not handled. Not for `compacted` topics, where
                gaps are normal.
        """
        current: list[Delivered] = []
        for tp, run in runs(self.records):
            if tp in assigned and await consumer.position(tp) > run[-1].offset:
                if run[0].offset > assigned[tp].next_offset and tp.topic not in compacted:
                    await _refuse_expired(consumer, tp, assigned[tp], run[0].offset)
                current += run
        return current


async def _refuse_expired(
    consumer: AIOKafkaConsumer, tp: TopicPartition, position: Position, offset: int
) -> None:
    # A transaction marker takes an offset too, so a gap does not prove that records were deleted.
    begin = (await consumer.beginning_offsets([tp]))[tp]
    if begin > position.next_offset:
        expired = PartitionCheck(tp, position.next_offset, begin, offset, Misfit.EXPIRED)
        offsets.refuse_misfits([expired])


def create_broker(bootstrap: str, group: str) -> KafkaBroker:
    """Create FastStream's broker for a service; it connects when started."""
    address = Address.parse(bootstrap)
    return KafkaBroker(
        # FastStream treats a string as one address, even with commas.
        [*address.servers],
        security=_security(address),
        apply_types=False,
        client_id=client_id(group),
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        logger=logging.getLogger(FASTSTREAM),
    )


def _security(address: Address) -> BaseSecurity:
    context = tls_context(address.ca) if address.ca else None
    if address.user is None:
        return BaseSecurity(context)
    return SASLScram512(address.user, address.password, context, use_ssl=context is not None)


def subscribe(
    broker: KafkaBroker,
    topics: Sequence[Topic],
    handle: Callable[[Fetched], Awaitable[None]],
    listener: ConsumerRebalanceListener,
    *,
    group: str,
    fetch_wait_ms: int,
    max_records: int,
    session_timeout_ms: int,
) -> BatchSubscriber:
    """Make a subscriber of these topics that passes the raw records of each poll to `handle`.

    The broker may hold a fetch for `fetch_wait_ms` until `MIN_FETCH_BYTES` have arrived; 0 disables this.
    """
    subscriber = broker.subscriber(
        # Undeclared: FastStream would ask Kafka to create them at each start, which a service may not.
        *(DeclaredTopic(topic.name, declare=False) for topic in topics),
        batch=True,
        group_id=group,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.MANUAL,
        partition_assignment_strategy=(CoPartitionAssignor,),
        fetch_min_bytes=MIN_FETCH_BYTES if fetch_wait_ms else 1,
        fetch_max_wait_ms=fetch_wait_ms or _IDLE_MS,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        session_timeout_ms=session_timeout_ms,
        heartbeat_interval_ms=min(HEARTBEAT_MS, session_timeout_ms // 3),
        listener=listener,
        parser=_raw,
        decoder=_unwrapped,
    )
    subscriber(handle)
    subscriber.get_msg = partial(  # type: ignore[method-assign]
        poll, timeout_ms=POLL_MS, max_records=max_records
    )
    return subscriber


async def poll(
    consumer: AIOKafkaConsumer, *, timeout_ms: int, max_records: int
) -> tuple[Delivered, ...]:
    """Return records as soon as there are any; none after `timeout_ms`.

    FastStream's own poll sleeps after an empty result, which delays records that arrive meanwhile.
    """
    polled = await consumer.getmany(timeout_ms=timeout_ms, max_records=max_records)
    return tuple(chain(*polled.values()))


async def _raw(records: tuple[Delivered, ...]) -> KafkaMessage:
    # FastStream's own parser decodes headers, and fails on a null or binary one.
    # Offsets are not committed through the message, so it needs no consumer.
    return KafkaMessage(body=b"", raw_message=records, consumer=FAKE_CONSUMER)


async def _unwrapped(message: KafkaMessage) -> Fetched:
    raw: Any = message.raw_message
    return Fetched(raw)
