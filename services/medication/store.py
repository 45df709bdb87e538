"""All SQL of medication."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from runtime.messages.encoding import encode, encode_parts
from runtime.postgres.connection import Connection
from runtime.postgres.statements import Writes
from schemas import topics
from schemas.records.medication import Change, Flaws, MedicationOverview, Medications
from services.medication.domain.history import OverviewChange, adopted_change
from services.medication.domain.overview import Patient

_MEDICATIONS: TypeAdapter[Medications] = TypeAdapter(Medications)
_FLAWS: TypeAdapter[Flaws] = TypeAdapter(Flaws)

_CHANGES_KEPT = topics.MEDICATION_CHANGES.retention
assert _CHANGES_KEPT is not None, "medication.changes has a retention"

REMEMBERED: timedelta = _CHANGES_KEPT
"""How long an applied change is stored: as long as its record stays on the topic."""

_PATIENTS = "select * from overviews where patient = any($1::text[])"
_OVERVIEW = "select * from overviews where patient = $1"
_SAVE_OVERVIEWS = """
insert into overviews (
    patient, practice, version, seen_version, changed_at, change, medications, flaws
)
select
    patient, practice, version, seen_version, changed_at,
    change::jsonb, medications::jsonb, flaws::jsonb
from unnest(
    $1::text[], $2::text[], $3::int[], $4::int[], $5::timestamptz[], $6::text[], $7::text[], $8::text[]
) as n(patient, practice, version, seen_version, changed_at, change, medications, flaws)
on conflict (patient) do update set
    practice = excluded.practice, version = excluded.version, seen_version = excluded.seen_version,
    changed_at = excluded.changed_at, change = excluded.change, medications = excluded.medications,
    flaws = excluded.flaws
"""
# A lateral subquery with a limit guarantees an index lookup for each row
# (`runtime/postgres/pool.py`).
_SAVE_SEEN = """
update overviews o set seen_version = n.seen_version
from unnest($1::text[], $2::int[]) as n(patient, seen_version)
cross join lateral (select ctid from overviews where patient = n.patient limit 1) as target
where o.ctid = target.ctid
"""

_CHANGE_COLUMNS = (
    *("patient", "version", "change_id", "kind", "by_role", "by_id", "reason", "at"),
    *("practice_before", "practice", "before", "after", "flaws", "through"),
)
_ADD_CHANGES = """
insert into overview_changes (
    patient, version, change_id, kind, by_role, by_id, reason, at,
    practice_before, practice, before, after, flaws, through
)
select
    patient, version, change_id, kind, by_role, by_id, reason, at,
    practice_before, practice, before::jsonb, after::jsonb, flaws::jsonb, through
from unnest(
    $1::text[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[]
) as n(
    patient, version, change_id, kind, by_role, by_id, reason, at,
    practice_before, practice, before, after, flaws, through
)
"""

_ADOPT = f"""{_SAVE_OVERVIEWS}
where overviews.version < excluded.version
returning patient
"""
_NEXT_OVERVIEWS = "select * from overviews where patient > $1 order by patient limit $2"

_APPLIED = """
select patient, change_id, digest
from unnest($1::text[], $2::uuid[]) as asked(patient, change_id)
cross join lateral (
    select digest from applied_changes a
    where a.patient = asked.patient and a.change_id = asked.change_id limit 1
) as applied
"""
_APPLIED_OVERVIEWS = """
select asked.change_id, applied.digest, overview.*
from unnest($1::text[], $2::uuid[]) as asked(patient, change_id)
cross join lateral (
    select digest from applied_changes a
    where a.patient = asked.patient and a.change_id = asked.change_id limit 1
) as applied
cross join lateral (
    select * from overviews o where o.patient = asked.patient limit 1
) as overview
"""
_SAVE_APPLIED = """
insert into applied_changes (patient, change_id, digest, applied_at)
select * from unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[])
"""
_DELETE_APPLIED = """
delete from applied_changes where ctid = any(array(
    select ctid from applied_changes where applied_at < $1
    order by applied_at limit $2 for update skip locked
))
"""


@dataclass(frozen=True, slots=True)
class Applied:
    """A change that was applied at `at` (UTC), even when it made no difference."""

    patient: str
    change_id: UUID
    digest: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OverviewJson:
    """An overview for the API; `body` is JSON as on `medication.status`, without `change.through`."""

    practice: str
    version: int
    body: bytes


@dataclass(frozen=True, slots=True)
class AppliedOverview:
    """The digest of the change that was applied under an id, and the patient's current overview."""

    digest: str
    shown: OverviewJson


async def patients(db: Connection, keys: Collection[str]) -> dict[str, Patient]:
    """Those of these patients that have an overview, without their applied changes."""
    rows = await db.fetch(_PATIENTS, keys)
    return {row["patient"]: Patient(_overview(row), row["seen_version"]) for row in rows}


async def overview(db: Connection, patient: str) -> OverviewJson | None:
    """A patient's overview; None when there is none."""
    row = await db.fetchrow(_OVERVIEW, patient)
    return _shown(row) if row else None


def save_overviews(writes: Writes, changed: Sequence[Patient]) -> None:
    """Write the current overviews of these patients."""
    overviews = [(p.overview, p.seen_version) for p in changed if p.overview is not None]
    writes.execute("overviews", _SAVE_OVERVIEWS, *_overview_columns(overviews))


def add_changes(writes: Writes, changes: Sequence[OverviewChange]) -> None:
    """Add to the history of overviews. The batch is outdated when one of these versions is stored already."""
    writes.require_new("overview_changes")
    writes.insert(
        "overview_changes", _CHANGE_COLUMNS, _ADD_CHANGES, [_change_row(c) for c in changes]
    )


async def adopt(db: Connection, published: Sequence[MedicationOverview]) -> int:
    """Store those of these overviews that are newer than the stored ones; return how many.

    No two are of one patient. Each gets a history entry, without `before` when versions are missing in between.
    """
    async with db.transaction():
        ours = await patients(db, [o.patient for o in published])
        columns = _overview_columns([(o, o.version) for o in published])
        newer = {row["patient"] for row in await db.fetch(_ADOPT, *columns)}
        writes = Writes()
        if adopted := [o for o in published if o.patient in newer]:
            entries = [adopted_change(ours.get(o.patient, Patient()).overview, o) for o in adopted]
            add_changes(writes, entries)
        await writes.send(db)
    return len(newer)


async def all_overviews(
    db: Connection, batch_size: int
) -> AsyncIterator[Sequence[MedicationOverview]]:
    """Yield all overviews, sorted by patient, in batches."""
    last = ""
    while rows := await db.fetch(_NEXT_OVERVIEWS, last, batch_size):
        last = rows[-1]["patient"]
        yield [_overview(row) for row in rows]


def save_seen(writes: Writes, versions: Mapping[str, int]) -> None:
    """Write the highest version of each patient that was read back from the topic."""
    writes.execute("overviews", _SAVE_SEEN, list(versions), list(versions.values()))


async def applied(
    db: Connection, changes: Collection[tuple[str, UUID]]
) -> dict[tuple[str, UUID], str]:
    """The digests of the applied ones among these changes (patient, change id)."""
    rows = await db.fetch(_APPLIED, *_columns(changes))
    return {(row["patient"], row["change_id"]): row["digest"] for row in rows}


async def applied_overviews(
    db: Connection, changes: Collection[tuple[str, UUID]]
) -> dict[tuple[str, UUID], AppliedOverview]:
    """The applied ones among these changes (patient, change id), with the current overviews."""
    rows = await db.fetch(_APPLIED_OVERVIEWS, *_columns(changes))
    return {
        (row["patient"], row["change_id"]): AppliedOverview(row["digest"], _shown(row))
        for row in rows
    }


def save_applied(writes: Writes, changes: Sequence[Applied]) -> None:
    """Store these applied changes."""
    writes.execute(
        "applied_changes",
        _SAVE_APPLIED,
        [change.patient for change in changes],
        [change.change_id for change in changes],
        [change.digest for change in changes],
        [change.at for change in changes],
    )


def delete_applied(writes: Writes, before: datetime, *, at_most: int) -> None:
    """Delete at most so many changes that were applied before this time (UTC), the oldest first."""
    writes.execute("applied_changes", _DELETE_APPLIED, before, at_most)


def _columns(changes: Collection[tuple[str, UUID]]) -> tuple[list[str], list[UUID]]:
    return [patient for patient, _ in changes], [change_id for _, change_id in changes]


def _overview(row: Any) -> MedicationOverview:
    return MedicationOverview(
        patient=row["patient"],
        practice=row["practice"],
        version=row["version"],
        changed_at=row["changed_at"],
        change=Change.model_validate_json(row["change"]),
        medications=_MEDICATIONS.validate_json(row["medications"]),
        flaws=_FLAWS.validate_json(row["flaws"]),
    )


def _shown(row: Any) -> OverviewJson:
    overview = _overview(row)
    change = overview.change.model_copy(update={"through": None})
    body = encode(overview.model_copy(update={"change": change}))
    return OverviewJson(overview.practice, overview.version, body)


def _overview_columns(
    overviews: Sequence[tuple[MedicationOverview, int]],
) -> tuple[list[Any], ...]:
    """The arrays for `_SAVE_OVERVIEWS`, from overviews with their `seen_version`."""
    return (
        [o.patient for o, _ in overviews],
        [o.practice for o, _ in overviews],
        [o.version for o, _ in overviews],
        [seen_version for _, seen_version in overviews],
        [o.changed_at for o, _ in overviews],
        [_json(o.change) for o, _ in overviews],
        [_json(o.medications) for o, _ in overviews],
        [_json(o.flaws) for o, _ in overviews],
    )


def _change_row(entry: OverviewChange) -> tuple[Any, ...]:
    change = entry.change
    return (
        *(entry.patient, entry.version, change.change_id, change.kind),
        *(change.by.role, change.by.id, change.reason, entry.at),
        *(entry.practice_before, entry.practice),
        None if entry.before is None else _json(entry.before),
        _json(entry.after),
        _json(entry.flaws),
        change.through,
    )


def _json(part: Any) -> str:
    return encode_parts(part).decode()
