"""Made-up orders and overviews, valid unless a test changes their fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from schemas.base import Actor, Channel, Model, PlacedBy, Role
from schemas.records.medication import (
    Authorisation,
    Dispensed,
    FlawedEntry,
    Medication,
    MedicationImport,
    Status,
)
from schemas.records.orders import OrderCancel, OrderLine, OrderPlace

PRACTICE = "01999001"
PHARMACY = "02999001"

GP = Actor(role=Role.GP, id="gp-1")

AUTHORISED = Authorisation(by=Role.GP, on=date(2026, 1, 5), until=date(2099, 12, 31))
"""A GP's permission to repeat, which does not end while a test runs."""

FREELY: Mapping[str, Any] = {
    "dosage": "zo nodig 1",
    "dispensed": (Dispensed(on=date(2099, 12, 31), quantity=Decimal(180)),),
}
"""Fields of an entry that is never too early nor under way: used as needed, and supplied after any order."""

METFORMINE = ("5487", "Metformine 500 mg tablet")
AMOXICILLINE = ("21105", "Amoxicilline 500 mg capsule")
OMEPRAZOL = ("34371", "Omeprazol 20 mg capsule")
SIMVASTATINE = ("61034", "Simvastatine 40 mg tablet")

_numbers = count(1)


def a_patient() -> str:
    """A patient that no other test uses."""
    return f"pat_test{uuid4().hex[:12]}{next(_numbers):04d}"


def entry(
    what: tuple[str, str] = METFORMINE, status: Status = Status.CHRONIC, **changes: Any
) -> Medication:
    """One medicine of an overview, which a GP has authorised for this patient."""
    fields: dict[str, Any] = {
        "prk": what[0],
        "medicine": what[1],
        "status": status,
        "dosage": "1x daags 1",
        "quantity": 180,
        "unit": "stuk",
        "days_supply": 90,
        "authorisation": AUTHORISED,
    }
    return Medication(**(fields | changes))


def an_import(
    patient: str, *medications: Medication | FlawedEntry, practice: str = PRACTICE
) -> MedicationImport:
    """A practice system's import of a patient's overview."""
    return MedicationImport(
        change_id=uuid4(),
        patient=patient,
        by=GP,
        practice=practice,
        medications=medications or (entry(),),
    )


def an_order(
    patient: str,
    *medicines: tuple[str, str],
    order_id: UUID | None = None,
    quantity: int = 90,
    **changes: Any,
) -> OrderPlace:
    """An order of these medicines; of metformine when there are none."""
    fields: dict[str, Any] = {
        "order_id": order_id or uuid4(),
        "patient": patient,
        "practice": PRACTICE,
        "pharmacy": PHARMACY,
        "channel": Channel.PORTAL,
        "placed_by": PlacedBy(role=Role.PATIENT, id=patient),
        "lines": _lines(medicines or (METFORMINE,), quantity),
    }
    return OrderPlace(**(fields | changes))


def a_cancellation(order: OrderPlace) -> OrderCancel:
    """The patient's cancellation of an order."""
    by = Actor(role=Role.PATIENT, id=order.patient)
    return OrderCancel(order_id=order.order_id, patient=order.patient, cancelled_by=by)


def as_json(body: Model) -> dict[str, Any]:
    """A body, or a part of one, as a client sends it over HTTP."""
    return body.model_dump(mode="json", by_alias=True)


def _lines(medicines: Sequence[tuple[str, str]], quantity: int) -> tuple[OrderLine, ...]:
    return tuple(
        OrderLine(line=number, prk=prk, medicine=name, quantity=Decimal(quantity))
        for number, (prk, name) in enumerate(medicines, start=1)
    )


@dataclass(frozen=True)
class Sent:
    """A record to send to Kafka; when `partition` is None its key decides."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    partition: int | None = None
