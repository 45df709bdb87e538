"""Overviews that only Kafka has, and those that Kafka lacks: `herhaal progress accept medication`.

Ordinarily overviews follow from the changes. After changes have expired that were never handled, or a
database was lost, the topic of overviews is the only place that tells of them; after Kafka was lost, our
database is.
"""

from collections.abc import Sequence
from typing import Any

from runtime import progress
from runtime.connection import Connection
from runtime.rebuild import reading
from runtime.records import Message, Outgoing, partition_of
from schemas.medication import MedicationOverview
from schemas.topics import MEDICATION_STATUS
from services.medication import store
from services.medication.handlers import record_of

AT_A_TIME = 500
"""Overviews that are put into the outbox together."""


async def reconcile(kafka: str, db: Connection) -> list[str]:
    """Take what is newer on the topic, and put what is newer here into the outbox; what was done.

    Raises:
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: a server is away, or refuses.
    """
    adopted = published = 0
    there: dict[str, int] = {}
    async for messages in reading.messages(kafka, MEDICATION_STATUS):
        found = _newest(messages)
        adopted += await store.adopt(db, found) if found else 0
        for overview in found:
            there[overview.patient] = max(overview.version, there.get(overview.patient, 0))
    async for overviews in store.every_overview(db, AT_A_TIME):
        newer = [o for o in overviews if o.version > there.get(o.patient, 0)]
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
    """Put these into the outbox: the worker that takes their partitions publishes them first."""
    outputs: dict[int, list[Outgoing]] = {}
    for overview in overviews:
        home = partition_of(overview.patient.encode(), MEDICATION_STATUS.partitions)
        outputs.setdefault(home, []).append(record_of(overview, None))
    await progress.advance(db, (), outputs)
