"""medication's history of changes produces the versions that it published and the overviews it stores."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from schemas.base import Actor, Role
from schemas.records.medication import (
    Change,
    EntryFlaw,
    Flaws,
    Medication,
    MedicationOverview,
    Medications,
)
from verify.evidence import Evidence
from verify.rows import OverviewChangeRow, OverviewRow
from verify.rules.finding import Finding
from verify.topic_records import ParsedRecord

_MEDICATIONS: TypeAdapter[Medications] = TypeAdapter(Medications)
_FLAWS: TypeAdapter[Flaws] = TypeAdapter(Flaws)


@dataclass(frozen=True, slots=True)
class Version:
    """The content of an overview at one version. `entries` are in no order, as a history does not record it."""

    version: int
    practice: str
    at: datetime
    change: Change
    entries: Counter[Medication]
    flaws: tuple[EntryFlaw, ...]


class BrokenHistory(ValueError):
    """A row of a history does not follow from the row before it."""


def history_differs(evidence: Evidence) -> Iterator[Finding]:
    """medication's history of each patient produces every version on the topic, and the stored overview."""
    overviews = {row.patient: row for row in evidence.dump.medication.overviews}
    histories: dict[str, list[OverviewChangeRow]] = defaultdict(list)
    for row in evidence.dump.medication.changes:
        histories[row.patient].append(row)
    published: dict[str, list[ParsedRecord]] = defaultdict(list)
    for message in evidence.overviews.messages:
        if message.body is not None:
            published[message.key].append(message)
    for patient in sorted(overviews.keys() | histories.keys()):
        why = _history_difference(histories[patient], published[patient], overviews.get(patient))
        if why is not None:
            yield Finding(why, patient)


def _history_difference(
    rows: list[OverviewChangeRow], published: Iterable[ParsedRecord], overview: OverviewRow | None
) -> str | None:
    try:
        versions = {version.version: version for version in apply_changes(rows)}
        current = _version_of(overview_of_row(overview)) if overview else None
    except BrokenHistory as broken:
        return str(broken)
    except ValueError:
        return "a row of its history or its overview cannot be read"
    if current is None or versions.get(max(versions, default=0)) != current:
        return "its history does not produce its overview"
    for message in published:
        # Versions older than the first row of the history are on the topic only.
        recorded = versions.get(message.body.version)
        if recorded is not None and recorded != _version_of(message.body):
            return f"its history produces another version {message.body.version}"
    return None


def apply_changes(rows: Iterable[OverviewChangeRow]) -> Iterator[Version]:
    """Apply a history's changes in order; yield each version.

    Raises:
        BrokenHistory: a version is missing, or a row's `before` is not what the row before it produced.
        ValueError: a row cannot be read.
    """
    last: Version | None = None
    for row in rows:
        last = _next(last, row)
        yield last


def _next(last: Version | None, row: OverviewChangeRow) -> Version:
    follows = row.version == (last.version if last else 0) + 1
    if follows is (row.before is None):
        raise BrokenHistory(f"version {row.version} of its history does not follow the one before")
    kept = _kept(last, row)
    entries = kept + Counter(_MEDICATIONS.validate_json(row.after))
    if any(entries[entry] > 1 for entry in entries.keys() & kept.keys()):
        raise BrokenHistory(f"version {row.version} added medicines that the version before has")
    flaws = _FLAWS.validate_json(row.flaws)
    return Version(row.version, row.practice, row.at, _change_of(row), entries, flaws)


def _kept(last: Version | None, row: OverviewChangeRow) -> Counter[Medication]:
    """The entries of the version before that this change leaves as they were."""
    if row.before is None:
        return Counter()
    left = last.entries if last else Counter[Medication]()
    before = Counter(_MEDICATIONS.validate_json(row.before))
    if row.practice_before != (last.practice if last else None) or not before <= left:
        raise BrokenHistory(
            f"version {row.version} changed medicines that the version before does not have"
        )
    return left - before


def _change_of(row: OverviewChangeRow) -> Change:
    fields: Any = {
        "change_id": row.change_id,
        "kind": row.kind,
        "reason": row.reason,
        "through": row.through,
    }
    return Change(**fields, by=Actor(role=Role(row.by_role), id=row.by_id))


def _version_of(overview: MedicationOverview) -> Version:
    return Version(
        overview.version,
        overview.practice,
        overview.changed_at,
        overview.change,
        Counter(overview.medications),
        overview.flaws,
    )


def overview_of_row(row: OverviewRow) -> MedicationOverview:
    """The overview in a row. Raises ValueError when it cannot be read."""
    return MedicationOverview(
        patient=row.patient,
        practice=row.practice,
        version=row.version,
        changed_at=row.changed_at,
        change=Change.model_validate_json(row.change),
        medications=_MEDICATIONS.validate_json(row.medications),
        flaws=_FLAWS.validate_json(row.flaws),
    )
