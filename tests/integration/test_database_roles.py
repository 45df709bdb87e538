"""Each service's two roles on a real PostgreSQL: the owner migrates, the other reads and writes rows."""

import base64
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest

from deploy.local import LocalStack
from deploy.local.postgres.databases import (
    ensure_database,
    ensure_databases,
    owner_dsn,
    role_password,
    service_dsn,
)
from deploy.local.postgres.scram import scram_verifier
from runtime.dsn import database_dsn
from runtime.postgres.connection import Connection
from runtime.postgres.migrations import Migration, MigrationsMissing, migrate
from runtime.postgres.sessions import TIMEOUTS
from schemas.topics import SERVICES
from tests.harness.database import (
    ORDERING,
    ServiceDatabase,
    connected,
    drop_database,
    require_roles,
    service_database,
    start,
    unused_name,
)

LATER = Migration(
    "ordering/9999_later.sql",
    "create table later (id bigint generated always as identity primary key);"
    " create sequence later_numbers; create table counted (id int default nextval('later_numbers'));",
)

NOT_ALLOWED = [
    "create table more (id int)",
    "create temporary table more (id int)",
    "create schema more",
    "create view more as select 1",
    "create function more() returns int language sql as 'select 1'",
    "create index on orders (state)",
    "alter table orders add column more int",
    "alter table orders owner to current_user",
    "drop table orders",
    "truncate orders",
    "drop table migrations",
    "create or replace function fence(holds boolean) returns boolean language sql as 'select true'",
    "create trigger more before insert on orders execute function"
    " suppress_redundant_updates_trigger()",
    "create role more",
    "create database more",
    "alter role current_user superuser",
    "alter system set fsync = off",
    "copy orders to '/tmp/orders'",
    "copy orders from program 'id'",
    "select pg_read_file('postgresql.conf')",
]

OWNED = """
select count(*) from pg_shdepend
where refclassid = 'pg_authid'::regclass and refobjid = $1::text::regrole and deptype = 'o'
"""
ROLES = "select rolname, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls from pg_roles where rolname = $1"


@pytest.fixture
async def runtime(migrated: ServiceDatabase) -> AsyncIterator[Connection]:
    """Connect as the service does."""
    async with connected(migrated.runtime) as db:
        yield db


async def allowed(db: Connection) -> list[str]:
    """Which of the statements that only an owner or administrator may execute are not refused."""
    done = []
    for statement in NOT_ALLOWED:
        with suppress(asyncpg.InsufficientPrivilegeError):
            await db.execute(statement)
            done.append(statement)
    return done


async def test_a_service_reads_and_writes_rows(runtime: Connection) -> None:
    await runtime.execute("insert into intake values (gen_random_uuid(), 'pat_a', 'digest')")
    await runtime.execute("update intake set digest = 'other'")
    assert await runtime.fetchval("select digest from intake") == "other"
    await runtime.execute("insert into outbox (partition, records) values (0, '')")
    assert await runtime.fetchval("delete from intake returning digest") == "other"


async def test_a_service_may_do_nothing_else(runtime: Connection) -> None:
    assert await allowed(runtime) == []


async def test_a_service_cannot_become_its_owner(
    runtime: Connection, migrated: ServiceDatabase
) -> None:
    for statement in ("set role", "set session authorization"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await runtime.execute(f'{statement} "{migrated.name}_owner"')


async def test_the_owner_sees_since_when_a_session_of_the_service_is_in_a_transaction(
    runtime: Connection, migrated: ServiceDatabase
) -> None:
    """A rebuild names the sessions that lock its tables."""
    async with connected(migrated.owner) as owner, runtime.transaction():
        pid = await runtime.fetchval("select pg_backend_pid()")
        query = "select xact_start is not null from pg_stat_activity where pid = $1"
        assert await owner.fetchval(query, pid)


async def test_neither_role_can_open_the_database_of_another_service(
    stack: LocalStack, migrated: ServiceDatabase
) -> None:
    async with service_database(stack.postgres) as other:
        for dsn in (migrated.runtime, migrated.owner):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(database_dsn(dsn, other.name))


async def test_the_owner_changes_tables_and_is_no_administrator(migrated: ServiceDatabase) -> None:
    async with connected(migrated.owner) as owner:
        await owner.execute("alter table orders add column more int")
        await owner.execute("create index on orders (more)")
        await owner.execute("truncate orders")
        await owner.execute("drop table intake")
        role = await owner.fetchrow(ROLES, f"{migrated.name}_owner")
        assert role is not None
        assert not any(list(role)[1:])
        for statement in ("create role more", "alter role current_user superuser"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await owner.execute(statement)


async def test_tables_of_a_later_migration_are_granted_as_they_are_made(
    migrated: ServiceDatabase, runtime: Connection
) -> None:
    async with connected(migrated.owner) as owner:
        await migrate(owner, [*ORDERING, LATER])
    await runtime.execute("insert into later default values; insert into counted default values")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await runtime.execute("truncate later")


@pytest.mark.parametrize("service", SERVICES)
async def test_each_table_of_a_running_service_has_its_owner_and_its_grants(
    stack: LocalStack, service: str
) -> None:
    """Given all migrations; then no table or sequence was missed."""
    async with connected(database_dsn(stack.postgres, service)) as admin:
        await require_roles(admin, service)
        role = await admin.fetchrow(ROLES, service)
        assert role is not None
        assert not any(list(role)[1:])
        assert await admin.fetchval(OWNED, service) == 0


async def test_running_services_have_sessions_of_their_own_role_only(stack: LocalStack) -> None:
    """The owner's connection is closed after migrating, and none is an administrator's."""
    async with connected(stack.postgres) as admin:
        sessions = await admin.fetch(
            "select distinct datname, usename from pg_stat_activity"
            " where datname = any($1::text[]) and application_name = 'herhaal'",
            SERVICES,
        )
    assert {tuple(s) for s in sessions} == {(service, service) for service in SERVICES}


async def test_every_session_of_the_role_has_time_outs(runtime: Connection) -> None:
    """Also one that asks for none, such as psql."""
    for setting, value in TIMEOUTS.items():
        assert await runtime.fetchval(f"show {setting}") == value


async def test_making_databases_again_changes_nothing(stack: LocalStack) -> None:
    query = (
        "select relname, relacl::text, relowner from pg_class where relnamespace = 'public'::regnamespace"
        " order by relname"
    )
    async with connected(database_dsn(stack.postgres, "ordering")) as admin:
        before = await admin.fetch(query)
        assert await ensure_databases(stack.postgres) == stack.databases
        assert await admin.fetch(query) == before


async def test_a_lost_grant_is_given_again(stack: LocalStack, migrated: ServiceDatabase) -> None:
    async with connected(migrated.owner) as owner:
        await owner.execute(f'revoke delete on orders from "{migrated.name}"')
    await ensure_database(stack.postgres, migrated.name)
    async with connected(migrated.runtime) as runtime:
        await runtime.execute("delete from orders")


@pytest.fixture
async def before_owners(stack: LocalStack) -> AsyncIterator[ServiceDatabase]:
    """Make an installation as it was with one role: that owns the database, and has made the tables."""
    name = unused_name()
    async with connected(stack.postgres) as admin:
        password = role_password(stack.postgres, name)
        await admin.execute(f"create role \"{name}\" login password '{password}'")
        await admin.execute(f'create database "{name}" owner "{name}"')
        await admin.execute(f'revoke connect, temporary on database "{name}" from public')
    try:
        admin_of = database_dsn(stack.postgres, name)
        owner, runtime = owner_dsn(stack.postgres, name), service_dsn(stack.postgres, name)
        yield ServiceDatabase(name, admin_of, owner, runtime)
    finally:
        await drop_database(stack.postgres, name)


async def test_an_installation_from_before_there_were_owners_goes_on(
    stack: LocalStack, before_owners: ServiceDatabase
) -> None:
    """Given tables, rows and sequences of the service's own role, all but the last migration applied; when
    the databases are made sure of, then the owner has them all, and the service goes on."""
    before, name = before_owners, before_owners.name
    async with connected(before.runtime) as db:
        await migrate(db, ORDERING[:-1])
        await db.execute("create schema rebuild; create table rebuild.left_over (id int)")
        await db.execute("insert into outbox (partition, records) values (0, 'kept')")
    for _ in range(2):
        await ensure_database(stack.postgres, name)
    async with connected(before.admin) as admin:
        assert await admin.fetchval(OWNED, name) == 0
    with pytest.raises(MigrationsMissing):
        await start(before.runtime)
    await start(before.runtime, before.owner)
    async with connected(before.runtime) as runtime:
        await runtime.execute("insert into outbox (partition, records) values (1, 'new')")
        assert await runtime.fetchval("select array_agg(id order by id) from outbox") == [1, 2]
        assert await allowed(runtime) == []


async def test_a_password_is_sent_as_what_postgresql_keeps_of_it(stack: LocalStack) -> None:
    """Given a password that PostgreSQL has hashed itself; then ours, with the same salt, is the same."""
    name = unused_name()
    async with connected(stack.postgres) as admin:
        await admin.execute(f"create role \"{name}\" login password 'made up'")
        try:
            kept = await admin.fetchval(
                "select rolpassword from pg_authid where rolname = $1", name
            )
        finally:
            await admin.execute(f'drop role "{name}"')
    salt = base64.b64decode(kept.split("$")[1].partition(":")[2])
    assert scram_verifier("made up", salt) == kept
    assert scram_verifier("made up") != scram_verifier("made up"), "a salt of its own each time"
