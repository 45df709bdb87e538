"""A made-up person whose data go everywhere, under load, errors and poison; then everything is searched.

Identity (BSN, names, address, telephone, e-mail) is found nowhere. What an outsider wrongly sends is found
there, and in the dead letter that keeps it. Remarks are found in the bodies of orders, and nowhere else.
"""

import asyncio
import re
import tarfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest
from aiokafka import ConsumerRecord

from cli.directory import apply_directory, read_directory
from cli.up import start_everything
from deploy.local import LocalStack, PlainReport, StackOptions, free_ports
from deploy.local.backup.dumps import dump_databases
from deploy.local.ports import DATABASES
from runtime.dsn import database_dsn
from schemas import topics
from schemas.topics import SERVICES
from tests.harness.kafka import eventually, read_all
from tests.harness.systems import add_systems, portal_of_tests
from tests.integration.canary import Canary, Life
from tests.integration.conftest import EXAMPLE
from verify.gather import our_partitions

ORDERS = 120
"""How many orders are placed while processes are killed."""


@dataclass
class Found:
    """Where a text was found."""

    places: set[str]

    def look(self, place: str, content: bytes, wanted: Iterable[bytes]) -> None:
        """Note the place if its content has one of the wanted texts."""
        if any(text in content for text in wanted):
            self.places.add(place)


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """A stack of its own: its processes are killed."""
    options = StackOptions.at(tmp_path_factory.mktemp("canary"), free_ports())
    async with LocalStack(options) as running:
        await start_everything(running)
        await apply_directory(running.kafka, read_directory(EXAMPLE))
        await add_systems(running, [portal_of_tests()])
        yield running


@asynccontextmanager
async def trouble(stack: LocalStack) -> AsyncIterator[None]:
    """Kill services and cut connections while the body runs; they are back at its end."""

    async def kill() -> None:
        for name in ("ordering", "notification", "medication"):
            await asyncio.sleep(0.7)
            await stack.kill(name)
            await stack.start(name)
            admin = await asyncpg.connect(stack.postgres)
            await admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname is not null and pid <> pg_backend_pid()"
            )
            await admin.close()

    killing = asyncio.create_task(kill())
    try:
        yield
        await killing
    finally:
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
    await stack.services_ready()


async def _records(stack: LocalStack) -> list[ConsumerRecord]:
    names = sorted({tp.topic for tp in await our_partitions(stack.kafka)})
    found = [await read_all(stack.kafka, name) for name in names]
    return [record for records in found for record in records]


def search_records(records: Iterable[ConsumerRecord], wanted: Sequence[bytes]) -> Found:
    """Search keys, headers and bodies; a place is a topic and which of these."""
    found = Found(set())
    for record in records:
        found.look(f"{record.topic} key", record.key or b"", wanted)
        found.look(f"{record.topic} body", record.value or b"", wanted)
        for name, value in record.headers:
            # The dead letter keeps the headers of its record beside our own.
            whose = "header of ours" if name.startswith(("ce_", "dl_")) else "header"
            found.look(f"{record.topic} {whose}", name.encode() + (value or b""), wanted)
    return found


def search_files(folder: Path, wanted: Sequence[bytes]) -> Found:
    """Search all files below a folder."""
    found = Found(set())
    for file in folder.rglob("*"):
        # PostgreSQL removes files meanwhile.
        with suppress(FileNotFoundError):
            content = file.read_bytes() if file.is_file() else b""
            found.look(str(file.relative_to(folder)), content, wanted)
    return found


async def search_database(stack: LocalStack, service: str, wanted: Sequence[bytes]) -> Found:
    """Search all tables of a service, as text and as the bytes of their `bytea` columns."""
    found = Found(set())
    db = await asyncpg.connect(database_dsn(stack.postgres, service))
    try:
        for (table,) in await db.fetch(
            "select tablename from pg_tables where schemaname = 'public'"
        ):
            for row in await db.fetch(f'select * from "{table}"'):
                content = b"\0".join(
                    v if isinstance(v, bytes) else str(v).encode() for v in row.values()
                )
                found.look(f"{service}.{table}", content, wanted)
    finally:
        await db.close()
    return found


def search_commands(stack: LocalStack, wanted: Sequence[bytes]) -> Found:
    """Search the command lines of the stack's processes."""
    found = Found(set())
    for name, pid in stack.pids.items():
        found.look(name, Path(f"/proc/{pid}/cmdline").read_bytes(), wanted)
    return found


@dataclass
class Lived:
    """A canary after all that happened, and everything to search."""

    canary: Canary
    stack: LocalStack
    records: Sequence[ConsumerRecord]
    metrics: bytes
    refusals: Sequence[bytes]
    backup: Path
    """The unpacked dumps of the databases, uncompressed."""


@pytest.fixture(scope="module")
async def lived(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Let a canary live: known, orders under load while processes are killed, garbage and poison."""
    canary = Canary.new()
    async with httpx.AsyncClient(timeout=40) as http:
        life = Life(stack, http, canary)
        await life.is_known()
        await life.has_overview()
        await life.uses_the_portal()
        async with trouble(stack):
            await asyncio.gather(*(life.orders() for _ in range(ORDERS)))
        await life.sends_garbage()
        await life.sends_poison(stack.kafka)
        # The last of them is dead before anything is searched.
        await eventually(
            lambda: read_all(stack.kafka, topics.dead_letters("medication").name), bool
        )
        metrics = b"".join(
            [(await http.get(f"{stack.endpoints[name]}/metrics")).content for name in SERVICES]
        )
    folder = tmp_path_factory.mktemp("backup")
    await dump_databases(stack.data, stack.postgres, folder / "x.tar.gz", PlainReport())
    with tarfile.open(folder / "x.tar.gz") as packed:
        packed.extractall(folder / "unpacked", filter="data")
    return Lived(canary, stack, await _records(stack), metrics, life.refusals, folder / "unpacked")


async def test_who_somebody_is_is_found_nowhere(lived: Lived) -> None:
    """Given a registered person; then BSN, names, address and so on are in no topic, log, row or backup."""
    identity, stack = lived.canary.identity, lived.stack
    assert not search_records(lived.records, identity).places
    for service in DATABASES:
        assert not (await search_database(stack, service, identity)).places
    assert not search_files(lived.backup, identity).places
    assert not search_files(stack.data.postgres, identity).places
    assert not search_files(stack.data.logs, identity).places
    assert not search_commands(stack, identity).places


POISONED = (
    *(topics.ORDERS_REQUESTS.name, topics.MEDICATION_CHANGES.name),
    *(topics.dead_letters(service).name for service in ("ordering", "medication")),
)


async def test_garbage_is_kept_only_where_it_was_sent_and_in_its_dead_letter(lived: Lived) -> None:
    wanted = [lived.canary.garbage.encode(), lived.canary.sent_bsn.encode()]
    stack = lived.stack
    assert search_records(lived.records, wanted).places == {
        f"{topic} {part}" for topic in POISONED for part in ("body", "header")
    }
    for service in DATABASES:
        assert not (await search_database(stack, service, wanted)).places
    assert not search_files(stack.data.logs, wanted).places
    for answer in (*lived.refusals, lived.metrics):
        assert not any(text in answer for text in (*wanted, *lived.canary.identity))


async def test_a_remark_is_in_the_bodies_of_orders_alone(lived: Lived) -> None:
    wanted, stack = [lived.canary.remark.encode()], lived.stack
    places = search_records(lived.records, wanted).places
    assert f"{topics.ORDERS_REQUESTS.name} body" in places
    assert places <= {f"{topic} body" for topic in WITH_REMARKS}
    found = {place for s in DATABASES for place in (await search_database(stack, s, wanted)).places}
    # The table has a part for each month.
    assert {re.sub(r"_\d{4}_\d{2}$", "", place) for place in found} <= {"ordering.orders"}
    assert not search_files(stack.data.logs, wanted).places
    assert lived.canary.remark.encode() not in lived.metrics


WITH_REMARKS = (topics.ORDERS_REQUESTS.name, topics.ORDERS_EVENTS.name)


async def test_the_audit_trail_names_pseudonyms_alone(lived: Lived) -> None:
    """Given all that; then the trail has the patient's entries, and nothing of what was sent."""
    c = lived.canary
    texts = (c.remark, c.garbage, c.sent_bsn)
    wanted = [*c.identity, *(text.encode() for text in texts)]
    for service in ("ordering", "medication", "notification"):
        assert "audit" in {
            place.rpartition(".")[2]
            for place in (await search_database(lived.stack, service, [b"pat_"])).places
        }
        assert (
            f"{service}.audit" not in (await search_database(lived.stack, service, wanted)).places
        )
