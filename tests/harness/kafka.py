"""Send records to Kafka and read whole topics, with a plain client."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from runtime.kafka import record_reader
from runtime.kafka_address import client_options
from runtime.messages.encoding import encode
from schemas.base import Body
from tests.harness.made import Sent

WAIT_S = 30.0


def sent(topic: str, body: Body, ce_id: str | None = None, **headers: str) -> Sent:
    """The record of a body, as a portal's back end makes it."""
    key: str = getattr(body, body.KEY)
    values = {
        "ce_specversion": "1.0",
        "ce_id": ce_id or str(uuid4()),
        "ce_type": body.ce_type(),
        "ce_source": "nl.herhaal/test",
        "content-type": "application/json",
    } | headers
    return Sent(
        topic, key.encode(), encode(body), tuple((n, v.encode()) for n, v in values.items())
    )


@asynccontextmanager
async def producer(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """An idempotent producer with `acks=all`, as a portal has."""
    client = AIOKafkaProducer(**client_options(bootstrap), acks="all", enable_idempotence=True)
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


async def send(bootstrap: str, records: Iterable[Sent]) -> None:
    """Send these in order and wait until all are acknowledged."""
    async with producer(bootstrap) as client:
        waiting = [
            await client.send(
                r.topic, key=r.key, value=r.value, headers=list(r.headers), partition=r.partition
            )
            for r in records
        ]
        await asyncio.gather(*waiting)


async def read_all(bootstrap: str, topic: str) -> list[ConsumerRecord]:
    """Every record on a topic up to its current end offsets, in the order of each partition.

    Records with a header name that is not UTF-8 are read as well.
    """
    record_reader.install()
    consumer = AIOKafkaConsumer(topic, **client_options(bootstrap), auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = consumer.assignment()
        assert partitions, f"there is no topic {topic}"
        ends = await consumer.end_offsets(partitions)
        records: list[ConsumerRecord] = []
        while True:
            behind = [tp for tp in partitions if await consumer.position(tp) < ends[tp]]
            if not behind:
                return records
            for batch in (await consumer.getmany(*behind, timeout_ms=500)).values():
                records.extend(batch)
    finally:
        await consumer.stop()


def header(record: ConsumerRecord, name: str) -> str | None:
    """The text of the first header of this name; None without one."""
    return next((value.decode() for n, value in record.headers if n == name and value), None)


async def eventually(
    look: Callable[[], Any], is_right: Callable[[Any], bool], within_s: float = WAIT_S
) -> Any:
    """Call `look` (async) until `is_right` accepts its result, and return that. Fails with the last result."""
    seen: Any = None
    try:
        async with asyncio.timeout(within_s):
            while True:
                seen = await look()
                if is_right(seen):
                    return seen
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"not so within {within_s} s; last seen: {seen!r}") from None


async def records_of(
    bootstrap: str, topic: str, keys: Sequence[str], at_least: int, within_s: float = WAIT_S
) -> list[ConsumerRecord]:
    """Wait for at least this many records with these keys, and return all of them."""
    wanted = {key.encode() for key in keys}

    async def look() -> list[ConsumerRecord]:
        return [r for r in await read_all(bootstrap, topic) if r.key in wanted]

    found: list[ConsumerRecord] = await eventually(
        look, lambda seen: len(seen) >= at_least, within_s
    )
    return found
