"""Makes a database and two roles for each service: its owner, and the role as which the service runs.

The owner migrates. The other can read and write rows, and neither change a table nor connect to another
service's database. Names come from us and are quoted, as DDL takes no parameters.
"""

import asyncio
import hashlib
import hmac
from urllib.parse import quote, unquote, urlsplit

import asyncpg

from deploy.local.ports import DATABASES
from deploy.local.postgres.scram import scram_verifier
from runtime.dsn import database_dsn
from runtime.postgres.connection import Connection
from runtime.postgres.roles import WITHHELD
from runtime.postgres.sessions import OPERATOR_SESSION, TIMEOUTS

_LACKING = """
select format(
    'grant %s %s to %I',
    case relkind when 'S' then 'usage on sequence' else 'select, insert, update, delete on' end,
    oid::regclass,
    $1::name
)
from pg_class
where relnamespace = 'public'::regnamespace and case
    when relkind = 'S' then not has_sequence_privilege($1::name, oid, 'usage')
    when relname = any($2::text[]) then false
    when relkind in ('r', 'p') then not (
        has_table_privilege($1::name, oid, 'select') and has_table_privilege($1::name, oid, 'insert')
        and has_table_privilege($1::name, oid, 'update') and has_table_privilege($1::name, oid, 'delete')
    )
end
"""


def owner_role(service: str) -> str:
    """Name the role that owns a service's database and tables."""
    return f"{service}_owner"


def service_dsn(admin_dsn: str, service: str) -> str:
    """Make the DSN of a service's database with the role as which the service runs."""
    return database_dsn(_as_role(admin_dsn, service), service)


def owner_dsn(admin_dsn: str, service: str) -> str:
    """Make the DSN of a service's database with the role that owns it."""
    return database_dsn(_as_role(admin_dsn, owner_role(service)), service)


def _as_role(admin_dsn: str, role: str) -> str:
    parts = urlsplit(admin_dsn)
    password = role_password(admin_dsn, role)
    login = role if password is None else f"{role}:{quote(password, safe='')}"
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{login}@{host}").geturl()


def role_password(admin_dsn: str, role: str) -> str | None:
    """Derive a role's password from the administrator's; None when the administrator has none.

    Derived, so that it need not be stored.
    """
    password = urlsplit(admin_dsn).password
    if password is None:
        return None
    secret = unquote(password).encode()
    return hmac.new(secret, f"herhaal {role}".encode(), hashlib.sha256).hexdigest()


async def ensure_databases(admin_dsn: str) -> dict[str, str]:
    """Make each service's roles and database when missing; return the DSNs as which the services run.

    Raises OSError or asyncpg.PostgresError when the server is unavailable or refuses.
    """
    await asyncio.gather(*(ensure_database(admin_dsn, service) for service in DATABASES))
    return {service: service_dsn(admin_dsn, service) for service in DATABASES}


async def ensure_database(admin_dsn: str, service: str) -> None:
    """Make a service's roles and database when missing, and let them do what they may, and no more."""
    owner = owner_role(service)
    admin = await asyncpg.connect(admin_dsn, server_settings=OPERATOR_SESSION)
    try:
        for role in (owner, service):
            if not await admin.fetchval("select 1 from pg_roles where rolname = $1", role):
                await admin.execute(f'create role "{role}" login')
            password = role_password(admin_dsn, role)
            if password is not None:
                await admin.execute(f"alter role \"{role}\" password '{scram_verifier(password)}'")
        for setting, value in TIMEOUTS.items():
            await admin.execute(f"alter role \"{service}\" set {setting} = '{value}'")
        # So that a rebuild, as the owner, sees since when a session of the service holds a lock.
        await admin.execute(f'grant "{service}" to "{owner}"')
        if not await admin.fetchval("select 1 from pg_database where datname = $1", service):
            await admin.execute(f'create database "{service}" owner "{owner}"')
        await admin.execute(f'revoke connect, temporary on database "{service}" from public')
        await admin.execute(f'grant connect on database "{service}" to "{service}"')
    finally:
        await admin.close()
    await grant_rows(admin_dsn, service, service)


async def grant_rows(admin_dsn: str, database: str, service: str) -> None:
    """Let a service read and write all rows in a database, of tables that its owner is yet to make as well."""
    db = await asyncpg.connect(database_dsn(admin_dsn, database), server_settings=OPERATOR_SESSION)
    try:
        async with db.transaction():
            await _grant_rows(db, service, owner_role(service))
    finally:
        await db.close()


async def _grant_rows(db: Connection, service: str, owner: str) -> None:
    # In an installation from before there were owners, the service's role owns the database and its tables.
    await db.execute(f'reassign owned by "{service}" to "{owner}"')
    # A server that was upgraded from PostgreSQL 14 still lets everybody create tables here.
    await db.execute("revoke create on schema public from public")
    await db.execute(
        f'alter default privileges for role "{owner}"'
        f' grant select, insert, update, delete on tables to "{service}"'
    )
    await db.execute(
        f'alter default privileges for role "{owner}" grant usage on sequences to "{service}"'
    )
    for (statement,) in await db.fetch(_LACKING, service, [*WITHHELD]):
        await db.execute(statement)
    for table, withheld in WITHHELD.items():
        if await db.fetchval("select to_regclass($1) is not null", f"public.{table}"):
            await db.execute(f'grant select, insert, update, delete on {table} to "{service}"')
            await db.execute(f'revoke {", ".join(withheld)} on {table} from "{service}"')
