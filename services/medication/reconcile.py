"""`herhaal progress accept medication`: adopt overviews that only Kafka has, publish those that Kafka lacks.

Ordinarily overviews follow from the changes. When changes expired before they were handled, or the database
was lost, only the topic has the newest overviews; when Kafka was lost, only our database has them.
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
from services.medication.handlers import record_of

AT_A_TIME = 500
"""How many overviews are stored in the outbox together."""


async def reconcile(kafka: str, db: Connection) -> list[str]:
    """Adopt what is newer on the topic, and store what is newer here in the outbox; what was done, in words.

    Raises:
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: a server is away, or refuses.
    """
    adopted = published = 0
    on_topic: dict[str, int] = {}
    async for messages in reading.messages(kafka, MEDICATION_STATUS):
        newest = _newest(messages)
        adopted += await store.adopt(db, newest) if newest else 0
        for overview in newest:
            on_topic[overview.patient] = max(overview.version, on_topic.get(overview.patient, 0))
    async for overviews in store.every_overview(db, AT_A_TIME):
        newer = [o for o in overviews if o.version > on_topic.get(o.patient, 0)]
        await _publish(db, newer)
        published += len(newer)
    return [
        f"{adopted} overviews that only Kafka had, or newer ones, were taken.",
        f"{published} overviews that Kafka lacks will be published.",
    ]


def _newest(messages: Sequence[Message[Any]]) -> list[MedicationOverview]:
    """The newest overview of each patient among these."""
    newest: dict[str, MedicationOverview] = {}
    for message in messages:
        if message.body is None:
            continue
        before = newest.get(message.key)
        if before is None or before.version < message.body.version:
            newest[message.key] = message.body
    return [*newest.values()]


async def _publish(db: Connection, overviews: Sequence[MedicationOverview]) -> None:
    """Store these in the outbox: the worker that is assigned their partitions publishes them first."""
    outputs: dict[int, list[Outgoing]] = {}
    for overview in overviews:
        home = partition_of(overview.patient.encode(), MEDICATION_STATUS.partitions)
        outputs.setdefault(home, []).append(record_of(overview, None))
    await progress.advance(db, (), outputs)
