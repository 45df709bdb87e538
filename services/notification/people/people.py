"""Registers, reads and finds people: rows in the database, sealed by keys in the folder."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime

import structlog

from runtime.http.caller import Share
from runtime.keyring import Keys
from runtime.postgres.connection import Connection
from schemas.api.people import Person
from services.notification.people import store
from services.notification.people.hashes import What, bsn_hashes, hashes_of, name_hashes
from services.notification.people.keys import Erased, PatientKeys
from services.notification.people.sealed import seal, unseal
from services.notification.people.store import StoredPerson

log = structlog.get_logger()


class OtherPerson(Exception):
    """The BSN belongs to another pseudonym than the one that was named."""


class OtherPractice(Exception):
    """The named pseudonym is of a patient of another practice."""


@dataclass(frozen=True, repr=False)
class Known:
    """A person and the practice where they are a patient."""

    patient: str
    practice: str
    person: Person


def new_pseudonym() -> str:
    """A pseudonym that says nothing: 120 random bits."""
    return f"pat_{secrets.token_urlsafe(15)}"


class People:
    """Who a pseudonym is. Each method is given a connection in a transaction; times are UTC."""

    def __init__(self, keys: Keys, patient_keys: PatientKeys) -> None:
        self._keys = keys
        self._patient_keys = patient_keys

    async def register(
        self, db: Connection, practice: str, person: Person, patient: str | None
    ) -> str:
        """Register or update a patient of this practice; return the pseudonym.

        A BSN that is known keeps its pseudonym, and moves to this practice. Otherwise `patient` is taken, if
        given, or a new pseudonym.

        Raises:
            OtherPerson: the BSN has another pseudonym than `patient`.
            OtherPractice: `patient` is somebody of another practice, and the BSN does not prove who.
            Erased: `patient` was erased.
        """
        await store.share_lock(db)
        known = await self._with_bsn(db, person)
        if known and patient and known != patient:
            raise OtherPerson
        pseudonym = known or patient or new_pseudonym()
        row = await store.person_for_update(db, pseudonym)
        if row is not None and known is None and row.practice not in (practice, None):
            raise OtherPractice
        await self._save(db, row, pseudonym, practice, person)
        return pseudonym

    async def change(self, db: Connection, row: StoredPerson, person: Person) -> None:
        """Replace the data of a registered patient. Raises OtherPerson, Erased."""
        await store.share_lock(db)
        known = await self._with_bsn(db, person)
        if known not in (None, row.patient):
            raise OtherPerson
        current = await store.person_for_update(db, row.patient)
        if current is None or current.practice is None:
            raise Erased
        await self._save(db, current, row.patient, current.practice, person)

    async def open(self, row: StoredPerson) -> Person | None:
        """Read a patient's data; None when they were erased."""
        key = await self.key(row.patient)
        if key is None or row.sealed is None:
            if row.erased_at is None:
                log.error("a registered person has no key: was the key folder restored?")
            return None
        return Person.model_validate_json(unseal(key, row.sealed, _about(row.patient)))

    async def key(self, patient: str) -> bytes | None:
        """The key that seals what is a patient's; None when there is none."""
        return await asyncio.to_thread(self._patient_keys.open, patient)

    async def with_bsn(self, db: Connection, bsn: str, share: Share) -> list[Known]:
        """Find the person with this BSN, if it is in the share."""
        while True:
            keyring = self._keys.read()
            rows = await store.find(db, What.BSN, bsn_hashes(keyring, bsn), share)
            if keyring is self._keys.read():
                return await self._open_all(rows)

    async def named(self, db: Connection, surname: str, born: date, share: Share) -> list[Known]:
        """Find everybody in the share who may be meant by this surname, and is born on this day."""
        while True:
            keyring = self._keys.read()
            hashes = name_hashes(keyring, share.practices, surname, born)
            rows = await store.find(db, What.NAME, hashes, share)
            # A rotation that ended meanwhile has replaced the hashes.
            if keyring is self._keys.read():
                return await self._open_all(rows)

    async def _open_all(self, rows: list[StoredPerson]) -> list[Known]:
        people = [(row, await self.open(row)) for row in rows]
        return [
            Known(row.patient, row.practice, person)
            for row, person in people
            if person is not None and row.practice is not None
        ]

    async def _with_bsn(self, db: Connection, person: Person) -> str | None:
        """The pseudonym of this BSN, which nobody else registers until the transaction ends."""
        if person.bsn is None:
            return None
        hashes = bsn_hashes(self._keys.read(), person.bsn)
        await store.lock_bsn(db, hashes[0])
        return await store.patient_of_bsn(db, hashes)

    async def _save(
        self, db: Connection, row: StoredPerson | None, patient: str, practice: str, person: Person
    ) -> None:
        if row is not None and row.erased_at is not None:
            raise Erased
        key = await asyncio.to_thread(self._patient_keys.ensure, patient)
        content = person.model_dump_json().encode()
        sealed = seal(key, content, _about(patient))
        await store.save_person(db, patient, practice, sealed, datetime.now(UTC))
        hashes = hashes_of(self._keys.read().newest, person, practice)
        await store.replace_hashes(db, patient, hashes)


def _about(patient: str) -> str:
    return f"person\0{patient}"
