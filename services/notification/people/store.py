"""All SQL about people. None of these tables follows from topics."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from runtime.http.caller import Share
from runtime.messages.encoding import decoder
from runtime.postgres.connection import Connection
from services.notification.domain.order import Order
from services.notification.people.hashes import PersonHash, What

_WRITERS = 7_016_001
"""The advisory lock that writers of people share. Who erases, or changes the keyring, has it alone."""

_ORDER = decoder(Order)

_SHARE_LOCK = "select pg_advisory_xact_lock_shared($1)"
_LOCK_ALONE = "select pg_advisory_xact_lock($1)"
_LOCK_BSN = "select pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 0))"
_PERSON = "select patient, practice, sealed, erased_at from people where patient = $1"
_PERSON_FOR_UPDATE = f"{_PERSON} for update"
_SAVE = """
insert into people (patient, practice, sealed, registered_at, changed_at)
values ($1, $2, $3, $4, $4)
on conflict (patient) do update
set practice = excluded.practice, sealed = excluded.sealed, changed_at = excluded.changed_at
"""
_DELETE_HASHES = "delete from people_hashes where patient = $1"
_ADD_HASHES = """
insert into people_hashes (patient, what, key_version, hash)
select $1, * from unnest($2::text[], $3::int[], $4::bytea[])
on conflict do nothing
"""
_OF_BSN = "select patient from people_hashes where what = 'bsn' and hash = any($1::bytea[]) limit 1"
_FIND = """
select patient, practice, sealed, erased_at from people
where patient in (select patient from people_hashes where what = $1 and hash = any($2::bytea[]))
and ($3 or practice = any($4::text[]))
order by patient
"""
_UNDER_WAY = """
select body from orders
where order_id in (select order_id from messages where patient = $1 and at >= $2)
"""

_ERASE = """
update people set practice = null, sealed = null, erased_at = coalesce(erased_at, $2)
where patient = $1
"""
_WITHOUT_NEWEST = """
select patient, practice, sealed, erased_at from people p
where sealed is not null and patient > $2 and not exists (
    select from people_hashes h where h.patient = p.patient and h.key_version = $1
)
order by patient limit $3
"""
_DELETE_OLDER = "delete from people_hashes where key_version <> $1"


@dataclass(frozen=True)
class StoredPerson:
    """A row of `people`; `practice` and `sealed` are None once the person is erased."""

    patient: str
    practice: str | None
    sealed: bytes | None
    erased_at: datetime | None


async def share_lock(db: Connection) -> None:
    """Keep everybody from erasing and from changing the keyring until the transaction ends."""
    await db.execute(_SHARE_LOCK, _WRITERS)


async def lock_alone(db: Connection) -> None:
    """Keep everybody from writing people and their keys until the transaction ends."""
    await db.execute(_LOCK_ALONE, _WRITERS)


async def lock_bsn(db: Connection, hash: bytes) -> None:
    """Keep others from registering the person with this BSN until the transaction ends."""
    await db.execute(_LOCK_BSN, hash)


async def person(db: Connection, patient: str) -> StoredPerson | None:
    """The row of a patient; None when nobody was registered."""
    row = await db.fetchrow(_PERSON, patient)
    return None if row is None else StoredPerson(**row)


async def person_for_update(db: Connection, patient: str) -> StoredPerson | None:
    """The row of a patient, which others cannot change until the transaction ends."""
    row = await db.fetchrow(_PERSON_FOR_UPDATE, patient)
    return None if row is None else StoredPerson(**row)


async def save_person(
    db: Connection, patient: str, practice: str, sealed: bytes, at: datetime
) -> None:
    """Add or replace a person; `at` is now (UTC)."""
    await db.execute(_SAVE, patient, practice, sealed, at)


async def replace_hashes(db: Connection, patient: str, hashes: Collection[PersonHash]) -> None:
    """Let a person be found by these hashes alone."""
    await db.execute(_DELETE_HASHES, patient)
    await add_hashes(db, patient, hashes)


async def add_hashes(db: Connection, patient: str, hashes: Iterable[PersonHash]) -> None:
    """Let a person be found by these hashes too."""
    rows = [(hash.what.value, hash.version, hash.hash) for hash in hashes]
    await db.execute(_ADD_HASHES, patient, *map(list, zip(*rows, strict=True)))


async def patient_of_bsn(db: Connection, hashes: Sequence[bytes]) -> str | None:
    """The pseudonym of the person with this BSN, given by its hashes."""
    patient: str | None = await db.fetchval(_OF_BSN, hashes)
    return patient


async def find(
    db: Connection, what: What, hashes: Sequence[bytes], share: Share
) -> list[StoredPerson]:
    """The people in this share whom one of the hashes finds."""
    rows = await db.fetch(_FIND, what.value, hashes, share.everything, share.practices)
    return [StoredPerson(**row) for row in rows]


async def under_way(db: Connection, patient: str, since: datetime) -> list[str]:
    """The pharmacies for which a line of this patient was approved after `since`, and is not cancelled."""
    # Each approval has a message to the patient.
    orders = [_ORDER.decode(row["body"]) for row in await db.fetch(_UNDER_WAY, patient, since)]
    approved = [each for each in orders if each.approved_at and each.approved_at >= since]
    return sorted({each.pharmacy for each in approved if each.pharmacy})


async def erase_person(db: Connection, patient: str, at: datetime) -> None:
    """Empty the row of a patient, and let nothing find them; `at` is now (UTC)."""
    await db.execute(_DELETE_HASHES, patient)
    await db.execute(_ERASE, patient, at)


async def without_hashes_of(
    db: Connection, version: int, after: str, limit: int
) -> list[StoredPerson]:
    """People after this pseudonym whom no hash of this version finds."""
    rows = await db.fetch(_WITHOUT_NEWEST, version, after, limit)
    return [StoredPerson(**row) for row in rows]


async def delete_hashes_but(db: Connection, version: int) -> None:
    """Delete the hashes of all other versions."""
    await db.execute(_DELETE_OLDER, version)
