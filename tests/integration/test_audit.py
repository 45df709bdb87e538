"""The audit trail on PostgreSQL: written by many at once, in the transaction of the act, and tampered with."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from msgspec.structs import replace

from cli.audit_trail.checking import Checked, check_trail
from runtime.audit.entry import Channel, Entry, Outcome
from runtime.audit_log import AuditLog
from runtime.messages.positions import Changes, Claim
from runtime.postgres import audit, migrations
from runtime.postgres.audit import ChainWriter
from runtime.postgres.connection import Connection
from runtime.postgres.pool import Pool
from runtime.postgres.statements import Writes
from runtime.postgres.store import PostgresStore
from schemas.records.audit import AuditSealed
from tests.harness.audit import KEY, a_chain
from tests.harness.database import ServiceDatabase, connected, migrated_pool

AT = datetime(2026, 11, 28, 9, 30, 0, 123456, UTC)
ENTRY = Entry(
    at=AT,
    role="assistant",
    actor="assistant-1",
    organisation="01999001",
    patient="pat_anna0001",
    practice="01999001",
    action="orders.read",
    channel=Channel.HTTP,
    outcome=Outcome.ALLOWED,
)


@pytest.fixture
async def pool(scratch: str) -> AsyncIterator[Pool]:
    """Connections to a database with the runtime's tables, as their owner."""
    async with await migrated_pool(scratch, migrations.read("runtime", migrations.RUNTIME)) as made:
        yield made


async def checked(db: Connection, *seals: AuditSealed) -> Checked:
    return await check_trail(db, "ordering", {KEY.id: KEY}, seals)


async def add(db: Connection, chain: ChainWriter, entries: list[Entry]) -> None:
    """Append entries in a transaction."""
    async with db.transaction():
        await chain.append(db, entries)


async def seals(db: Connection) -> list[AuditSealed]:
    """What Kafka would know of the chains now."""
    return [
        AuditSealed(writer=str(c.writer), service="ordering", seq=c.head.seq, mac=c.head.mac.hex())
        for c in await audit.chains(db)
    ]


async def test_many_who_write_at_once_make_whole_chains(pool: Pool) -> None:
    """Given two processes with sixteen clients each that write fifty entries; then no chain has forked."""
    logs = [AuditLog("ordering", KEY, lambda: pool) for _ in range(2)]

    async def client(log: AuditLog) -> None:
        for _ in range(50):
            await log.write([replace(ENTRY, at=datetime.now(UTC))])

    await asyncio.gather(*(client(log) for log in logs for _ in range(16)))
    async with pool.acquire() as db:
        found = await checked(db, *await seals(db))
    assert (found.chains, found.rows, found.wrong) == (2, 1600, [])


async def test_writers_of_one_chain_in_transactions_of_their_own_follow_each_other(
    pool: Pool,
) -> None:
    """Given transactions that append while others do, some of which fail; then the chain is whole."""
    chain = a_chain()

    async def append(number: int) -> None:
        async with pool.acquire() as db:
            try:
                async with db.transaction():
                    await add(db, chain, [ENTRY, ENTRY])
                    if number % 3 == 0:
                        raise asyncpg.SerializationError
            except asyncpg.SerializationError:
                pass

    await asyncio.gather(*(append(number) for number in range(30)))
    async with pool.acquire() as db:
        found = await checked(db, *await seals(db))
    assert (found.rows, found.wrong) == (40, [])


async def test_an_entry_is_read_back_as_it_was_written(pool: Pool) -> None:
    full = replace(
        ENTRY,
        for_role="patient",
        for_id="pat_anna0001",
        thing="0192aaaa-0000-7000-8000-000000000001",
        outcome=Outcome.REFUSED,
        reason="not-found",
        purpose="phone_line",
    )
    async with pool.acquire() as db:
        await add(db, a_chain(), [full, ENTRY])
        assert await audit.export(db, "pat_anna0001", None, None) == [full, ENTRY]


TAMPERINGS = {
    "a value changed": "update audit set actor = 'nobody' where seq = 5",
    "a time changed": "update audit set at = at + interval '1 microsecond' where seq = 5",
    "a middle row taken out": "delete from audit where seq = 5",
    "the first row taken out": "delete from audit where seq = 1",
    "a row put in": """
        insert into audit (writer, seq, at, role, actor, action, channel, outcome, mac)
        select writer, 11, at, role, actor, action, channel, outcome, mac from audit where seq = 10
    """,
    "two rows swapped": """
        update audit set seq = case seq when 4 then 105 else 104 end where seq in (4, 5);
        update audit set seq = seq - 100 where seq > 100
    """,
    "the last three rows taken away": "delete from audit where seq > 7",
    "the last three rows taken away, and the head with them": """
        delete from audit where seq > 7;
        update audit_heads set seq = 7, mac = (select mac from audit where seq = 7)
    """,
    "rows and head taken away": "delete from audit; delete from audit_heads",
    "the head taken away": "delete from audit_heads",
    "the first rows taken away as if they had been kept long enough": """
        update audit_heads set first_seq = 3, first_mac = (select mac from audit where seq = 3);
        delete from audit where seq <= 3
    """,
}


@pytest.mark.parametrize("how", TAMPERINGS)
async def test_each_kind_of_tampering_is_found(pool: Pool, how: str) -> None:
    """Given ten rows at the same time, announced to Kafka; when their owner tampers; then it is found."""
    async with pool.acquire() as db:
        await add(db, a_chain(), [ENTRY] * 10)
        known = await seals(db)
        assert not (await checked(db, *known)).wrong
        await db.execute(TAMPERINGS[how])
        found = await checked(db, *known)
    assert found.wrong
    assert all(each.startswith("ordering, chain ") for each in found.wrong)


async def test_an_older_copy_put_back_is_found_by_what_kafka_knows(pool: Pool) -> None:
    """Given a copy of rows and head as they once were, seal and all; only Kafka knows that they went on."""
    chain = a_chain()
    async with pool.acquire() as db:
        await add(db, chain, [ENTRY] * 7)
        await db.execute("create table old_heads as select * from audit_heads")
        await add(db, chain, [ENTRY] * 3)
        known = await seals(db)
        await db.execute(
            """
            delete from audit where seq > 7; delete from audit_heads;
            insert into audit_heads select * from old_heads
            """
        )
        assert not (await checked(db)).wrong
        found = await checked(db, *known)
    assert found.wrong == [
        f"ordering, chain {chain.writer}: Kafka knows rows up to 10, and here they end at 7"
    ]


async def test_nobody_appends_outside_of_a_transaction(pool: Pool) -> None:
    """The lock on the chain's end would be gone before its row is there: chains would fork."""
    async with pool.acquire() as db:
        with pytest.raises(RuntimeError, match="in a transaction"):
            await a_chain().append(db, [ENTRY])


async def test_a_chain_made_with_another_key_is_told(pool: Pool) -> None:
    async with pool.acquire() as db:
        await add(db, a_chain(), [ENTRY])
        found = await check_trail(db, "ordering", {}, ())
    assert [each.rpartition(": ")[2] for each in found.wrong] == [
        "it was made with a key that is not here"
    ]


async def test_rows_that_were_kept_long_enough_go_and_the_rest_stays_whole(pool: Pool) -> None:
    """Given a row older than five years, one that is not, and an older one after it; only the first goes."""
    old, cut = AT - timedelta(days=6 * 365), AT - timedelta(days=5 * 365)
    chain = a_chain()
    async with pool.acquire() as db:
        await add(db, chain, [replace(ENTRY, at=old), ENTRY, replace(ENTRY, at=old), ENTRY])
        known = await seals(db)
        (stored,) = await audit.chains(db)
        assert await audit.expire(db, stored, KEY, cut) == 1
        (stored,) = await audit.chains(db)
        assert await audit.expire(db, stored, KEY, cut) == 0
        await add(db, chain, [ENTRY])
        found = await checked(db, *known)
        assert (found.rows, found.wrong) == (4, [])
        # All of it, much later; the chain then goes on.
        assert await audit.expire(db, (await audit.chains(db))[0], KEY, AT + timedelta(days=1)) == 4
        await add(db, chain, [ENTRY])
        found = await checked(db, *known)
        assert (found.rows, found.wrong) == (1, [])


async def test_a_batch_saves_its_entries_with_its_positions_or_not_at_all(pool: Pool) -> None:
    """Given a commit that fails; then neither positions nor entries are there. Then both, once."""
    store = PostgresStore(pool, a_chain())
    claim = Claim("in", 0, 0, 3, 1)
    async with pool.acquire() as db:
        await db.execute(
            "insert into progress (topic, partition, next_offset, epoch) values ('in', 0, 0, 1)"
        )

    def fail() -> None:
        raise ConnectionError

    async with store.session() as session:
        with pytest.raises(ConnectionError):
            await session.save(Changes([claim], audited=[ENTRY]), Writes(), fail)
        assert not await audit.export(session.db, "pat_anna0001", None, None)
        await session.save(Changes([claim], audited=[ENTRY]), Writes())
        assert await audit.export(session.db, "pat_anna0001", None, None) == [ENTRY]
    assert [p.next_offset for p in (await store.positions()).values()] == [3]


async def test_the_services_role_adds_rows_and_can_do_no_more(migrated: ServiceDatabase) -> None:
    """Given the role as which a service runs; when it changes or deletes rows; then PostgreSQL refuses."""
    async with connected(migrated.runtime) as db:
        await add(db, a_chain(), [ENTRY])
        for statement in (
            "update audit set actor = 'nobody'",
            "delete from audit",
            "truncate audit",
            "delete from audit_heads",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.execute(statement)
