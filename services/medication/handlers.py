"""medication's part of the loop: one function per kind of record, which decides and returns what to publish."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, assert_never

import structlog

from runtime.loop.handler import Done, Rejected
from runtime.messages.cloudevents import event_id, outgoing, through
from runtime.messages.digest import digest_of
from runtime.messages.message import Message, Outgoing
from runtime.postgres.connection import Connection
from runtime.postgres.statements import Writes
from runtime.systems import Systems
from schemas import topics
from schemas.records.medication import MedicationImport, MedicationOverview, MedicationSetStatus
from schemas.topic_lookup import system_of
from services.medication import store
from services.medication.domain.history import OverviewChange, change_between
from services.medication.domain.overview import (
    Changed,
    Command,
    Patient,
    Refused,
    Repeated,
    Unchanged,
    decide,
    read_back,
    remember,
)
from services.medication.store import Applied

SOURCE = "nl.herhaal/medication"

INPUTS = (topics.MEDICATION_CHANGES, topics.MEDICATION_STATUS)

log = structlog.get_logger()


@dataclass
class Work:
    """One batch: the patients' current state, and the changes to save."""

    patients: dict[str, Patient]
    changed: set[str] = field(default_factory=set)
    """Patients whose overview changed."""
    seen: set[str] = field(default_factory=set)
    """Patients whose `seen_version` changed."""
    history: list[OverviewChange] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)
    republished: int = 0
    newest: datetime | None = None
    """The append time (UTC) of the newest message."""

    def patient(self, key: str) -> Patient:
        """A patient's current state; a new patient has no overview."""
        return self.patients.get(key, Patient())


class MedicationHandler:
    """Loads, decides and saves; `systems` are the directory's."""

    def __init__(self, systems: Systems | None = None) -> None:
        self._systems = systems or Systems()

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> Work:
        """Load the overviews of these messages' patients, and which of their changes are applied already."""
        patients = {message.key for message in messages}
        changes = {
            (m.key, m.body.change_id)
            for m in messages
            if isinstance(m.body, MedicationImport | MedicationSetStatus)
        }
        loaded = await store.patients(db, patients) if patients else {}
        applied = await store.applied(db, changes) if changes else {}
        for (patient, change_id), digest in applied.items():
            loaded[patient] = remember(loaded.get(patient, Patient()), change_id, digest)
        return Work(loaded, newest=max((m.at for m in messages), default=None))

    def handle(self, message: Message[Any], work: Work) -> Done | Rejected:
        """Decide one message."""
        match message.body:
            case MedicationImport() | MedicationSetStatus() as command:
                system = system_of(message.topic)
                if system and not serves(system, command, work, self._systems):
                    return Rejected("not_served")
                return _change(command, message, work)
            case MedicationOverview() | None as published:
                return _read_back(published, message, work)
            case _:
                return Rejected("not_handled")

    def save(self, work: Work, writes: Writes) -> None:
        """Write what changed, and delete applied changes whose records have expired from the topic."""
        if work.changed:
            store.save_overviews(writes, [work.patients[key] for key in work.changed])
            store.add_changes(writes, work.history)
        if seen := work.seen - work.changed:
            store.save_seen(writes, {key: work.patients[key].seen_version for key in seen})
        if work.applied and work.newest:
            store.save_applied(writes, work.applied)
            too_old = work.newest - store.REMEMBERED
            store.delete_applied(writes, too_old, at_most=2 * len(work.applied))
        if work.republished:
            log.warning("late overviews read back, newest republished", records=work.republished)


def serves(system: str, command: Command, work: Work, systems: Systems) -> bool:
    """Whether an outside system serves the practice of an import, or that of the patient's overview.

    Without an overview the patient has no practice: the command is refused for that.
    """
    if isinstance(command, MedicationImport):
        return systems.serves_practice(system, command.practice)
    overview = work.patient(command.patient).overview
    return overview is None or systems.serves_practice(system, overview.practice)


def _change(command: Command, message: Message[Any], work: Work) -> Done | Rejected:
    before, digest = work.patient(message.key), digest_of(command)
    result = decide(command, digest, before, message.at, through(message.record))
    match result:
        case Refused(code):
            return Rejected(code)
        case Repeated():
            return Done()
        case Unchanged(patient):
            records: tuple[Outgoing, ...] = ()
        case Changed(patient, overview):
            work.changed.add(message.key)
            work.history.append(change_between(before.overview, overview))
            records = (overview_record(overview, message.traceparent),)
        case _:
            assert_never(result)
    work.patients[message.key] = patient
    work.applied.append(Applied(message.key, command.change_id, digest, message.at))
    return Done(records)


def _read_back(
    published: MedicationOverview | None, message: Message[Any], work: Work
) -> Done | Rejected:
    before = work.patient(message.key)
    result = read_back(before, published)
    if result.patient.seen_version != before.seen_version:
        work.seen.add(message.key)
    work.patients[message.key] = result.patient
    if result.republish is None:
        return Done()
    work.republished += 1
    return Done((overview_record(result.republish, message.traceparent),))


def overview_id(overview: MedicationOverview) -> str:
    """The `ce_id` of an overview's record: the same for every record of one version."""
    return event_id(overview.TYPE, overview.patient, overview.version)


def overview_record(overview: MedicationOverview, traceparent: str | None) -> Outgoing:
    """The record of an overview for `medication.status`; only the trace may differ between publications."""
    return outgoing(
        topics.MEDICATION_STATUS.name,
        overview,
        key=overview.patient,
        id=overview_id(overview),
        source=SOURCE,
        subject=overview.patient,
        at=overview.changed_at,
        traceparent=traceparent,
    )
