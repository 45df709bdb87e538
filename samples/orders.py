"""Makes varied orders of made-up patients."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from uuid import uuid4

from samples.people import UNLISTED, Medicine, Patient
from schemas.base import Channel, PlacedBy, Role
from schemas.records.orders import OrderLine, OrderPlace

_CHANNELS = {
    Channel.PORTAL: 70,
    Channel.RECEPTENLIJN: 18,
    Channel.COUNTER: 7,
    Channel.E_CONSULT: 5,
}
"""The share of each channel, in percent."""

_TWICE = 0.03
"""Share of orders that ask again what the one before asked."""

_REMARKS = (
    "Ik ga op vakantie, graag een voorraad voor vier maanden.",
    "Liever van hetzelfde merk als de vorige keer.",
    "Kunt u het laten bezorgen?",
)


def orders(people: Sequence[Patient], count: int, rng: random.Random) -> list[OrderPlace]:
    """Make this many orders: most of chronic medication, some of what cannot be repeated.

    Everybody orders once before anybody orders again, but for the few who order the same twice.
    """
    placed: list[OrderPlace] = []
    for patient in islice(_in_turn(people, rng), count):
        twice = bool(placed) and rng.random() < _TWICE
        placed.append(_again(placed[-1]) if twice else _order(patient, rng))
    return placed


def _in_turn(people: Sequence[Patient], rng: random.Random) -> Iterator[Patient]:
    while True:
        yield from rng.sample(people, len(people))


def _again(order: OrderPlace) -> OrderPlace:
    return order.model_copy(update={"order_id": uuid4()})


def _order(patient: Patient, rng: random.Random) -> OrderPlace:
    channel = rng.choices(list(_CHANNELS), list(_CHANNELS.values()))[0]
    by_patient = channel in (Channel.PORTAL, Channel.E_CONSULT)
    return OrderPlace(
        order_id=uuid4(),
        patient=patient.id,
        practice=patient.practice,
        pharmacy=patient.pharmacy,
        channel=channel,
        placed_by=PlacedBy(
            role=Role.PATIENT if by_patient else Role.ASSISTANT,
            id=patient.id if by_patient else "demo-assistant",
        ),
        lines=tuple(
            OrderLine(line=number, prk=m.prk, medicine=m.name, quantity=_quantity(m, rng))
            for number, m in enumerate(_medicines(patient, rng), start=1)
        ),
        remark=rng.choice(_REMARKS) if rng.random() < 0.06 else None,
        supply_until=_holiday() if rng.random() < 0.03 else None,
    )


def _medicines(patient: Patient, rng: random.Random) -> list[Medicine]:
    first, *others = patient.chronic
    wanted = [first, *rng.sample(others, rng.randint(0, min(2, len(others))))]
    if patient.temporary and rng.random() < 0.12:
        wanted.append(rng.choice(patient.temporary))
    if patient.stopped and rng.random() < 0.08:
        wanted.append(rng.choice(patient.stopped))
    if rng.random() < 0.06:
        wanted.append(UNLISTED)
    return wanted


def _quantity(medicine: Medicine, rng: random.Random) -> Decimal:
    return Decimal(medicine.quantity * 2 if rng.random() < 0.04 else medicine.quantity)


def _holiday() -> date:
    return (datetime.now(UTC) + timedelta(days=120)).date()
