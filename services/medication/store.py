"""All SQL of medication."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from runtime.connection import Connection
from runtime.records import encode
from runtime.writes import Writes
from schemas import topics
from schemas.medication import MedicationOverview
from services.medication.domain.overview import Patient

_CHANGES_KEPT = topics.MEDICATION_CHANGES.retention
assert _CHANGES_KEPT is not None, "changes are not kept for good"

REMEMBERED: timedelta = _CHANGES_KEPT
"""How long an applied change is remembered: as long as its topic can give the record again."""

_PATIENTS = """
select patient, seen_version, body from overviews where patient = any($1::text[])
"""
_OVERVIEW = "select version, body from overviews where patient = $1"
_SAVE_OVERVIEWS = """
insert into overviews (patient, version, seen_version, body)
select * from unnest($1::text[], $2::int[], $3::int[], $4::bytea[])
on conflict (patient) do update set
    version = excluded.version, seen_version = excluded.seen_version, body = excluded.body
"""
# A lateral part with a limit is looked up by key for each row, whatever the plan: see `runtime/database.py`.
_SAVE_SEEN = """
update overviews o set seen_version = n.seen_version
from unnest($1::text[], $2::int[]) as n(patient, seen_version)
cross join lateral (select ctid from overviews where patient = n.patient limit 1) as known
where o.ctid = known.ctid
"""

_ADOPT = """
insert into overviews (patient, version, seen_version, body)
select * from unnest($1::text[], $2::int[], $3::int[], $4::bytea[])
on conflict (patient) do update set
    version = excluded.version, seen_version = excluded.seen_version, body = excluded.body
where overviews.version < excluded.version
returning 1
"""
_EVERY_OVERVIEW = "select patient, body from overviews where patient > $1 order by patient limit $2"

_APPLIED = """
select patient, change_id, digest
from unnest($1::text[], $2::uuid[]) as asked(patient, change_id)
cross join lateral (
    select digest from applied_changes a
    where a.patient = asked.patient and a.change_id = asked.change_id limit 1
) as applied
"""
_APPLIED_OVERVIEWS = """
select patient, change_id, version, body
from unnest($1::text[], $2::uuid[]) as asked(patient, change_id)
cross join lateral (
    select from applied_changes a
    where a.patient = asked.patient and a.change_id = asked.change_id limit 1
) as applied
cross join lateral (
    select version, body from overviews o where o.patient = asked.patient limit 1
) as overview
"""
_SAVE_APPLIED = """
insert into applied_changes (patient, change_id, digest, applied_at)
select * from unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[])
"""
_FORGET_APPLIED = """
delete from applied_changes where ctid = any(array(
    select ctid from applied_changes where applied_at < $1
    order by applied_at limit $2 for update skip locked
))
"""


@dataclass(frozen=True, slots=True)
class Applied:
    """A change that was carried out at `at` (UTC), whether or not it made a difference."""

    patient: str
    change_id: UUID
    digest: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """An overview as the API gives it; `body` is JSON."""

    version: int
    body: bytes


async def patients(db: Connection, keys: Collection[str]) -> dict[str, Patient]:
    """These patients, as far as there is an overview, without their applied changes."""
    rows = await db.fetch(_PATIENTS, keys)
    return {
        row["patient"]: Patient(
            MedicationOverview.model_validate_json(row["body"]), row["seen_version"]
        )
        for row in rows
    }


async def overview(db: Connection, patient: str) -> Shown | None:
    """A patient's overview; None when there is none."""
    row = await db.fetchrow(_OVERVIEW, patient)
    return Shown(row["version"], row["body"]) if row else None


def save_overviews(writes: Writes, changed: Sequence[Patient]) -> None:
    """Write the overviews of these patients as they stand now."""
    overviews = [(p.overview, p.seen_version) for p in changed if p.overview is not None]
    writes.execute(
        "overviews",
        _SAVE_OVERVIEWS,
        [overview.patient for overview, _ in overviews],
        [overview.version for overview, _ in overviews],
        [seen_version for _, seen_version in overviews],
        [encode(overview) for overview, _ in overviews],
    )


async def adopt(db: Connection, found: Sequence[MedicationOverview]) -> int:
    """Take these overviews, of different patients, where ours are older or not there; how many those were."""
    versions = [overview.version for overview in found]
    bodies = [encode(overview) for overview in found]
    taken = await db.fetch(_ADOPT, [o.patient for o in found], versions, versions, bodies)
    return len(taken)


async def every_overview(
    db: Connection, at_a_time: int
) -> AsyncIterator[Sequence[MedicationOverview]]:
    """All overviews, by patient, so many at a time."""
    last = ""
    while rows := await db.fetch(_EVERY_OVERVIEW, last, at_a_time):
        last = rows[-1]["patient"]
        yield [MedicationOverview.model_validate_json(row["body"]) for row in rows]


def save_seen(writes: Writes, versions: Mapping[str, int]) -> None:
    """Write which version of each patient was read back from the topic."""
    writes.execute("overviews", _SAVE_SEEN, list(versions), list(versions.values()))


async def applied(
    db: Connection, changes: Collection[tuple[str, UUID]]
) -> dict[tuple[str, UUID], str]:
    """The digests of those of these changes (patient, change id) that were carried out."""
    rows = await db.fetch(_APPLIED, *_columns(changes))
    return {(row["patient"], row["change_id"]): row["digest"] for row in rows}


async def applied_overviews(
    db: Connection, changes: Collection[tuple[str, UUID]]
) -> dict[tuple[str, UUID], Shown]:
    """The current overviews of those of these changes (patient, change id) that were carried out."""
    rows = await db.fetch(_APPLIED_OVERVIEWS, *_columns(changes))
    return {(r["patient"], r["change_id"]): Shown(r["version"], r["body"]) for r in rows}


def save_applied(writes: Writes, changes: Sequence[Applied]) -> None:
    """Remember that these changes were carried out."""
    writes.execute(
        "applied_changes",
        _SAVE_APPLIED,
        [change.patient for change in changes],
        [change.change_id for change in changes],
        [change.digest for change in changes],
        [change.at for change in changes],
    )


def forget_applied(writes: Writes, before: datetime, *, at_most: int) -> None:
    """Forget changes that were carried out before this time (UTC), the oldest first."""
    writes.execute("applied_changes", _FORGET_APPLIED, before, at_most)


def _columns(changes: Collection[tuple[str, UUID]]) -> tuple[list[str], list[UUID]]:
    return [patient for patient, _ in changes], [change_id for _, change_id in changes]
