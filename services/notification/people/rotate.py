"""Rotates master and lookup key while services go on reading and writing people.

1. A new pair in front of the keyring: whatever is written from then on uses it.
2. Each patient's key is wrapped anew, and each person gets hashes by the new lookup key beside the older ones.
3. The older hashes and the older pairs go.

The keyring changes while nobody writes (steps 1 and 3), so all writers use the same keys. Killed at any moment,
it goes on where it was when it is run again: two pairs in the keyring say that it had begun.
"""

from collections.abc import Callable
from dataclasses import dataclass

from runtime.keyring import KeyFile
from runtime.postgres.connection import Connection
from services.notification.people import store
from services.notification.people.hashes import hashes_of
from services.notification.people.keys import FOLDERS, PatientKeys
from services.notification.people.people import People
from services.notification.people.store import StoredPerson

_PAGE = 200
"""People whose hashes are made in one transaction. Whoever erases somebody waits for one page."""


@dataclass
class Rotated:
    """How many keys were wrapped anew, people hashed anew, and rows found whose key is gone."""

    keys: int = 0
    people: int = 0
    unreadable: int = 0
    resumed: bool = False


class Rotation:
    """One rotation; `report` is given words about its progress. Only one may run at a time."""

    def __init__(self, file: KeyFile, keys: PatientKeys, report: Callable[[str], None]) -> None:
        self._file = file
        self._keys = keys
        self._people = People(file, keys)
        self._report = report
        self._done = Rotated()

    async def run(self, db: Connection) -> Rotated:
        """Rotate. The connection must be outside of a transaction.

        Raises:
            LostMaster: a patient's key is wrapped by a pair that the keyring does not have; nothing is removed.
            OSError: the folder or the keyring cannot be written.
        """
        await self._begin(db)
        for folder in FOLDERS:
            await self._rewrap(db, folder)
        await self._rehash(db)
        await self._end(db)
        return self._done

    async def _begin(self, db: Connection) -> None:
        self._done.resumed = len(self._file.read().pairs) > 1
        if self._done.resumed:
            return
        async with db.transaction():
            await store.lock_alone(db)
            self._file.replace(self._file.read().with_new_pair())

    async def _rewrap(self, db: Connection, folder: str) -> None:
        # Shared, so that nobody erases a patient between reading and replacing the key.
        async with db.transaction():
            await store.share_lock(db)
            self._done.keys += sum(self._keys.rewrap(file) for file in self._keys.files(folder))
        self._report(f"Keys: folder {folder} of ff …")

    async def _rehash(self, db: Connection) -> None:
        version, after = self._file.read().newest.version, ""
        while True:
            async with db.transaction():
                await store.share_lock(db)
                page = await store.without_hashes_of(db, version, after, _PAGE)
                for row in page:
                    await self._hash(db, row)
            if not page:
                return
            after = page[-1].patient
            self._report(f"People: {self._done.people} …")

    async def _hash(self, db: Connection, row: StoredPerson) -> None:
        current = await store.person_for_update(db, row.patient)
        person = await self._people.open(current) if current else None
        if person is None or current is None or current.practice is None:
            self._done.unreadable += 1
            return
        hashes = hashes_of(self._file.read().newest, person, current.practice)
        await store.add_hashes(db, row.patient, hashes)
        self._done.people += 1

    async def _end(self, db: Connection) -> None:
        async with db.transaction():
            await store.lock_alone(db)
            newest = self._file.read().newest_alone()
            await store.delete_hashes_but(db, newest.newest.version)
            self._file.replace(newest)
