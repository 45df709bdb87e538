"""Builders of made-up practices, pharmacies and order events for the tests of notification."""

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from schemas.base import Actor, Channel, PlacedBy, Role
from schemas.reasons import Reason
from schemas.records.directory import Closure, Pharmacy, Practice, Processing
from schemas.records.orders import (
    DecidedLine,
    OrderCancelled,
    OrderDecided,
    OrderLineDecided,
    OrderState,
    Outcome,
)
from schemas.times import AMSTERDAM
from services.notification.domain.calendars import PharmacyCalendar, working_days
from services.notification.domain.decisions import Parties
from services.notification.domain.pickup import NEVER_OPEN, Calendar

ORDER_ID = UUID("0192a5e0-0000-7000-8000-000000000001")
PATIENT = "pat_test0001"
MONDAY = datetime(2026, 11, 23, 9, 12, tzinfo=UTC)
"""10:12 in Amsterdam, on a working day, before the cutoff."""

GP = Actor(role=Role.GP, id="gp-1")
THE_PATIENT = Actor(role=Role.PATIENT, id=PATIENT)


def amsterdam(text: str) -> datetime:
    """Parse a time such as `2026-11-25 15:30`, Europe/Amsterdam."""
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


def a_practice(*closures: Closure, **changes: Any) -> Practice:
    """A practice with cutoff 11:00, two working days, ready from 15:30, unless `processing` is given."""
    fields: dict[str, Any] = {
        "agb": "01999001",
        "version": 3,
        "name": "Huisartsenpraktijk De Linde",
        "region": "Lindewaard",
        "list_size": 4250,
        "phone": "0123-456710",
        "opening_hours": "Mo-Fr 08:00-17:00; PH off",
        "closures": closures,
        "processing": Processing(cutoff=time(11), working_days=2, ready_from=time(15, 30)),
    }
    return Practice(**(fields | changes))


def a_pharmacy(
    hours: str = "Mo-Fr 08:30-12:30,13:30-17:30; Sa 09:00-12:00; PH off",
    *closures: Closure,
    version: int = 1,
) -> Pharmacy:
    """A pharmacy that is open on working days, with a lunch break, and on Saturday morning."""
    return Pharmacy(
        agb="02999001",
        version=version,
        name="Apotheek De Gouden Vijzel",
        address="Marktplein 4",
        city="Lindewaard",
        phone="0123-456730",
        opening_hours=hours,
        closures=closures,
    )


def calendar_of(practice: Practice, pharmacy: Pharmacy) -> Calendar:
    """The calendar of both, as the handler makes it."""
    return Calendar(working_days(practice), PharmacyCalendar().openings(pharmacy))


def parties(practice: Practice | None = None, pharmacy: Pharmacy | None = None) -> Parties:
    """A directory that has both."""
    practice, pharmacy = practice or a_practice(), pharmacy or a_pharmacy()
    return Parties(practice, pharmacy, calendar_of(practice, pharmacy))


def no_parties() -> Parties:
    """A directory that has neither."""
    return Parties(None, None, NEVER_OPEN)


def a_line(medicine: str, outcome: Outcome, *reasons: Reason, number: int = 1) -> DecidedLine:
    """A decided line, quantity 90."""
    return DecidedLine(
        line=number,
        prk="5487",
        medicine=medicine,
        quantity=Decimal(90),
        outcome=outcome,
        reasons=reasons,
    )


def decided(*lines: DecidedLine, at: datetime = MONDAY, **changes: Any) -> OrderDecided:
    """The first event of an order."""
    fields: dict[str, Any] = {
        "order_id": ORDER_ID,
        "seq": 1,
        "patient": PATIENT,
        "practice": "01999001",
        "pharmacy": "02999001",
        "channel": Channel.PORTAL,
        "placed_by": PlacedBy(role=Role.PATIENT, id=PATIENT),
        "placed_at": at,
        "decided_at": at,
        "state": OrderState.PARTLY_APPROVED,
        "lines": lines or (a_line("Metformine 500 mg tablet", Outcome.APPROVED),),
    }
    return OrderDecided(**(fields | changes))


def line_decided(outcome: Outcome, **changes: Any) -> OrderLineDecided:
    """A person decided line 1."""
    fields: dict[str, Any] = {
        "order_id": ORDER_ID,
        "seq": 2,
        "patient": PATIENT,
        "practice": "01999001",
        "pharmacy": "02999001",
        "channel": Channel.PORTAL,
        "line": 1,
        "prk": "5487",
        "medicine": "Metformine 500 mg tablet",
        "outcome": outcome,
        "quantity": 90,
        "decided_by": GP,
        "decided_at": MONDAY,
    }
    return OrderLineDecided(**(fields | changes))


def cancelled(*lines: int, seq: int = 2, by: Actor = THE_PATIENT, **changes: Any) -> OrderCancelled:
    """An order that is cancelled."""
    fields: dict[str, Any] = {
        "order_id": ORDER_ID,
        "seq": seq,
        "patient": PATIENT,
        "practice": "01999001",
        "pharmacy": "02999001",
        "channel": Channel.PORTAL,
        "lines": lines or (1,),
        "cancelled_by": by,
        "cancelled_at": MONDAY,
    }
    return OrderCancelled(**(fields | changes))
