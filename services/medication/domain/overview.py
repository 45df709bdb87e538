"""Decides changes to a patient's overview, and whether an overview read back from Kafka is outdated.

Pure: a function of the record, the patient's state, and the record's append time.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, assert_never
from uuid import UUID

from schemas.records.medication import (
    Change,
    EntryFlaw,
    FlawedEntry,
    Medication,
    MedicationImport,
    MedicationOverview,
    MedicationSetStatus,
    Status,
)

Command = MedicationImport | MedicationSetStatus


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient's current overview; None before the first import.

    `seen_version` is the highest version read back from `medication.status`, 0 for none.
    `applied` has the digest of each applied change, by change id.
    """

    overview: MedicationOverview | None = None
    seen_version: int = 0
    applied: Mapping[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changed:
    """The overview has a new version to publish; `patient` is the state after the change."""

    patient: Patient
    overview: MedicationOverview


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The change makes no difference to the overview; only its change id is stored."""

    patient: Patient


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same change is applied already."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The change cannot be applied; `code` is the dead letter's reason."""

    code: str


Result = Changed | Unchanged | Repeated | Refused


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The state after reading back a record; `republish` is the overview to publish again, if any."""

    patient: Patient
    republish: MedicationOverview | None = None


def decide(
    command: Command, digest: str, patient: Patient, at: datetime, through: str | None = None
) -> Result:
    """Decide a change; `digest` is the command's, `at` (UTC) its append time.

    `through` is the outside system that it came through, if any.
    A second change with the same id and other content is refused: which one was meant is unclear.
    """
    applied = patient.applied.get(command.change_id)
    if applied is not None:
        return Repeated() if applied == digest else Refused("change_conflict")
    content = _content_after(command, patient.overview)
    if isinstance(content, Refused):
        return content
    remembered = remember(patient, command.change_id, digest)
    if patient.overview is not None and _equals(content, patient.overview):
        return Unchanged(remembered)
    overview = _next_version(content, command, patient.overview, at, through)
    return Changed(replace(remembered, overview=overview), overview)


def remember(patient: Patient, change_id: UUID, digest: str) -> Patient:
    """Add an applied change to the patient's state."""
    return replace(patient, applied={**patient.applied, change_id: digest})


def read_back(patient: Patient, published: MedicationOverview | None) -> ReadBack:
    """Compare a record of `medication.status` with the stored overview; None is a tombstone.

    A record with a lower version than an earlier record hides that one from new readers: the stored overview is
    published again. A version above the stored one is only noted: the database was restored from an older
    backup, and the changes that led to that version will be consumed again.
    """
    version = published.version if published else 0
    ours = patient.overview.version if patient.overview else 0
    if version < patient.seen_version:
        return ReadBack(patient, republish=patient.overview if ours > version else None)
    return ReadBack(replace(patient, seen_version=version))


@dataclass(frozen=True, slots=True)
class _Content:
    """The content of an overview, without version and time; `kind` is the change's."""

    kind: Literal["import", "set_status"]
    practice: str
    medications: tuple[Medication, ...]
    flaws: tuple[EntryFlaw, ...]


def _content_after(command: Command, current: MedicationOverview | None) -> _Content | Refused:
    match command:
        case MedicationImport():
            return _import(command, current)
        case MedicationSetStatus():
            return _set_status(command, current)
        case _:
            assert_never(command)


def _import(command: MedicationImport, current: MedicationOverview | None) -> _Content:
    """Replace the list by the practice's, also by that of another practice."""
    reviews = _reviews(current.medications) if current else {}
    usable = [found for sent in command.medications if (found := _usable(sent))]
    medications = [_keep_review(entry, reviews.get(entry.prk)) for entry in usable]
    flaws = tuple(
        sent.flaw(position)
        for position, sent in enumerate(command.medications, start=1)
        if isinstance(sent, FlawedEntry)
    )
    return _Content("import", command.practice, _once(medications), flaws)


def _usable(sent: Medication | FlawedEntry) -> Medication | None:
    """The entry, if need be without its wrong fields; None when it cannot do without.

    Never an earlier version of it: the GP may have stopped that.
    """
    return sent.without_flaws() if isinstance(sent, FlawedEntry) else sent


def _set_status(
    command: MedicationSetStatus, current: MedicationOverview | None
) -> _Content | Refused:
    """Change the status of one medicine: of its entries in use, or of all when all are stopped."""
    if current is None:
        return Refused("unknown_patient")
    ours = [entry for entry in current.medications if entry.prk == command.prk]
    if not ours:
        return Refused("unknown_medicine")
    changing = [entry for entry in ours if entry.status is not Status.STOPPED] or ours
    medications = [
        entry.model_copy(update={"status": command.status}) if entry in changing else entry
        for entry in current.medications
    ]
    return _Content("set_status", current.practice, _once(medications), current.flaws)


def _keep_review(entry: Medication, reviewed_at: datetime | None) -> Medication:
    """Keep the medicine's stored review date when the practice's system sends none."""
    if entry.reviewed_at is not None or reviewed_at is None:
        return entry
    return entry.model_copy(update={"reviewed_at": reviewed_at})


def _reviews(medications: Iterable[Medication]) -> dict[str, datetime]:
    """The latest review of each medicine, by PRK code."""
    latest: dict[str, datetime] = {}
    for entry in medications:
        if entry.reviewed_at is not None:
            latest[entry.prk] = max(entry.reviewed_at, latest.get(entry.prk, entry.reviewed_at))
    return latest


def _once(medications: Iterable[Medication]) -> tuple[Medication, ...]:
    """The entries in their order, without those that repeat an earlier one in every field."""
    return tuple(dict.fromkeys(medications))


def _equals(content: _Content, current: MedicationOverview) -> bool:
    """Tell whether nothing would change; the order of the list does not matter, nor a flaw's position in it."""
    return (
        content.practice == current.practice
        and Counter(content.medications) == Counter(current.medications)
        and _unordered(content.flaws) == _unordered(current.flaws)
    )


def _unordered(flaws: Iterable[EntryFlaw]) -> Counter[EntryFlaw]:
    return Counter(flaw.model_copy(update={"position": 1}) for flaw in flaws)


def _next_version(
    content: _Content,
    command: Command,
    current: MedicationOverview | None,
    at: datetime,
    through: str | None,
) -> MedicationOverview:
    return MedicationOverview(
        patient=command.patient,
        practice=content.practice,
        version=current.version + 1 if current else 1,
        changed_at=at,
        change=Change(
            change_id=command.change_id,
            kind=content.kind,
            by=command.by,
            reason=command.reason,
            through=through,
        ),
        medications=content.medications,
        flaws=content.flaws,
    )
