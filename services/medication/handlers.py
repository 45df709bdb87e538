"""medication's part of the loop: which record leads to which decision, and what is published for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, assert_never

import structlog

from runtime.connection import Connection
from runtime.digests import digest_of
from runtime.handling import Done, Rejected
from runtime.records import Message, Outgoing, event_id, outgoing
from runtime.writes import Writes
from schemas import topics
from schemas.medication import MedicationImport, MedicationOverview, MedicationSetStatus
from services.medication import store
from services.medication.domain import overview as domain
from services.medication.domain.overview import (
    Changed,
    Command,
    Patient,
    Refused,
    Repeated,
    Unchanged,
)
from services.medication.store import Applied

SOURCE = "nl.herhaal/medication"

INPUTS = (topics.MEDICATION_CHANGES, topics.MEDICATION_STATUS)

log = structlog.get_logger()


@dataclass
class Work:
    """One batch: the patients as they stand, and what of them is to be saved."""

    patients: dict[str, Patient]
    changed: set[str] = field(default_factory=set)
    """Patients with another overview than was loaded."""
    observed: set[str] = field(default_factory=set)
    """Patients of whom only `seen_version` may differ."""
    applied: list[Applied] = field(default_factory=list)
    healed: int = 0
    newest: datetime | None = None
    """The broker's time of the newest message (UTC)."""

    def patient(self, key: str) -> Patient:
        """A patient as it stands, empty when not known yet."""
        return self.patients.get(key, Patient())


class MedicationHandler:
    """Loads, decides and saves."""

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> Work:
        """The overviews of these messages' patients, and which of these changes were applied."""
        patients = {message.key for message in messages}
        changes = {
            (m.key, m.body.change_id)
            for m in messages
            if isinstance(m.body, MedicationImport | MedicationSetStatus)
        }
        loaded = await store.patients(db, patients) if patients else {}
        applied = await store.applied(db, changes) if changes else {}
        for (patient, change_id), digest in applied.items():
            known = loaded.get(patient, Patient())
            loaded[patient] = domain.remember(known, change_id, digest)
        return Work(loaded, newest=max((m.at for m in messages), default=None))

    def handle(self, message: Message[Any], work: Work) -> Done | Rejected:
        """Decide one message."""
        match message.body:
            case MedicationImport() | MedicationSetStatus() as command:
                return self._change(command, message, work)
            case MedicationOverview() | None:
                return self._observe(message, work)
            case _:
                return Rejected("not_handled")

    def save(self, work: Work, writes: Writes) -> None:
        """Write what changed, and forget changes that no record can repeat any more."""
        if work.changed:
            store.save_overviews(writes, [work.patients[key] for key in work.changed])
        if seen := work.observed - work.changed:
            store.save_seen(writes, {key: work.patients[key].seen_version for key in seen})
        if work.applied and work.newest:
            store.save_applied(writes, work.applied)
            too_old = work.newest - store.REMEMBERED
            store.forget_applied(writes, too_old, at_most=2 * len(work.applied))
        if work.healed:
            log.warning("late overviews met, newest published again", records=work.healed)

    def _change(self, command: Command, message: Message[Any], work: Work) -> Done | Rejected:
        digest = digest_of(command)
        result = domain.decide(command, digest, work.patient(message.key), message.at)
        match result:
            case Refused(code):
                return Rejected(code)
            case Repeated():
                return Done()
            case Unchanged(patient):
                overview = None
            case Changed(patient, overview):
                work.changed.add(message.key)
            case _:
                assert_never(result)
        work.patients[message.key] = patient
        work.applied.append(Applied(message.key, command.change_id, digest, message.at))
        return Done((record_of(overview, message.traceparent),)) if overview else Done()

    def _observe(self, message: Message[Any], work: Work) -> Done:
        before = work.patient(message.key)
        observed = domain.observe(before, message.body)
        if observed.patient.seen_version != before.seen_version:
            work.observed.add(message.key)
        work.patients[message.key] = observed.patient
        if observed.publish_again is None:
            return Done()
        work.healed += 1
        return Done((record_of(observed.publish_again, message.traceparent),))


def overview_id(overview: MedicationOverview) -> str:
    """The id of an overview's record: the same whenever the same version is published."""
    return event_id(overview.TYPE, overview.patient, overview.version)


def record_of(overview: MedicationOverview, traceparent: str | None) -> Outgoing:
    """The record that tells everybody of an overview, the same whenever it is published."""
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
