"""What people do in a clean case: orders, reviews, cancellations, and records that are wrong."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

from schemas import topics
from schemas.base import PlacedBy, Role
from schemas.records.medication import FlawedEntry, MedicationSetStatus, Status
from schemas.records.orders import OrderReview, Outcome
from tests.harness.made import (
    AMOXICILLINE,
    GP,
    METFORMINE,
    OMEPRAZOL,
    a_cancellation,
    an_import,
    an_order,
    entry,
)
from tests.unit.verify.world import World
from verify.history import Operation
from verify.rows import KafkaRecord

PATIENTS = 16
"""Who of them orders a second time has the medicine under way already."""

_WRONG = ("medicine", "status", "dosage", "quantity", "unit")
"""The fields that one entry of each patient's list lacks."""


def operation(
    order_id: UUID, outcome: Any = "ok", f: Any = "place", via: Any = "http"
) -> Operation:
    """An operation with its outcome."""
    return Operation(uuid4(), f, via, order_id, outcome)


def acknowledged(record: KafkaRecord, f: Any, order_id: UUID) -> Operation:
    """An operation that Kafka acknowledged."""
    return Operation(uuid4(), f, "kafka", order_id, "ok", record.partition, record.offset)


def a_review(
    order_id: UUID, patient: str, outcome: Any = Outcome.APPROVED, line: int = 1
) -> OrderReview:
    """A GP's decision on a line."""
    return OrderReview(
        order_id=order_id, patient=patient, line=line, outcome=outcome, decided_by=GP
    )


def a_status(
    patient: str, what: tuple[str, str] = OMEPRAZOL, status: Status = Status.STOPPED
) -> MedicationSetStatus:
    """A GP stops a medicine, or makes it temporary."""
    return MedicationSetStatus(
        change_id=uuid4(), patient=patient, by=GP, prk=what[0], status=status
    )


def ordinary_orders(world: World, orders: int) -> Iterator[Operation]:
    """Orders of one or two medicines, some of them cancelled."""
    patients = [f"pat_made{number:04d}" for number in range(PATIENTS)]
    for patient in patients:
        yield _imported(world, patient)
    for number in range(orders):
        patient = patients[number % PATIENTS]
        order = an_order(patient, METFORMINE, *((AMOXICILLINE,) if number % 3 else ()))
        world.send(topics.ORDERS_REQUESTS, order)
        yield operation(order.order_id)
        if number % 6 == 0:
            world.send(topics.ORDERS_REQUESTS, a_cancellation(order))
            yield operation(order.order_id, f="cancel")


def _imported(world: World, patient: str) -> Operation:
    change = an_import(
        patient,
        entry(METFORMINE),
        entry(OMEPRAZOL),
        entry(OMEPRAZOL, dosage="zo nodig 1 extra"),
        entry(AMOXICILLINE, Status.TEMPORARY),
        FlawedEntry(readable={"prk": "1007"}, wrong=_WRONG),
    )
    world.send(topics.MEDICATION_CHANGES, change)
    return operation(change.change_id, f="import", via="kafka")


def special_cases(world: World) -> Iterator[Operation]:
    """What else a client does: sends again, contradicts itself, sends what cannot be read or is unknown."""
    requests, patient = topics.ORDERS_REQUESTS, "pat_special01"
    yield _imported(world, patient)
    reviewed = an_order(patient, METFORMINE, OMEPRAZOL, remark="graag voor vier maanden")
    world.send(requests, reviewed)
    world.send(requests, reviewed)
    yield operation(reviewed.order_id, "unknown")
    yield operation(reviewed.order_id, "fail")
    for line, outcome in ((1, Outcome.APPROVED), (2, Outcome.REFUSED), (2, Outcome.REFUSED)):
        review = a_review(reviewed.order_id, patient, outcome, line)
        yield acknowledged(world.send(topics.ORDERS_REVIEWS, review), "review", reviewed.order_id)
    world.send(requests, a_cancellation(reviewed))
    world.send(requests, a_cancellation(an_order(patient)))
    world.send(requests, an_order(patient, OMEPRAZOL, order_id=reviewed.order_id))
    broken = world.send(requests, an_order(patient), value=b'{"order_id": ')
    yield acknowledged(broken, "place", uuid4())
    astray = an_order(patient, placed_by=PlacedBy(role=Role.ASSISTANT, id="assistant-1"))
    home = broken.partition
    world.send(requests, astray, partition=(home + 1) % 8)
    yield operation(astray.order_id, via="kafka")
    yield operation(uuid4(), "fail")
    yield operation(uuid4(), "unknown")
    stop = a_status(patient)
    yield acknowledged(world.send(topics.MEDICATION_CHANGES, stop), "set_status", stop.change_id)
    unknown = a_status(f"{patient}-unknown")
    sent = world.send(topics.MEDICATION_CHANGES, unknown)
    yield acknowledged(sent, "set_status", unknown.change_id)
    otherwise = a_review(reviewed.order_id, patient, Outcome.REFUSED)
    sent = world.send(topics.ORDERS_REVIEWS, otherwise)
    yield acknowledged(sent, "review", reviewed.order_id)
    world.publish_again(world.topics[topics.ORDERS_EVENTS.name, home][-2:])


def waiting_orders(world: World) -> Iterator[Operation]:
    """Orders whose overview comes later, never, or not yet; the second one's timer fires."""
    later, never, not_yet = (an_order(f"pat_late{n:04d}") for n in range(3))
    for order in (later, never):
        world.send(topics.ORDERS_REQUESTS, order)
    world.send(topics.MEDICATION_CHANGES, an_import(later.patient))
    world.pass_time(3700)
    world.send(topics.ORDERS_REQUESTS, not_yet)
    for order in (later, never, not_yet):
        yield operation(order.order_id)
