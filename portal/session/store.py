"""All SQL of the portal. A session is found by the hash of its id, and written only where its row still is."""

from dataclasses import dataclass, field
from datetime import datetime

from runtime.postgres.connection import Connection


@dataclass(frozen=True)
class SessionRow:
    """A session; times are UTC. `sealed` holds what only the portal may read."""

    id_hash: bytes
    sub: str
    sealed: bytes = field(repr=False)
    begun_at: datetime
    seen_at: datetime
    access_until: datetime
    ends_at: datetime


@dataclass(frozen=True)
class LoginRow:
    """A login that is under way at the provider."""

    state_hash: bytes
    browser_hash: bytes
    sealed: bytes = field(repr=False)
    begun_at: datetime


_SESSION = """
select id_hash, sub, sealed, begun_at, seen_at, access_until, ends_at from sessions where id_hash = $1
"""
_ADD_SESSION = """
insert into sessions (id_hash, sub, sealed, begun_at, seen_at, access_until, ends_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""
_SEEN = "update sessions set seen_at = $2 where id_hash = $1 and seen_at < $2"
_RENEW = "update sessions set sealed = $2, access_until = $3 where id_hash = $1"
_REMOVE_SESSION = "delete from sessions where id_hash = $1"
_REMOVE_SESSIONS_OF = "delete from sessions where sub = $1"
_REMOVE_OLD_SESSIONS = "delete from sessions where ends_at < $1 or seen_at < $2"
_ALIVE = "select id_hash from sessions where id_hash = any($1) and ends_at > $2 and seen_at > $3"

_ADD_LOGIN = (
    "insert into logins (state_hash, browser_hash, sealed, begun_at) values ($1, $2, $3, $4)"
)
_TAKE_LOGIN = """
delete from logins where state_hash = $1 and browser_hash = $2
returning state_hash, browser_hash, sealed, begun_at
"""
_REMOVE_OLD_LOGINS = "delete from logins where begun_at < $1"

_KEEP = """
insert into kept_forms (sub, page, sealed, kept_at) values ($1, $2, $3, $4)
on conflict (sub, page) do update set sealed = excluded.sealed, kept_at = excluded.kept_at
"""
_KEEP_FIRST = """
insert into kept_forms (sub, page, sealed, kept_at) values ($1, $2, $3, $4)
on conflict (sub, page) do update set kept_at = excluded.kept_at
returning sealed
"""
_KEPT = "select sealed from kept_forms where sub = $1 and page = $2 and kept_at > $3"
_REMOVE_KEPT = "delete from kept_forms where sub = $1 and page = $2"
_REMOVE_OLD_FORM = "delete from kept_forms where sub = $1 and page = $2 and kept_at <= $3"
_REMOVE_KEPT_OF = "delete from kept_forms where sub = $1"
_REMOVE_OLD_KEPT = "delete from kept_forms where kept_at < $1"


async def session(db: Connection, id_hash: bytes, *, lock: bool = False) -> SessionRow | None:
    """Find a session, and lock its row until the end of the transaction if asked."""
    row = await db.fetchrow(f"{_SESSION} for update" if lock else _SESSION, id_hash)
    return None if row is None else SessionRow(**row)


async def add_session(db: Connection, row: SessionRow) -> None:
    """Add a session."""
    await db.execute(
        _ADD_SESSION,
        row.id_hash,
        row.sub,
        row.sealed,
        row.begun_at,
        row.seen_at,
        row.access_until,
        row.ends_at,
    )


async def seen(db: Connection, id_hash: bytes, at: datetime) -> None:
    """Note that a session is used."""
    await db.execute(_SEEN, id_hash, at)


async def renew(db: Connection, id_hash: bytes, sealed: bytes, access_until: datetime) -> None:
    """Replace the tokens of a session, if it is still there."""
    await db.execute(_RENEW, id_hash, sealed, access_until)


async def remove_session(db: Connection, id_hash: bytes) -> None:
    """End a session."""
    await db.execute(_REMOVE_SESSION, id_hash)


async def remove_sessions_of(db: Connection, sub: str) -> None:
    """End all sessions of a person, and forget what they typed."""
    await db.execute(_REMOVE_SESSIONS_OF, sub)
    await db.execute(_REMOVE_KEPT_OF, sub)


async def alive(
    db: Connection, hashes: list[bytes], now: datetime, idle_since: datetime
) -> set[bytes]:
    """Which of these sessions go on."""
    return {row["id_hash"] for row in await db.fetch(_ALIVE, hashes, now, idle_since)}


async def add_login(db: Connection, row: LoginRow) -> None:
    """Note a login that begins."""
    await db.execute(_ADD_LOGIN, row.state_hash, row.browser_hash, row.sealed, row.begun_at)


async def take_login(db: Connection, state_hash: bytes, browser_hash: bytes) -> LoginRow | None:
    """Take a login that comes back, once and at the browser where it began; None otherwise."""
    row = await db.fetchrow(_TAKE_LOGIN, state_hash, browser_hash)
    return None if row is None else LoginRow(**row)


async def keep(db: Connection, sub: str, page: str, sealed: bytes, at: datetime) -> None:
    """Keep a form of a person, in place of the one before."""
    await db.execute(_KEEP, sub, page, sealed, at)


async def keep_first(db: Connection, sub: str, page: str, sealed: bytes, at: datetime) -> bytes:
    """Keep a form unless there is one; return the one that is there now."""
    kept: bytes = await db.fetchval(_KEEP_FIRST, sub, page, sealed, at)
    return kept


async def kept(db: Connection, sub: str, page: str, since: datetime) -> bytes | None:
    """The kept form of a person for a page, if it is not too old."""
    sealed: bytes | None = await db.fetchval(_KEPT, sub, page, since)
    return sealed


async def remove_kept(db: Connection, sub: str, page: str) -> None:
    """Forget a kept form."""
    await db.execute(_REMOVE_KEPT, sub, page)


async def remove_old_form(db: Connection, sub: str, page: str, before: datetime) -> None:
    """Forget a kept form that is too old."""
    await db.execute(_REMOVE_OLD_FORM, sub, page, before)


async def remove_kept_of(db: Connection, sub: str) -> None:
    """Forget all kept forms of a person."""
    await db.execute(_REMOVE_KEPT_OF, sub)


async def remove_old(
    db: Connection,
    *,
    sessions_before: datetime,
    seen_before: datetime,
    logins_before: datetime,
    kept_before: datetime,
) -> None:
    """Forget what is over."""
    await db.execute(_REMOVE_OLD_SESSIONS, sessions_before, seen_before)
    await db.execute(_REMOVE_OLD_LOGINS, logins_before)
    await db.execute(_REMOVE_OLD_KEPT, kept_before)
