"""What medication decides: changes of an overview, and what its own topic shows of it.

Pure: a function of the record, the patient's state, and the time at which Kafka took the record.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, assert_never
from uuid import UUID

from schemas.medication import (
    Change,
    Medication,
    MedicationImport,
    MedicationOverview,
    MedicationSetStatus,
)

Command = MedicationImport | MedicationSetStatus


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient's overview as it stands; None as long as there is none.

    `seen_version` is the highest version that was read back from `medication.status`, 0 for none.
    `applied` holds the digest of each change that was carried out, by its id.
    """

    overview: MedicationOverview | None = None
    seen_version: int = 0
    applied: Mapping[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changed:
    """The overview has its next version, which everybody is told."""

    patient: Patient
    overview: MedicationOverview


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The change asks for what is already so; only its id is remembered."""

    patient: Patient


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same change was carried out before."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The change cannot be carried out; `code` says why."""

    code: str


Result = Changed | Unchanged | Repeated | Refused


@dataclass(frozen=True, slots=True)
class Observed:
    """What reading our own topic leads to; `publish_again` is set when what we have is newer than that."""

    patient: Patient
    publish_again: MedicationOverview | None = None


def decide(command: Command, digest: str, patient: Patient, at: datetime) -> Result:
    """Carry out a change that Kafka took at `at` (UTC); `digest` is that of the command.

    The same change id with another content is refused: which of the two was meant is unknown.
    """
    before = patient.applied.get(command.change_id)
    if before is not None:
        return Repeated() if before == digest else Refused("change_conflict")
    match command:
        case MedicationImport():
            wanted: _Wanted | Refused = _imported(command, patient.overview)
        case MedicationSetStatus():
            wanted = _with_status(command, patient.overview)
        case _:
            assert_never(command)
    if isinstance(wanted, Refused):
        return wanted
    remembered = remember(patient, command.change_id, digest)
    if patient.overview is not None and _same(wanted, patient.overview):
        return Unchanged(remembered)
    overview = _next(wanted, command, patient.overview, at)
    return Changed(replace(remembered, overview=overview), overview)


def remember(patient: Patient, change_id: UUID, digest: str) -> Patient:
    """The patient with one more change that was carried out."""
    return replace(patient, applied={**patient.applied, change_id: digest})


def observe(patient: Patient, found: MedicationOverview | None) -> Observed:
    """Compare what stands on `medication.status` with what we know; None is a removed key.

    A version below one that was already there hides the newer one from new readers, so ours is
    published again. A version that we do not have is only noted: our database was restored from an
    older backup, and the changes that led to it come again.
    """
    version = found.version if found else 0
    ours = patient.overview.version if patient.overview else 0
    if version < patient.seen_version:
        return Observed(patient, publish_again=patient.overview if ours > version else None)
    return Observed(replace(patient, seen_version=version))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a change makes of an overview, apart from version and time."""

    kind: Literal["import", "set_status"]
    practice: str
    medications: tuple[Medication, ...]


def _imported(command: MedicationImport, current: MedicationOverview | None) -> _Wanted:
    """The practice's list instead of ours, also when it comes from another practice."""
    known = _by_prk(current.medications) if current else {}
    medications = tuple(_keep_review(entry, known.get(entry.prk)) for entry in command.medications)
    return _Wanted("import", command.practice, medications)


def _with_status(
    command: MedicationSetStatus, current: MedicationOverview | None
) -> _Wanted | Refused:
    """The same list with one medicine's status set."""
    if current is None:
        return Refused("unknown_patient")
    if all(entry.prk != command.prk for entry in current.medications):
        return Refused("unknown_medicine")
    medications = tuple(
        entry.model_copy(update={"status": command.status}) if entry.prk == command.prk else entry
        for entry in current.medications
    )
    return _Wanted("set_status", current.practice, medications)


def _keep_review(entry: Medication, before: Medication | None) -> Medication:
    """A practice's system that knows of no review does not undo the one that we know of."""
    if entry.reviewed_at is not None or before is None or before.reviewed_at is None:
        return entry
    return entry.model_copy(update={"reviewed_at": before.reviewed_at})


def _same(wanted: _Wanted, current: MedicationOverview) -> bool:
    """Whether nothing would change; the order of a list means nothing."""
    return wanted.practice == current.practice and _by_prk(wanted.medications) == _by_prk(
        current.medications
    )


def _by_prk(medications: Iterable[Medication]) -> dict[str, Medication]:
    return {entry.prk: entry for entry in medications}


def _next(
    wanted: _Wanted, command: Command, current: MedicationOverview | None, at: datetime
) -> MedicationOverview:
    return MedicationOverview(
        patient=command.patient,
        practice=wanted.practice,
        version=current.version + 1 if current else 1,
        changed_at=at,
        change=Change(
            change_id=command.change_id, kind=wanted.kind, by=command.by, reason=command.reason
        ),
        medications=wanted.medications,
    )
