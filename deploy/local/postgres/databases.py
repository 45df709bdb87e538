"""Makes a database and a role for each service; no service can read another's."""

import asyncio
import hashlib
import hmac
from urllib.parse import quote, unquote, urlsplit

import asyncpg

from deploy.local.ports import SERVICES


def service_dsn(admin_dsn: str, service: str) -> str:
    """Make the DSN of a service's database with the service's role."""
    parts = urlsplit(admin_dsn)
    password = service_password(admin_dsn, service)
    login = service if password is None else f"{service}:{quote(password, safe='')}"
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{login}@{host}", path=f"/{service}").geturl()


def service_password(admin_dsn: str, service: str) -> str | None:
    """Derive a service's password from the administrator's; None when the administrator has none.

    Derived, so that it need not be stored.
    """
    password = urlsplit(admin_dsn).password
    if password is None:
        return None
    secret = unquote(password).encode()
    return hmac.new(secret, f"herhaal {service}".encode(), hashlib.sha256).hexdigest()


async def ensure_databases(admin_dsn: str) -> dict[str, str]:
    """Make each service's role and database when missing; return the DSNs.

    Raises OSError or asyncpg.PostgresError when the server is unavailable or refuses.
    """
    await asyncio.gather(*(_ensure(admin_dsn, service) for service in SERVICES))
    return {service: service_dsn(admin_dsn, service) for service in SERVICES}


async def _ensure(admin_dsn: str, service: str) -> None:
    """Make one service's role and database; DDL takes no parameters, so names are quoted (from SERVICES)."""
    connection = await asyncpg.connect(admin_dsn)
    try:
        if not await connection.fetchval("select 1 from pg_roles where rolname = $1", service):
            await connection.execute(f'create role "{service}" login')
        password = service_password(admin_dsn, service)
        if password is not None:
            await connection.execute(f"alter role \"{service}\" password '{password}'")
        if not await connection.fetchval("select 1 from pg_database where datname = $1", service):
            await connection.execute(f'create database "{service}" owner "{service}"')
        await connection.execute(f'revoke connect, temporary on database "{service}" from public')
    finally:
        await connection.close()
