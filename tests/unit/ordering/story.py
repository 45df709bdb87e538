"""Given/when/then for ordering: the real handler on an in-memory unit of work, without I/O."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Self, TypeAlias
from uuid import UUID

from runtime.loop.handler import Done, Rejected
from runtime.messages.message import Message, Outgoing, Timer
from runtime.postgres.identity_map import IdentityMap
from runtime.systems import Systems
from schemas.base import Body
from schemas.reasons import ReasonCode
from schemas.records.directory import Pharmacy, Policy, Practice, Processing, System
from schemas.records.medication import Change, Medication, MedicationOverview
from schemas.records.orders import Outcome
from schemas.topic_lookup import of_system
from schemas.topics import MEDICATION_STATUS, ORDERS_REQUESTS, ORDERS_REVIEWS, Topic, all_bodies
from services.ordering.domain.order import Order
from services.ordering.domain.overview import read_overview
from services.ordering.handlers import OrderingHandler
from services.ordering.work import Work
from tests.harness.made import GP, PHARMACY, PRACTICE, entry
from tests.harness.records import Delivered, delivered, envelope

ANNA = "pat_anna0001"
BERT = "pat_bert0002"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

Expected: TypeAlias = tuple[Outcome, list[ReasonCode]]

_TOPICS: dict[type[Body], Topic] = {
    body: topic
    for topic in (ORDERS_REQUESTS, ORDERS_REVIEWS, MEDICATION_STATUS)
    for body in topic.bodies
}
_changes = count(1)


def overview(
    *medications: Medication, patient: str = ANNA, practice: str = PRACTICE, version: int = 1
) -> MedicationOverview:
    """A patient's overview; chronic metformine by default."""
    return MedicationOverview(
        patient=patient,
        practice=practice,
        version=version,
        changed_at=NOON,
        change=Change(change_id=UUID(int=next(_changes)), kind="import", by=GP),
        medications=medications or (entry(),),
    )


def practice(policy: Policy | None = None, version: int = 3) -> Practice:
    """The practice of the made-up orders, with this policy."""
    return Practice.model_validate_json(
        Practice(
            agb=PRACTICE,
            name="Huisartsenpraktijk De Linde",
            region="Lindewaard",
            list_size=4250,
            phone="0123-456710",
            opening_hours="Mo-Fr 08:00-17:00",
            processing=_processing(),
            policy=policy or Policy(),
            version=version,
        ).model_dump_json()
    )


def _processing() -> Processing:
    return Processing.model_validate_json(
        '{"cutoff": "11:00", "working_days": 2, "ready_from": "15:30"}'
    )


def pharmacy(*, repeat_service: bool = True) -> Pharmacy:
    """The pharmacy of the made-up orders."""
    return Pharmacy(
        agb=PHARMACY,
        name="Apotheek De Gouden Vijzel",
        address="Marktplein 4",
        city="Lindewaard",
        phone="0123-456730",
        opening_hours="Mo-Fr 08:30-17:30",
        repeat_service=repeat_service,
        version=1,
    )


@dataclass
class Story:
    """One batch: its unit of work, and the handler's answer to each record."""

    handler: OrderingHandler
    work: Work = field(default_factory=Work)
    answers: list[Done | Rejected] = field(default_factory=list)

    def when(
        self,
        *bodies: Body,
        at: datetime = NOON,
        traceparent: str | None = TRACE,
        source: str = "urn:portal:test",
        system: str | None = None,
        through: str = "",
    ) -> "Story":
        """Handle these records of this source, or of an outside system, with the append time `at`.

        `through` is the system that the header names, as our API writes it.
        """
        for body in bodies:
            headers = envelope(type(body), ce_source=source, ce_through=through)
            topic = _TOPICS[type(body)]
            record = delivered(of_system(topic, system) if system else topic, body, headers=headers)
            self.take(record, body, at, traceparent)
        return self

    def when_removed(self, patient: str) -> "Story":
        """Handle a tombstone for this patient's overview."""
        record = Delivered(MEDICATION_STATUS.name, patient.encode(), None, [])
        self.take(record, None, NOON, None)
        return self

    def take(
        self, record: Delivered, body: Body | None, at: datetime, traceparent: str | None
    ) -> None:
        """Handle one record."""
        key = (record.key or b"").decode()
        message = Message("some-id", key, body, at, traceparent, record)
        self.answers.append(self.handler.handle(message, self.work))

    def next_batch(self) -> Self:
        """Start another batch on what this one saved."""
        work = Work(
            IdentityMap(dict(self.work.orders.current)),
            dict(self.work.overviews),
            histories=dict(self.work.histories),
        )
        return type(self)(self.handler, work)

    @property
    def last(self) -> Done:
        """The answer to the last record, which was not rejected."""
        answer = self.answers[-1]
        assert isinstance(answer, Done), answer
        return answer

    @property
    def rejected(self) -> str | None:
        """Why the last record was rejected; None when it was not."""
        answer = self.answers[-1]
        return answer.reason if isinstance(answer, Rejected) else None

    @property
    def published(self) -> list[Outgoing]:
        """All published records, in order."""
        return [r for a in self.answers if isinstance(a, Done) for r in a.records]

    @property
    def timers(self) -> list[Timer]:
        """All timers that were set."""
        return [t for a in self.answers if isinstance(a, Done) for t in a.timers]

    @property
    def order(self) -> Order:
        """The current state of the only order."""
        (order,) = self.work.orders.current.values()
        return order

    def bodies(self, *types: type[Body]) -> list[Any]:
        """The published bodies of these types; all by default."""
        published = [body_of(record) for record in self.published]
        return [body for body in published if not types or isinstance(body, types)]

    def then(self, *lines: Expected) -> None:
        """Check the outcomes and reasons of the lines of the only order."""
        assert [(n.outcome, [r.code for r in n.reasons]) for n in self.order.lines] == [*lines]

    def then_nothing(self) -> None:
        """Check that the last record was not rejected, and that nothing is published."""
        assert self.answers[-1] == Done()


def given(
    *overviews: MedicationOverview,
    policy: Policy | None = None,
    practice_in_directory: bool = True,
    pharmacy_in_directory: bool = True,
    pharmacy_repeats: bool = True,
    systems: tuple[System, ...] = (),
) -> Story:
    """Start with these overviews and this directory."""
    practices = {PRACTICE: practice(policy)} if practice_in_directory else {}
    pharmacies = (
        {PHARMACY: pharmacy(repeat_service=pharmacy_repeats)} if pharmacy_in_directory else {}
    )
    work = Work(overviews={o.patient: read_overview(o) for o in overviews})
    served = Systems({system.name: system for system in systems}, practices)
    return Story(OrderingHandler(practices, pharmacies, served), work)


def body_of(record: Outgoing) -> Body:
    """Read the body of an outgoing record by the type in its header."""
    return all_bodies()[header(record, "ce_type")].model_validate_json(record.value or b"")


def header(record: Outgoing, name: str) -> str:
    """A header's text."""
    return next(value.decode() for n, value in record.headers if n == name and value)


def seqs(bodies: Iterable[Any]) -> list[int]:
    """The `seq` of each event."""
    return [body.seq for body in bodies]


def later(minutes: float) -> datetime:
    """This many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def approved() -> Expected:
    """The line is approved."""
    return (Outcome.APPROVED, [])


def review(*reasons: ReasonCode) -> Expected:
    """The line is in review."""
    return (Outcome.REVIEW, [*reasons])


def refused(*reasons: ReasonCode) -> Expected:
    """The line is refused for exactly these reasons."""
    return (Outcome.REFUSED, [*reasons])


def e_consult() -> Expected:
    """The patient is sent to an e-consult."""
    return (Outcome.E_CONSULT, [ReasonCode.NOT_IN_OVERVIEW])


def repeat_service() -> Expected:
    """The pharmacy's repeat service supplies it already."""
    return (Outcome.REPEAT_SERVICE, [ReasonCode.COVERED_BY_REPEAT_SERVICE])


def waits() -> Expected:
    """The line waits for the patient's overview."""
    return (Outcome.WAITING, [ReasonCode.STATUS_NOT_KNOWN_YET])


def cancelled(*reasons: ReasonCode) -> Expected:
    """The line was cancelled."""
    return (Outcome.CANCELLED, [*reasons])
