"""Given/when/then for medication: the real handler on an in-memory unit of work, without I/O."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, Self
from uuid import UUID

from runtime.loop.handler import Rejected
from runtime.messages.message import Message, Outgoing
from runtime.messages.parser import Parser
from schemas.base import Body
from schemas.records.medication import (
    Change,
    Medication,
    MedicationImport,
    MedicationOverview,
    MedicationSetStatus,
    Status,
)
from schemas.topics import MEDICATION_CHANGES, MEDICATION_STATUS
from services.medication.domain.overview import Patient
from services.medication.handlers import INPUTS, MedicationHandler, Work
from tests.harness.made import GP, METFORMINE, PRACTICE, entry
from tests.harness.records import APPENDED_MS, Delivered, delivered, envelope

ANNA = "pat_anna0001"
BERT = "pat_bert0002"

_parser = Parser.of(INPUTS)
_changes = count(1)


def import_of(
    *medications: Medication,
    patient: str = ANNA,
    practice: str = PRACTICE,
    change_id: UUID | None = None,
) -> MedicationImport:
    """An import of this whole list."""
    return MedicationImport(
        change_id=change_id or UUID(int=next(_changes)),
        patient=patient,
        by=GP,
        practice=practice,
        medications=medications,
    )


def set_status(
    status: Status,
    prk: str = METFORMINE[0],
    patient: str = ANNA,
    change_id: UUID | None = None,
) -> MedicationSetStatus:
    """A change of one medicine's status."""
    return MedicationSetStatus(
        change_id=change_id or UUID(int=next(_changes)),
        patient=patient,
        by=GP,
        prk=prk,
        status=status,
    )


def overview(
    version: int, *medications: Medication, patient: str = ANNA, practice: str = PRACTICE
) -> MedicationOverview:
    """An overview that is on the topic."""
    return MedicationOverview(
        patient=patient,
        practice=practice,
        version=version,
        changed_at=datetime(2026, 11, 1, tzinfo=UTC),
        change=Change(change_id=UUID(int=next(_changes)), kind="import", by=GP),
        medications=medications or (entry(),),
    )


def body_of(record: Outgoing) -> MedicationOverview:
    """The overview that a published record carries."""
    assert record.topic == MEDICATION_STATUS.name
    assert record.value is not None
    body = MedicationOverview.model_validate_json(record.value)
    assert record.key == body.patient.encode()
    return body


@dataclass
class Story:
    """The unit of work, and what was published and refused since the last `when`."""

    work: Work = field(default_factory=lambda: Work({}))
    published: list[Outgoing] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def when(self, *bodies: Body) -> Self:
        """Handle these records, each a second after the previous one."""
        self.published, self.refused = [], []
        for body in bodies:
            self._handle(_message(body))
        return self

    def when_removed_from_topic(self, patient: str = ANNA) -> Self:
        """Handle a tombstone of this patient on medication.status."""
        removed = overview(1, patient=patient)
        record = delivered(MEDICATION_STATUS, removed, value=None)
        record.headers = envelope(MedicationOverview)
        self.published, self.refused = [], []
        self._handle(_parsed(record))
        return self

    def when_read_back(self) -> Self:
        """Read the published records back."""
        return self.when(*(body_of(record) for record in self.published))

    def patient(self, key: str = ANNA) -> Patient:
        """A patient's current state."""
        return self.work.patient(key)

    def current(self, key: str = ANNA) -> MedicationOverview:
        """A patient's current overview."""
        overview = self.patient(key).overview
        assert overview is not None
        return overview

    def then_published(self, *versions: int) -> Self:
        """Check that these versions were published, in this order, and nothing was refused."""
        assert self.refused == []
        assert [body_of(record).version for record in self.published] == list(versions)
        return self

    def then_nothing(self) -> Self:
        """Check that nothing was published or refused."""
        return self.then_published()

    def then_refused(self, *codes: str) -> Self:
        """Check that nothing was published, and that records were refused with these codes."""
        assert self.published == []
        assert self.refused == list(codes)
        return self

    def _handle(self, message: Message[Any]) -> None:
        result = MedicationHandler().handle(message, self.work)
        if isinstance(result, Rejected):
            self.refused.append(result.reason)
        else:
            self.published.extend(result.records)


def given(*bodies: Body) -> Story:
    """Start with these records handled, and the published records read back."""
    return Story().when(*bodies).when_read_back().then_nothing()


_seconds = count()


def _message(body: Body) -> Message[Any]:
    topic = MEDICATION_STATUS if isinstance(body, MedicationOverview) else MEDICATION_CHANGES
    at = APPENDED_MS + 1000 * next(_seconds)
    return _parsed(delivered(topic, body, timestamp=at))


def _parsed(record: Delivered) -> Message[Any]:
    message = _parser.parse(record)
    assert isinstance(message, Message)
    return message
