"""A made-up service that adds numbers per patient, to test rebuilds without a real service's rules."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import asyncpg
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from deploy.local import LocalStack
from runtime.dsn import database_dsn
from runtime.kafka.admin import apply_topics, cluster_id
from runtime.kafka.clients import admin
from runtime.loop.handler import Done, Rejected
from runtime.messages.encoding import encode
from runtime.messages.message import Message
from runtime.messages.partitioner import partition_of
from runtime.postgres import migrations, progress
from runtime.postgres.connection import Connection
from runtime.postgres.migrations import Migration
from runtime.rebuild import reading
from runtime.rebuild.declaration import Rebuild
from runtime.rebuild.report import Result
from runtime.rebuild.run import Options, run
from schemas.base import Body
from schemas.topics import Topic
from tests.harness.kafka import send
from tests.harness.made import Sent

HERE = Path(__file__).parent

_COMPARE = """
select count(built.patient) as rows,
    count(*) filter (where running.patient is null) as added,
    count(*) filter (where built.patient is null) as gone,
    count(*) filter (where running.total <> built.total) as changed
from public.sums running full join sums built using (patient)
"""
_SUMS = "select patient, total from sums where patient = any($1::text[])"
_SAVE = """
insert into sums select * from unnest($1::text[], $2::bigint[])
on conflict (patient) do update set total = excluded.total
"""

_numbers = count(1)


class Tick(Body):
    """A number to add. 0 is rejected; on a negative number the handler fails."""

    TYPE: ClassVar[str] = "test.tick.v1"

    patient: str
    number: int


@dataclass
class Work:
    """Sums by patient."""

    sums: dict[str, int] = field(default_factory=dict)


class Adding:
    """Adds numbers. Holds back its writes until `settle`, as a builder may."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> Work:
        patients = {m.key for m in messages}
        rows = await db.fetch(_SUMS, patients)
        return Work({r["patient"]: r["total"] for r in rows} | self._held)

    def handle(self, message: Message[Any], work: Work) -> Done | Rejected:
        tick: Tick = message.body  # type: ignore[assignment]
        if tick.number < 0:
            raise ValueError(tick.patient)
        if tick.number == 0:
            return Rejected("zero")
        work.sums[tick.patient] = work.sums.get(tick.patient, 0) + tick.number
        return Done()

    async def write(self, db: Connection, work: Work) -> None:
        self._held |= work.sums

    async def settle(self, db: Connection) -> None:
        held, self._held = self._held, {}
        await db.execute(_SAVE, list(held), list(held.values()))


def ticks(name: str) -> Topic:
    """A topic of numbers."""
    who = frozenset({"test"})
    return Topic(
        name,
        "Numbers to add.",
        (Tick,),
        frozenset({"adding"}),
        who,
        timedelta(days=1),
        partitions=2,
    )


REBUILD: Rebuild[Work] = Rebuild(
    module=__name__,
    service="adding",
    inputs=(ticks("test.ticks"),),
    migrations=HERE / "migrations",
    builder=lambda _: Adding(),
    tables={"sums": _COMPARE},
    losses=frozenset({"sums"}),
)
"""Building processes import it from here."""


class Silent:
    """Ignores progress."""

    def begin(self, what: str, records: int) -> None: ...

    def built(self, records: int) -> None: ...


@dataclass
class Made:
    """Such a service's database and topic; the test plays the running service."""

    stack: LocalStack
    rebuild: Rebuild[Work]
    database: str

    @property
    def topic(self) -> Topic:
        return self.rebuild.inputs[0]

    @property
    def files(self) -> list[Migration]:
        """Its migrations."""
        folders = (("runtime", migrations.RUNTIME), (self.rebuild.service, self.rebuild.migrations))
        return [m for owner, folder in folders for m in migrations.read(owner, folder)]

    async def send(self, *numbers: int, patients: int = 3) -> None:
        """Send these numbers, for the patients in turn."""
        await self.send_records(
            self.record(f"pat_adding{at % patients:04d}", number)
            for at, number in enumerate(numbers)
        )

    async def send_records(self, records: Iterable[Sent]) -> None:
        await send(self.stack.kafka, records)

    def record(self, patient: str, number: int) -> Sent:
        """The record of one number."""
        body = Tick(patient=patient, number=number)
        headers = (("ce_id", str(uuid4()).encode()), ("ce_type", body.ce_type().encode()))
        key = patient.encode()
        return Sent(self.topic.name, key, encode(body), headers, partition_of(key, 2))

    async def ends(self) -> dict[TopicPartition, int]:
        """The end offsets of the topic."""
        async with reading.consumer(self.stack.kafka) as client:
            partitions = [TopicPartition(self.topic.name, n) for n in range(2)]
            spans = await reading.offset_ranges(client, partitions)
        return {tp: span.end for tp, span in spans.items()}

    async def ran(self, sums: Mapping[str, int], but: int = 0) -> None:
        """Store the running service's state: these sums, and progress up to `but` records before the ends."""
        async with self.connected() as db:
            await db.execute("delete from progress")
            await progress.store_first_cluster(db, await cluster_id(self.stack.kafka))
            for tp, end in (await self.ends()).items():
                await db.execute(
                    "insert into progress values ($1, $2, $3, 7)", *tp, max(0, end - but)
                )
            await db.execute("delete from sums")
            await db.execute(_SAVE, list(sums), list(sums.values()))

    async def run(self, **options: Any) -> Result:
        """Run a rebuild."""
        rebuild = self.rebuild
        return await run(rebuild, Options(self.stack.kafka, self.database, **options), Silent())

    async def sums(self) -> dict[str, int]:
        """The rows of the running table."""
        async with self.connected() as db:
            return {r["patient"]: r["total"] for r in await db.fetch("select * from sums")}

    async def epochs(self) -> set[int]:
        """The epochs of the running service."""
        async with self.connected() as db:
            return {r["epoch"] for r in await db.fetch("select epoch from progress")}

    async def left(self) -> bool:
        """Whether the schema of a rebuild exists."""
        async with self.connected() as db:
            found: bool = await db.fetchval("select to_regnamespace('rebuild') is not null")
            return found

    async def expire(self, before: int) -> None:
        """Delete the records of the first partition before this offset."""
        async with admin(self.stack.kafka) as client:
            where = TopicPartition(self.topic.name, 0)
            await client.delete_records({where: RecordsToDelete(before_offset=before)})

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        """Connect to the service's database."""
        db = await asyncpg.connect(self.database)
        try:
            yield db
        finally:
            await db.close()


@asynccontextmanager
async def made(stack: LocalStack, rebuild: Rebuild[Work] | None = None) -> AsyncIterator[Made]:
    """Create such a service without data, on a new topic unless a declaration is given."""
    number = next(_numbers)
    topic = ticks(f"test.ticks.{number}")
    declared = rebuild or replace(REBUILD, inputs=(topic,))
    await apply_topics(stack.kafka, declared.inputs, 1)
    name = f"adding_{number}"
    admin_db = await asyncpg.connect(stack.postgres)
    try:
        await admin_db.execute(f"create database {name}")
        service = Made(stack, declared, database_dsn(stack.postgres, name))
        async with service.connected() as db:
            await migrations.migrate(db, service.files)
        yield service
        await admin_db.execute(f"drop database {name} with (force)")
    finally:
        await admin_db.close()
