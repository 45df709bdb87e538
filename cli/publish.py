"""Publishes what a command says: entries of the directory, revocations."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from runtime.kafka.producer import Producer
from runtime.messages.cloudevents import event_id, outgoing
from runtime.messages.message import Outgoing
from schemas.base import Body
from schemas.topics import Topic

SOURCE = "nl.herhaal/cli"


@asynccontextmanager
async def publisher(kafka: str) -> AsyncIterator[Producer]:
    """Open a producer. Raises KafkaError when Kafka is away."""
    made = Producer(kafka, "herhaal-cli")
    try:
        await made.start()
        yield made
    finally:
        await made.stop()


def record_of(topic: Topic, body: Body, version: int | str) -> Outgoing:
    """Make the record of this version of what its key names; the same version has the same `ce_id`."""
    key = str(getattr(body, body.KEY))
    return outgoing(
        topic.name,
        body,
        key=key,
        id=event_id(body.TYPE, key, version),
        source=SOURCE,
        subject=key,
        at=datetime.now(UTC),
        traceparent=None,
    )
