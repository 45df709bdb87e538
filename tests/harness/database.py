"""Databases for one test: with a service's two roles, or migrated by the administrator."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import asyncpg

from deploy.local.postgres.databases import ensure_database, owner_dsn, owner_role, service_dsn
from runtime.dsn import database_dsn
from runtime.postgres.connection import Connection
from runtime.postgres.migrations import RUNTIME, Migration, migrate, read
from runtime.postgres.pool import Pool, open_loop_pool, open_pools
from runtime.postgres.roles import WITHHELD
from services.ordering.app import SERVICE

ORDERING = [*read("runtime", RUNTIME), *read("ordering", SERVICE.migrations)]
"""The migrations of ordering."""

_RELATIONS = """
select c.relname, c.relkind, pg_get_userbyid(c.relowner) as owner,
    case
        when c.relkind = 'S' then array(
            select privilege from unnest(array['usage', 'select', 'update']) as p(privilege)
            where has_sequence_privilege($1::name, c.oid, privilege)
        )
        else array(
            select privilege from unnest(array[
                'select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger', 'maintain'
            ]) as p(privilege)
            where has_table_privilege($1::name, c.oid, privilege)
        )
    end as granted
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind not in ('i', 'I')
"""

_ROWS = ["delete", "insert", "select", "update"]


@dataclass(frozen=True)
class ServiceDatabase:
    """A database as a service has it; `name` is that of the database and of the role that runs the service."""

    name: str
    admin: str
    """The administrator's DSN of this database."""
    owner: str
    runtime: str


@asynccontextmanager
async def service_database(admin_dsn: str) -> AsyncIterator[ServiceDatabase]:
    """Make an empty database with its roles, as the stack does; drop all at the end."""
    name = unused_name()
    await ensure_database(admin_dsn, name)
    try:
        yield ServiceDatabase(
            name,
            database_dsn(admin_dsn, name),
            owner_dsn(admin_dsn, name),
            service_dsn(admin_dsn, name),
        )
    finally:
        await drop_database(admin_dsn, name)


def unused_name() -> str:
    """Make up a name for a database and its role."""
    return f"scratch_{uuid4().hex[:12]}"


async def drop_database(admin_dsn: str, name: str) -> None:
    """Drop a database and its roles."""
    async with connected(admin_dsn) as admin:
        await admin.execute(f'drop database "{name}" with (force)')
        for role in (owner_role(name), name):
            await admin.execute(f'drop role if exists "{role}"')


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Connection]:
    """Connect to a database."""
    db = await asyncpg.connect(dsn)
    try:
        yield db
    finally:
        await db.close()


async def migrated_pool(dsn: str, wanted: Sequence[Migration]) -> Pool:
    """Migrate, and open a loop's pool with the same role."""
    async with connected(dsn) as db:
        await migrate(db, wanted)
    return await open_loop_pool(dsn)


async def start(dsn: str, owner: str | None = None) -> None:
    """Open ordering's pools, as at its start, and close them."""
    async with asyncio.timeout(10):
        pools = await open_pools(dsn, owner, ORDERING, 4, 1)
    await pools.close()


async def require_roles(admin: Connection, service: str) -> None:
    """Require each table and sequence to be the owner's, with exactly the grants that the service needs."""
    relations = await admin.fetch(_RELATIONS, service)
    assert len([r for r in relations if r["relkind"] == b"r"]) >= 7
    for relation in relations:
        assert relation["owner"] == owner_role(service), relation
        withheld = WITHHELD.get(relation["relname"], ())
        rows = [privilege for privilege in _ROWS if privilege not in withheld]
        expected = ["usage"] if relation["relkind"] == b"S" else rows
        assert sorted(relation["granted"]) == expected, relation
