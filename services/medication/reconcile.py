"""Overviews that only Kafka has, and those that Kafka lacks: `herhaal progress accept medication`.

Ordinarily overviews follow from the changes. After changes have expired that were never handled, or a
database was lost, the topic of overviews is the only place that tells of them; after Kafka was lost, our
database is.
"""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime import ledger
from runtime.handling import Connection
from runtime.parsing import Parser
from runtime.records import Message, Outgoing, Record, partition_of
from schemas.medication import MedicationOverview
from schemas.topics import MEDICATION_STATUS
from services.medication import store
from services.medication.handlers import record_of

AT_A_TIME = 500
"""Overviews that are read, or published, together."""

_parser = Parser.of([MEDICATION_STATUS])


async def reconcile(kafka: str, db: Connection) -> list[str]:
    """Take what is newer on the topic, and put what is newer here into the outbox; what was done.

    Raises:
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: a server is away, or refuses.
    """
    adopted = published = 0
    there: dict[str, int] = {}
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest"
    ) as reader:
        for number in range(MEDICATION_STATUS.partitions):
            adopted += await _adopt(
                reader, TopicPartition(MEDICATION_STATUS.name, number), db, there
            )
    async for overviews in store.every_overview(db, AT_A_TIME):
        newer = [o for o in overviews if o.version > there.get(o.patient, 0)]
        await _publish(db, newer)
        published += len(newer)
    return [
        f"{adopted} overviews that only Kafka had, or newer ones, were taken.",
        f"{published} overviews that Kafka lacks will be published.",
    ]


async def _adopt(
    reader: AIOKafkaConsumer, tp: TopicPartition, db: Connection, there: dict[str, int]
) -> int:
    """Take what is newer in one partition, and note in `there` which version each patient has on it."""
    reader.assign([tp])
    await reader.seek_to_beginning(tp)
    end = (await reader.end_offsets([tp]))[tp]
    adopted = 0
    while await reader.position(tp) < end:
        batches = await reader.getmany(tp, timeout_ms=1000, max_records=AT_A_TIME)
        found = _overviews(batches.get(tp, ()))
        adopted += await store.adopt(db, found) if found else 0
        for overview in found:
            there[overview.patient] = max(overview.version, there.get(overview.patient, 0))
    return adopted


def _overviews(records: Sequence[Record]) -> list[MedicationOverview]:
    """Those that are newest of each patient among these records."""
    newest: dict[str, MedicationOverview] = {}
    for record in records:
        message = _parser.parse(record)
        if not isinstance(message, Message) or not isinstance(message.body, MedicationOverview):
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
    await ledger.advance(db, (), outputs)
