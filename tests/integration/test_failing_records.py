"""A record on which PostgreSQL fails becomes a dead letter, and the rest of its batch is saved.

Loop and database are real; Kafka and the service are fakes.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from structlog.testing import capture_logs

from runtime.loop.attempts import MAX_UNEXPLAINED
from runtime.loop.handler import Done
from runtime.loop.loop import Loop
from runtime.messages.message import Message
from runtime.messages.parser import Parser
from runtime.observability.metrics import Telemetry
from runtime.postgres import migrations
from runtime.postgres.connection import Connection
from runtime.postgres.sessions import SESSION
from runtime.postgres.statements import Writes
from runtime.postgres.store import PostgresStore
from schemas.records.orders import OrderPlace
from schemas.topics import ORDERS_REQUESTS
from tests.harness.audit import a_chain
from tests.harness.database import ServiceDatabase, connected
from tests.unit.runtime.bench import HERE, LETTERS, orders
from tests.unit.runtime.fakes import NoWait, Wire

WITHIN_S = 120.0
IMPATIENT = SESSION | {"statement_timeout": "400ms", "lock_timeout": "150ms"}
"""A session's settings, with shorter timeouts."""

_SCHEMA = """
create table remarks (remark text primary key, number int unique);
create table numbers (number int);
insert into remarks values ('exists', 1), ('also exists', 2);
"""
_ADD = "insert into remarks (remark) select unnest($1::text[])"
_DIVIDE = "insert into numbers select 1 / n from unnest($1::int[]) as n"
_NUMBER = "insert into numbers select unnest($1::int[])"
_TAKE_LONG = "insert into numbers select 1 from pg_sleep($1::int)"
_SAME_NUMBER = "insert into remarks (remark, number) select unnest($1::text[]), 1"
_HEAVY = "select pg_sleep(2)"


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Keep log events in memory: structlog takes seconds to render a traceback."""
    with capture_logs():
        yield


@dataclass
class Work:
    """The remarks of the batch."""

    remarks: list[str] = field(default_factory=list)


class Service:
    """Saves each order's remark; some remarks make the database fail."""

    def __init__(self, in_order: bool) -> None:
        self.attempts = 0
        self._in_order = in_order

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> Work:
        """Run a statement that some remarks make fail."""
        self.attempts += 1
        remarks = {_remark(message) for message in messages}
        if "load divides" in remarks:
            await db.fetchval("select 1 / $1::int", 0)
        if "load takes long" in remarks:
            await db.fetchval(_HEAVY)
        return Work()

    def handle(self, message: Message[Any], work: Work) -> Done:
        """Add the order's remark to the batch."""
        work.remarks.append(_remark(message))
        return Done()

    def save(self, work: Work, writes: Writes) -> None:
        """Save the remarks by statements that some of them make fail."""
        writes.require_new("remarks")
        plain: list[str] = []
        for remark in work.remarks:
            match remark:
                case "divides":
                    writes.execute("numbers", _DIVIDE, [0])
                case "is out of range":
                    writes.execute("numbers", _NUMBER, [2**40])
                case "takes long":
                    writes.execute("numbers", _TAKE_LONG, 2)
                case "has a number":
                    writes.execute("remarks", _SAME_NUMBER, [remark])
                case _:
                    plain.append(remark)
        if plain:
            writes.execute("remarks", _ADD, plain)
        if self._in_order:
            writes.keep_order()


def _remark(message: Message[Any]) -> str:
    assert isinstance(message.body, OrderPlace)
    return message.body.remark or ""


@dataclass
class Running:
    """A loop with one assigned partition, and its parts."""

    loop: Loop[Work]
    pool: "asyncpg.Pool[Any]"
    wire: Wire
    service: Service
    telemetry: Telemetry

    async def handle(self, *remarks: str) -> None:
        """Handle orders with these remarks as one batch, until its output is published."""
        async with asyncio.timeout(WITHIN_S):
            await self.loop.on_batch(orders(*remarks))
            await self.loop.flush()

    async def saved(self) -> list[str]:
        """Return the remarks in the database."""
        rows = await self.pool.fetch("select remark from remarks where number is null")
        return sorted(row["remark"] for row in rows)

    @property
    def retries(self) -> float:
        """The number of retries, for any reason."""
        metrics = self.telemetry.registry.collect()
        return sum(
            sample.value
            for metric in metrics
            for sample in metric.samples
            if sample.name == "herhaal_retries_total"
        )

    @property
    def buried(self) -> list[tuple[str, str]]:
        """The reason and detail of each dead letter."""
        letters = [dict(r.headers) for r in self.wire.published if r.topic == LETTERS]
        return [
            ((letter["dl_reason"] or b"").decode(), (letter["dl_detail"] or b"").decode())
            for letter in letters
        ]


@asynccontextmanager
async def running(
    dsn: str, in_order: bool = False, owner: str | None = None
) -> AsyncIterator[Running]:
    """Run a loop on this database, whose tables are made by its owner."""
    wanted = migrations.read("runtime", migrations.RUNTIME)
    async with connected(owner or dsn) as db:
        await migrations.migrate(db, wanted)
        await db.execute(_SCHEMA)
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4, server_settings=IMPATIENT) as pool:
        wire, service, store = Wire(), Service(in_order), PostgresStore(pool, a_chain())
        telemetry = Telemetry("ordering")
        fakes: Any = (wire, telemetry, NoWait)
        loop: Loop[Work] = Loop("ordering", Parser.of([ORDERS_REQUESTS]), service, store, *fakes)
        async with store.assigning("cluster", {HERE: 0}) as taken:
            pass
        loop.assign(taken.positions)
        yield Running(loop, pool, wire, service, telemetry)
        await loop.release()


@pytest.fixture(params=["one statement", "transaction"])
async def service(request: pytest.FixtureRequest, scratch: str) -> AsyncIterator[Running]:
    """Run a loop over a service that saves in one statement, and in a transaction."""
    async with running(scratch, in_order=request.param == "transaction") as started:
        yield started


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ("divides", "DivisionByZeroError"),
        ("load divides", "DivisionByZeroError"),
        ("is out of range", "DataError"),
        ("has a number", "UniqueViolationError"),
        ("exists", "Outdated"),
        ("takes long", "QueryCanceledError"),
        ("load takes long", "QueryCanceledError"),
    ],
)
async def test_a_record_that_the_database_fails_on_is_buried_and_its_partition_goes_on(
    service: Running, bad: str, kind: str
) -> None:
    await service.handle("a", bad, "b")
    assert service.buried == [("save_failed", kind)]
    assert await service.saved() == ["a", "b"]
    assert service.loop.assigned[HERE].next_offset == 3
    assert not service.loop.fenced.is_set()


async def test_a_lock_of_another_session_is_waited_for(scratch: str) -> None:
    """Given a table that stays locked longer than the retries of a record last; then no record is buried."""
    async with running(scratch) as service:
        async with _locked(scratch, "lock table remarks in access exclusive mode"):
            handling = asyncio.create_task(service.handle("a", "b"))
            await _until(lambda: service.service.attempts > 2 * MAX_UNEXPLAINED)
        await handling
        assert service.buried == []
        assert await service.saved() == ["a", "b"]


async def test_a_privilege_that_the_role_has_lost_is_waited_for(database: ServiceDatabase) -> None:
    """Given one table that the role may no longer write, so that trial saves succeed; then no record is buried,
    and the batch is saved after the privilege is given back."""
    async with (
        running(database.runtime, owner=database.owner) as service,
        connected(database.owner) as owner,
    ):
        await owner.execute(f'revoke insert on remarks from "{database.name}"')
        handling = asyncio.create_task(service.handle("a", "b"))
        await _until(lambda: service.service.attempts > 2 * MAX_UNEXPLAINED)
        await owner.execute(f'grant insert on remarks to "{database.name}"')
        await handling
        assert service.buried == []
        assert await service.saved() == ["a", "b"]


async def test_a_database_that_saves_nothing_is_waited_for(scratch: str) -> None:
    """Given a bad record, and a database that refuses writes; then it is buried after writes work again."""
    async with running(scratch) as service:
        async with _locked(scratch, "lock table progress in exclusive mode"):
            handling = asyncio.create_task(service.handle("load takes long"))
            await _until(lambda: service.service.attempts > 2 * MAX_UNEXPLAINED)
            assert service.buried == []
        await handling
        assert service.buried == [("save_failed", "QueryCanceledError")]


@asynccontextmanager
async def _locked(dsn: str, statement: str) -> AsyncIterator[None]:
    """Hold a lock in another session while the body runs."""
    db = await asyncpg.connect(dsn)
    try:
        async with db.transaction():
            await db.execute(statement)
            yield
    finally:
        await db.close()


async def test_a_database_that_takes_no_connections_is_waited_for(scratch: str) -> None:
    """Given connections refused with an error that does not look transient, beyond the retries of a record;
    then no record is buried."""
    async with running(scratch) as service, _closed(scratch) as reopen:
        handling = asyncio.create_task(service.handle("a", "b"))
        await _until(lambda: service.retries >= 2 * MAX_UNEXPLAINED)
        await reopen()
        await handling
        assert service.buried == []
        assert await service.saved() == ["a", "b"]


@asynccontextmanager
async def _closed(dsn: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Let the database refuse connections while the body runs; yield a function that allows them again."""
    name = urlsplit(dsn).path[1:]
    admin = await asyncpg.connect(urlsplit(dsn)._replace(path="/postgres").geturl())

    async def reopen() -> None:
        await admin.execute(f'alter database "{name}" allow_connections true')

    await admin.execute(f'alter database "{name}" allow_connections false')
    await admin.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name
    )
    try:
        yield reopen
    finally:
        await reopen()
        await admin.close()


async def _until(happens: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not happens():
            await asyncio.sleep(0.01)
