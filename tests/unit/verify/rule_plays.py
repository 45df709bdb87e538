"""What the rules of ordering decide: signals, withdrawals, duplicates, repeats, who reviews."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from schemas import topics
from schemas.base import RiskClass, Role
from schemas.records.medication import Authorisation, Medication, Status
from schemas.records.orders import OrderLine, OrderPlace, Outcome
from tests.harness.made import (
    METFORMINE,
    OMEPRAZOL,
    PRACTICE,
    a_cancellation,
    an_import,
    an_order,
    entry,
)
from tests.unit.verify.plays import a_review, a_status, acknowledged, operation
from tests.unit.verify.world import REVIEWING, WITHDRAWING, World
from verify.history import Operation

_DAY_S = 24 * 60 * 60

ONCE = Authorisation(by=Role.GP, on=date(2026, 1, 5), until=date(2027, 12, 31), repeats=1)
"""Good for one order."""


def rules_at_work(world: World) -> Iterator[Operation]:
    """Every play of this module."""
    for play in (_signals, _withdrawals, _by_the_practice, _together_late, _repeats, _reviews):
        yield from play(world)


class _Patient:
    """Somebody with an overview, at a practice."""

    def __init__(
        self, world: World, name: str, *entries: Medication, practice: str = PRACTICE
    ) -> None:
        self._world = world
        self._practice = practice
        self.name = name
        change = an_import(name, *(entries or (entry(),)), practice=practice)
        world.send(topics.MEDICATION_CHANGES, change)

    def order(self, *what: tuple[str, str], **changes: Any) -> OrderPlace:
        """Place an order."""
        order = an_order(self.name, *what, practice=self._practice, **changes)
        self._world.send(topics.ORDERS_REQUESTS, order)
        return order

    def decide(self, order: OrderPlace, outcome: Outcome, line: int = 1) -> Operation:
        """Have a GP decide a line."""
        review = a_review(order.order_id, self.name, outcome, line)
        return acknowledged(
            self._world.send(topics.ORDERS_REVIEWS, review), "review", order.order_id
        )

    def set(self, what: tuple[str, str], status: Status) -> None:
        """Have a GP change a medicine."""
        self._world.send(topics.MEDICATION_CHANGES, a_status(self.name, what, status))


def _signals(world: World) -> Iterator[Operation]:
    """Two approved medicines are stopped: a GP withdraws one and keeps the other, a third nobody looks at."""
    patient = _Patient(world, "pat_signal001", entry(METFORMINE), entry(OMEPRAZOL))
    order = patient.order(METFORMINE, OMEPRAZOL)
    yield operation(order.order_id)
    patient.set(METFORMINE, Status.STOPPED)
    patient.set(OMEPRAZOL, Status.TEMPORARY)
    yield patient.decide(order, Outcome.REFUSED)
    yield patient.decide(order, Outcome.APPROVED, line=2)
    other = _Patient(world, "pat_signal002")
    yield operation(other.order().order_id)
    other.set(METFORMINE, Status.STOPPED)


def _withdrawals(world: World) -> Iterator[Operation]:
    """A practice whose policy withdraws what is stopped."""
    patient = _Patient(world, "pat_stopped01", practice=WITHDRAWING)
    yield operation(patient.order().order_id)
    patient.set(METFORMINE, Status.STOPPED)


def _by_the_practice(world: World) -> Iterator[Operation]:
    """A pharmacy that is not connected: a GP approves, the practice sends it, the patient cancels."""
    patient = _Patient(world, "pat_farmacy01")
    order = patient.order(pharmacy="02999777")
    yield operation(order.order_id)
    yield patient.decide(order, Outcome.APPROVED)
    world.send(topics.ORDERS_REQUESTS, a_cancellation(order))
    yield operation(order.order_id, f="cancel")


def _together_late(world: World) -> Iterator[Operation]:
    """Two orders of one medicine wait for one overview; one waits in vain, until it comes after all."""
    orders = [an_order("pat_twice0001"), an_order("pat_twice0001"), an_order("pat_vain00001")]
    for order in orders:
        world.send(topics.ORDERS_REQUESTS, order)
        yield operation(order.order_id)
    world.send(topics.MEDICATION_CHANGES, an_import("pat_twice0001"))
    world.pass_time(3700)
    world.send(topics.MEDICATION_CHANGES, an_import("pat_vain00001"))


def _repeats(world: World) -> Iterator[Operation]:
    """An authorisation for one order: a cancelled one gives it back, the next one uses it up."""
    patient = _Patient(world, "pat_repeats01", entry(authorisation=ONCE, dosage="1x daags 2"))
    for cancelled in (True, False):
        order = patient.order(lines=(OrderLine(line=1, prk=METFORMINE[0], medicine="metformine"),))
        yield operation(order.order_id)
        if cancelled:
            world.send(topics.ORDERS_REQUESTS, a_cancellation(order))
            yield operation(order.order_id, f="cancel")
    yield operation(patient.order().order_id)
    world.pass_time(100 * _DAY_S)
    yield operation(patient.order().order_id)


def _reviews(world: World) -> Iterator[Operation]:
    """Lines that a person decides, for the medicine or because the practice wants it so."""
    careful = _Patient(world, "pat_careful01", entry(risk_class=RiskClass.A, weekly_packing=True))
    yield operation(careful.order().order_id)
    everything = _Patient(world, "pat_reviewed1", practice=REVIEWING)
    yield operation(everything.order().order_id)
