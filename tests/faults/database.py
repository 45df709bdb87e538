"""Inspect and disturb a stack's PostgreSQL as its administrator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from deploy.local import LocalStack
from runtime.dsn import database_dsn
from schemas.topics import SERVICES

_CUT = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where pid <> pg_backend_pid() and backend_type = 'client backend' and ($1::text is null or usename = $1)
"""
_WAIT_FOR_LOCKS = """
select count(*) from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'
"""
_OUTBOX = "select count(*) from outbox"


@asynccontextmanager
async def administrator(
    stack: LocalStack, service: str
) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """Connect to a service's database as administrator."""
    db = await asyncpg.connect(database_dsn(stack.postgres, service))
    try:
        yield db
    finally:
        await db.close()


async def cut_connections(stack: LocalStack, role: str | None = None) -> int:
    """Terminate every client connection, or those of one role; return how many."""
    async with administrator(stack, "ordering") as db:
        count: int = await db.fetchval(_CUT, role)
    return count


async def waiting_for_locks(stack: LocalStack, service: str) -> int:
    """How many connections to a service's database wait for a lock."""
    async with administrator(stack, service) as db:
        count: int = await db.fetchval(_WAIT_FOR_LOCKS, service)
    return count


@asynccontextmanager
async def role_setting(
    stack: LocalStack, service: str, name: str, value: str
) -> AsyncIterator[None]:
    """Change a PostgreSQL setting of a service's role while the body runs."""
    await _alter(stack, service, f"set {name} = '{value}'")
    try:
        yield
    finally:
        await _alter(stack, service, f"reset {name}")


async def _alter(stack: LocalStack, service: str, change: str) -> None:
    async with administrator(stack, service) as db:
        await db.execute(f'alter role "{service}" {change}')
    # A role's settings apply to new sessions only.
    await cut_connections(stack, service)


async def outboxes(stack: LocalStack) -> dict[str, int]:
    """Number of outbox rows by service."""
    found = {}
    for service in SERVICES:
        async with administrator(stack, service) as db:
            found[service] = await db.fetchval(_OUTBOX)
    return found
