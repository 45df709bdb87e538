"""Sessions: who is logged in at a browser, with tokens that are refreshed once for all that need it."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from portal.login.oidc import LoginRefused, Oidc, Tokens
from portal.session import store
from portal.session.database import Database
from portal.session.sealing import Sealer, Unreadable
from portal.session.store import SessionRow
from schemas.access import Claims

SEEN_EVERY = timedelta(minutes=1)
REFRESH_BEFORE = timedelta(seconds=60)
"""A token is replaced this long before it runs out, so that the services still accept it."""

KNOWN_AFTER = timedelta(hours=1)
"""How long after its idle end a session still says whose it was: for a form that was sent too late."""


@dataclass(frozen=True)
class Session:
    """Somebody who is logged in. `id` is the cookie's value; times are UTC."""

    id: str = field(repr=False)
    tokens: Tokens = field(repr=False)
    claims: Claims
    ends_at: datetime

    @property
    def name(self) -> str | None:
        """The person's name, if the provider told it."""
        return self.tokens.name

    @property
    def csrf(self) -> str:
        """The token that every form of this session bears."""
        return hmac.new(self.id.encode(), b"form", hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Over:
    """A session that has ended by itself, and whose it was."""

    sub: str


class Sessions:
    """Begins, finds, refreshes and ends sessions. `clock` gives the time (UTC)."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        oidc: Oidc,
        idle: timedelta,
        longest: timedelta,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._oidc = oidc
        self._idle = idle
        self._longest = longest
        self._clock = clock

    async def begin(self, tokens: Tokens, claims: Claims, before: str | None) -> Session:
        """Begin a session under a new id; the session `before` at this browser ends."""
        now = self._clock()
        session = Session(secrets.token_urlsafe(32), tokens, claims, now + self._longest)
        row = SessionRow(
            hash_of(session.id),
            claims.sub,
            self._sealed(session),
            begun_at=now,
            seen_at=now,
            access_until=tokens.access_until,
            ends_at=session.ends_at,
        )
        async with self._database.transaction() as db:
            if before is not None:
                await store.remove_session(db, hash_of(before))
            await store.add_session(db, row)
        return session

    async def find(self, id: str, *, in_use: bool = True) -> Session | Over | None:
        """The session of a cookie, with tokens that are valid; None for one that never was, or was ended.

        `in_use` is false for what goes on by itself, such as a stream: it keeps no session from its idle end.
        """
        now = self._clock()
        async with self._database.connection() as db:
            row = await store.session(db, hash_of(id))
            if row is None:
                return None
            if now >= row.ends_at or now >= row.seen_at + self._idle:
                return Over(row.sub)
            if in_use and now >= row.seen_at + SEEN_EVERY:
                await store.seen(db, row.id_hash, now)
        session = self._opened(id, row)
        if session is None or now < row.access_until - REFRESH_BEFORE:
            return session
        return await self._refreshed(id)

    async def end(self, session: Session) -> None:
        """End a session, and forget what its person typed."""
        async with self._database.transaction() as db:
            await store.remove_session(db, hash_of(session.id))
            await store.remove_kept_of(db, session.claims.sub)

    async def end_everywhere(self, session: Session) -> None:
        """End all sessions of a person."""
        async with self._database.transaction() as db:
            await store.remove_sessions_of(db, session.claims.sub)

    async def alive(self, ids: Collection[str]) -> frozenset[str]:
        """Which of these sessions go on."""
        by_hash = {hash_of(id): id for id in ids}
        now = self._clock()
        async with self._database.connection() as db:
            found = await store.alive(db, [*by_hash], now, now - self._idle)
        return frozenset(by_hash[each] for each in found)

    async def _refreshed(self, id: str) -> Session | None:
        """Replace the tokens, unless somebody else did while we waited for the row."""
        async with self._database.transaction() as db:
            row = await store.session(db, hash_of(id), lock=True)
            session = None if row is None else self._opened(id, row)
            if row is None or session is None:
                return None
            if self._clock() < row.access_until - REFRESH_BEFORE:
                return session
            try:
                tokens, claims = await self._oidc.refresh(session.tokens)
            except LoginRefused:
                await store.remove_session(db, row.id_hash)
                return None
            if claims.sub != row.sub:
                await store.remove_session(db, row.id_hash)
                return None
            session = replace(session, tokens=tokens, claims=claims)
            await store.renew(db, row.id_hash, self._sealed(session), tokens.access_until)
            return session

    def _sealed(self, session: Session) -> bytes:
        content = {
            "tokens": session.tokens.as_json(),
            "claims": session.claims.model_dump(mode="json"),
        }
        return self._sealer.seal(content, hash_of(session.id))

    def _opened(self, id: str, row: SessionRow) -> Session | None:
        """The session of a row; None when it was sealed by another key: then one logs in again."""
        try:
            content: dict[str, Any] = self._sealer.open(row.sealed, row.id_hash)
        except Unreadable:
            return None
        tokens = Tokens.from_json(content["tokens"], row.access_until)
        claims = content["claims"] | {"patients": tuple(content["claims"]["patients"])}
        return Session(id, tokens, Claims.model_validate(claims, strict=False), row.ends_at)


def hash_of(secret: str) -> bytes:
    """The hash by which a random secret is found."""
    return hashlib.sha256(secret.encode()).digest()
