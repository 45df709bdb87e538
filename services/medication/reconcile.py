"""Reconciles the database with medication.status, for `herhaal progress accept medication`.

Normally overviews follow from the changes. After the database was lost, or changes expired before they were
handled, only the topic has the newest overviews. After Kafka was lost, only the database has them.
"""

from collections.abc import Sequence
from typing import Any

from runtime.messages.message import Message, Outgoing
from runtime.messages.partitioner import partition_of
from runtime.postgres import progress
from runtime.postgres.connection import Connection
from runtime.rebuild import reading
from schemas.records.medication import MedicationOverview
from schemas.topics import MEDICATION_STATUS
from services.medication import store
from services.medication.handlers import overview_record

BATCH_SIZE = 500
"""How many overviews are read, and stored in the outbox, in one transaction."""


async def reconcile(kafka: str, db: Connection) -> list[str]:
    """Adopt overviews that are newer on the topic, and publish those that are newer here, through the outbox.

    Returns sentences for the operator.

    Raises:
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: a server is unavailable, or refuses.
    """
    adopted = published = 0
    on_topic: dict[str, int] = {}
    async for messages in reading.messages(kafka, MEDICATION_STATUS):
        newest = _newest(messages)
        adopted += await store.adopt(db, newest) if newest else 0
        for overview in newest:
            on_topic[overview.patient] = max(overview.version, on_topic.get(overview.patient, 0))
    async for overviews in store.all_overviews(db, BATCH_SIZE):
        newer = [o for o in overviews if o.version > on_topic.get(o.patient, 0)]
        await _publish(db, newer)
        published += len(newer)
    return [
        f"{adopted} overviews that only Kafka had, or newer ones, were taken.",
        f"{published} overviews that Kafka lacks will be published.",
    ]


def _newest(messages: Sequence[Message[Any]]) -> list[MedicationOverview]:
    """The newest overview of each patient in these messages; tombstones are skipped."""
    newest: dict[str, MedicationOverview] = {}
    for message in messages:
        if message.body is None:
            continue
        earlier = newest.get(message.key)
        if earlier is None or earlier.version < message.body.version:
            newest[message.key] = message.body
    return [*newest.values()]


async def _publish(db: Connection, overviews: Sequence[MedicationOverview]) -> None:
    """Store these in the outbox: the worker with their partition publishes them as leftovers."""
    outputs: dict[int, list[Outgoing]] = {}
    for overview in overviews:
        partition = partition_of(overview.patient.encode(), MEDICATION_STATUS.partitions)
        outputs.setdefault(partition, []).append(overview_record(overview, None))
    await progress.advance(db, (), outputs)
