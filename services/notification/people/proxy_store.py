"""All SQL about proxies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from runtime.postgres.connection import Connection

_LOCK = "select pg_advisory_lock(hashtextextended($1, 7016))"
_UNLOCK = "select pg_advisory_unlock(hashtextextended($1, 7016))"
_SAVE = """
insert into proxies (patient, proxy, kind, until, sealed) values ($1, $2, $3, $4, $5)
on conflict (patient, proxy) do update
set kind = excluded.kind, until = excluded.until, sealed = excluded.sealed
"""
_DELETE = "delete from proxies where patient = $1 and proxy = $2"
_OF_PATIENT = """
select p.patient, p.proxy, p.kind, p.until, p.sealed, people.practice
from proxies p join people using (patient)
where p.patient = $1 and (p.until is null or p.until > $2)
order by p.proxy
"""
_ALL_OF_PATIENT = "select proxy from proxies where patient = $1"
_OF_PROXY = """
select p.patient, p.proxy, p.kind, p.until, p.sealed, people.practice
from proxies p join people using (patient)
where p.proxy = $1 and (p.until is null or p.until > $2)
order by p.patient
"""


@dataclass(frozen=True)
class StoredProxy:
    """A row of `proxies`, with the practice of its patient."""

    patient: str
    proxy: str
    kind: str
    until: datetime | None
    sealed: bytes
    practice: str | None


@asynccontextmanager
async def locked(db: Connection, grant: str) -> AsyncIterator[None]:
    """Change one grant at a time, its row and its record: otherwise they could end up different."""
    await db.execute(_LOCK, grant)
    try:
        yield
    finally:
        # A connection that is broken has lost the lock with its session.
        if not db.is_closed():
            await db.execute(_UNLOCK, grant)


async def save(
    db: Connection, patient: str, proxy: str, kind: str, until: datetime | None, sealed: bytes
) -> None:
    """Add or replace a proxy."""
    await db.execute(_SAVE, patient, proxy, kind, until, sealed)


async def delete(db: Connection, patient: str, proxy: str) -> None:
    """Delete a proxy, if there is one."""
    await db.execute(_DELETE, patient, proxy)


async def of_patient(db: Connection, patient: str, now: datetime) -> list[StoredProxy]:
    """Those who stand in for a patient at this time (UTC)."""
    return [StoredProxy(**row) for row in await db.fetch(_OF_PATIENT, patient, now)]


async def all_of_patient(db: Connection, patient: str) -> set[str]:
    """Whoever stands in for a patient or did so, by the `sub` of their tokens."""
    return {row["proxy"] for row in await db.fetch(_ALL_OF_PATIENT, patient)}


async def of_proxy(db: Connection, proxy: str, now: datetime) -> list[StoredProxy]:
    """The patients for whom somebody stands in at this time (UTC)."""
    return [StoredProxy(**row) for row in await db.fetch(_OF_PROXY, proxy, now)]
