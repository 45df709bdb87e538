"""The portal in tests: sessions of made-up people without a login, and what its database holds."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from deploy.local import LocalStack
from deploy.local.keys import ensure_key
from deploy.local.ports import free_ports
from deploy.local.postgres.databases import owner_dsn
from deploy.local.processes.portal import PortalAddresses, portal_program
from deploy.local.processes.services import readyz_probe, url
from deploy.local.processes.supervisor import Child
from portal.login.oidc import Tokens
from portal.session import store
from portal.session.sealing import Sealer
from portal.session.sessions import hash_of
from portal.session.store import SessionRow
from schemas.access import Claims

LASTS = timedelta(hours=12)
TOKEN_LASTS = timedelta(minutes=14)


@asynccontextmanager
async def portal_database(stack: LocalStack) -> AsyncIterator[Any]:
    """A connection to the portal's database, as the role that runs the portal."""
    db = await asyncpg.connect(stack.databases["portal"])
    try:
        yield db
    finally:
        await db.close()


async def begin_session(stack: LocalStack, claims: Claims, name: str) -> str:
    """A session of somebody whom the issuer's login page does not list; return the cookie's value."""
    id, now = secrets.token_urlsafe(32), datetime.now(UTC)
    scope: Any = claims.model_dump(exclude={"role"}, exclude_defaults=True)
    access = stack.token(claims.role, **scope)
    tokens = Tokens(access, now + TOKEN_LASTS, None, id_token="none", name=name)
    content = {"tokens": tokens.as_json(), "claims": claims.model_dump(mode="json")}
    sealed = Sealer.from_hex(ensure_key(stack.data.portal_key)).seal(content, hash_of(id))
    row = SessionRow(hash_of(id), claims.sub, sealed, now, now, tokens.access_until, now + LASTS)
    async with portal_database(stack) as db:
        await store.add_session(db, row)
    return id


async def change_session(stack: LocalStack, id: str, change: str) -> None:
    """Change the row of a session, such as `seen_at = now() - interval '1 hour'`."""
    async with portal_database(stack) as db:
        await db.execute(f"update sessions set {change} where id_hash = $1", hash_of(id))


async def session_row(stack: LocalStack, id: str) -> SessionRow | None:
    """The row of a session, if it is there."""
    async with portal_database(stack) as db:
        return await store.session(db, hash_of(id))


async def forget_forms(stack: LocalStack) -> None:
    """Forget what anybody has typed."""
    async with portal_database(stack) as db:
        await db.execute("delete from kept_forms")


@asynccontextmanager
async def second_portal(stack: LocalStack) -> AsyncIterator[str]:
    """Another process of the portal on the same database, as behind one address; yield where it listens."""
    addresses = PortalAddresses(
        stack.databases["portal"], owner_dsn(stack.postgres, "portal"), stack.issuers, "json"
    )
    program = portal_program(stack.ports, addresses, stack.data)
    port = free_ports().portal
    env = {**program.env, "HERHAAL_LISTEN": f"127.0.0.1:{port}"}
    log = program.log.with_name("portal-2.log")
    child = Child(
        replace(program, name="portal-2", env=env, log=log), readyz_probe(port), stack.report
    )
    await child.start()
    try:
        await child.ready(30, 3)
        yield url(port)
    finally:
        await child.stop(5)
