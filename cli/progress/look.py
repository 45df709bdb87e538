"""Where a service stands in each partition, held against what Kafka has."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.verify.gather import database_dsn
from runtime import continuity, header_names, ledger
from runtime.continuity import Standing
from runtime.handling import Connection
from runtime.ledger import Position
from runtime.topics import cluster_id
from schemas.topics import Topic


@dataclass(frozen=True)
class Reads:
    """The topics that a service reads, and its own, which it reads back after a restore."""

    inputs: tuple[Topic, ...]
    own: Topic | None

    @classmethod
    def of(cls, service: str) -> "Reads":
        """As its handlers declare it."""
        handlers = import_module(f"services.{service}.handlers")
        return cls(handlers.INPUTS, getattr(handlers, "OWN", None))

    @property
    def compacted(self) -> set[str]:
        """The names of the topics that keep only each key's newest record."""
        return {topic.name for topic in self.inputs if topic.compacted}


@dataclass(frozen=True)
class Found:
    """How a service stands: `known` is the id of the cluster that its database belongs to, None if new."""

    service: str
    known: str | None
    cluster: str
    standings: tuple[Standing, ...]

    @property
    def other_cluster(self) -> bool:
        """Whether this is another Kafka."""
        return self.known is not None and self.known != self.cluster

    @property
    def misfits(self) -> list[Standing]:
        """The partitions in which it does not stand where it did; all of them on another Kafka."""
        return [s for s in self.standings if s.misfit is not None or self.other_cluster]

    @property
    def fits(self) -> bool:
        """Whether it can run."""
        return not self.misfits


async def look(kafka: str, db: Connection, service: str) -> Found:
    """Hold a service's database against Kafka.

    Raises:
        asyncpg.UndefinedTableError: it has never started.
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: a server is away, or refuses.
    """
    reads = Reads.of(service)
    known = await ledger.known_cluster(db)
    stored = await ledger.positions(db)
    inputs = _partitions(reads.inputs)
    told = _partitions([reads.own] if reads.own else [])
    positions = {tp: stored.get(tp, Position(0, 1)) for tp in (*inputs, *told)}
    async with _reader(kafka, positions) as reader:
        standings = await continuity.look(
            reader,
            positions,
            reads.compacted,
            new=positions.keys() - stored.keys(),
            may_expire=frozenset(told),
        )
    return Found(service, known, await cluster_id(kafka), tuple(standings))


@asynccontextmanager
async def database(postgres: str, service: str) -> AsyncIterator[Connection]:
    """A service's own database, as an administrator."""
    db = await asyncpg.connect(
        database_dsn(postgres, service),
        timeout=10,
        server_settings={"application_name": "progress"},
    )
    try:
        yield db
    finally:
        await db.close()


def _partitions(topics: Iterable[Topic]) -> list[TopicPartition]:
    return [
        TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)
    ]


@asynccontextmanager
async def _reader(
    kafka: str, partitions: Iterable[TopicPartition]
) -> AsyncIterator[AIOKafkaConsumer]:
    header_names.install()
    reader = AIOKafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        await reader.start()
        reader.assign([*partitions])
        yield reader
    finally:
        await reader.stop()
