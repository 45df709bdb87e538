"""Forms that are not finished: kept for their person, and shown to nobody else."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from portal.session import store
from portal.session.database import Database
from portal.session.sealing import Sealer, Unreadable

KEPT = timedelta(hours=1)

Fields = Sequence[tuple[str, str]]
"""Names and values of a form, in its order."""


class KeptForms:
    """Keeps one form of a person for each page, for an hour. `clock` gives the time (UTC)."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._clock = clock

    async def keep(self, sub: str, page: str, fields: Fields) -> None:
        """Keep a form, in place of the one before."""
        sealed = self._sealer.seal([*fields], _context(sub, page))
        async with self._database.connection() as db:
            await store.keep(db, sub, page, sealed, self._clock())

    async def keep_first(self, sub: str, page: str, fields: Fields) -> Fields:
        """Keep a form unless there is one already; return the one that is there now."""
        found = await self.kept(sub, page)
        if found is not None:
            return found
        async with self._database.transaction() as db:
            # One that is too old, or sealed by another key, is not there.
            await store.remove_old_form(db, sub, page, self._clock() - KEPT)
            sealed = self._sealer.seal([*fields], _context(sub, page))
            kept = await store.keep_first(db, sub, page, sealed, self._clock())
        return self._opened(kept, sub, page) or fields

    async def kept(self, sub: str, page: str) -> Fields | None:
        """The form that is kept for this person and page."""
        async with self._database.connection() as db:
            sealed = await store.kept(db, sub, page, self._clock() - KEPT)
        return None if sealed is None else self._opened(sealed, sub, page)

    async def forget(self, sub: str, page: str) -> None:
        """Forget a form: it is finished."""
        async with self._database.connection() as db:
            await store.remove_kept(db, sub, page)

    def _opened(self, sealed: bytes, sub: str, page: str) -> Fields | None:
        try:
            return [(name, value) for name, value in self._sealer.open(sealed, _context(sub, page))]
        except Unreadable:
            return None


def _context(sub: str, page: str) -> bytes:
    return f"{sub}\n{page}".encode()
