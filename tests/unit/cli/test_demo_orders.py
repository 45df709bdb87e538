"""The demo's patients and orders: most lines are simply approved, and most reasons occur."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cli.demo.run import EXAMPLE
from cli.directory import read_directory
from samples.orders import orders
from samples.people import Patient, overview, patients
from schemas.base import Actor, Role
from schemas.records.directory import Pharmacy
from schemas.records.medication import Change, Medication, MedicationOverview
from schemas.records.orders import DecidedLine, Outcome, Signal
from services.ordering.domain import decisions
from services.ordering.domain.history import History, with_order
from services.ordering.domain.knowledge import Context
from services.ordering.domain.overview import Overview, read_overview

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
DIRECTORY = read_directory(EXAMPLE)
POLICIES = {practice.agb: practice.policy for practice in DIRECTORY.practices}
PHARMACIES = {p.agb: Pharmacy(**p.model_dump(), version=1) for p in DIRECTORY.pharmacies}


def people(count: int, seed: int) -> list[Patient]:
    return patients(count, tuple(POLICIES), tuple(PHARMACIES), random.Random(seed))


def listed(patient: Patient) -> Overview:
    """The overview as medication publishes it."""
    command = overview(patient, NOW.date())
    change = Change(
        change_id=command.change_id, kind="import", by=Actor(role=Role.GP, id="demo-gp")
    )
    return read_overview(
        MedicationOverview(
            patient=patient.id,
            practice=patient.practice,
            version=1,
            changed_at=NOW,
            change=change,
            medications=tuple(m for m in command.medications if isinstance(m, Medication)),
        )
    )


def lines(count: int, seed: int) -> Iterator[DecidedLine]:
    """Decide these orders, a second apart, and return the decisions on their lines."""
    patients_ = people(count, seed)
    overviews = {patient.id: listed(patient) for patient in patients_}
    histories: dict[str, History] = {}
    for number, order in enumerate(orders(patients_, count, random.Random(seed))):
        at, history = NOW + timedelta(seconds=number), histories.get(order.patient, ())
        pharmacy, policy = PHARMACIES.get(order.pharmacy), POLICIES[order.practice]
        context = Context(overviews[order.patient], pharmacy, policy, 1, history=history)
        placed = decisions.place(order, at, context)
        after = decisions.apply_placed(order, "", placed).order
        histories[order.patient] = with_order(history, after, at)
        yield from placed.event.lines


def test_most_lines_are_approved_and_the_others_say_why() -> None:
    decided = [*lines(200, seed=1)]
    outcomes = Counter(line.outcome for line in decided)
    assert 0.5 < outcomes[Outcome.APPROVED] / len(decided) < 0.75
    assert outcomes.keys() >= {Outcome.REVIEW, Outcome.E_CONSULT, Outcome.REFUSED}
    assert {signal for line in decided for signal in line.signals} == {Signal.CONTROL_DUE}


def test_a_default_demo_has_almost_every_reason() -> None:
    codes = {reason.code.value for line in lines(200, seed=1) for reason in line.reasons}
    assert codes >= {
        *("NOT_IN_OVERVIEW", "TEMPORARY_MEDICATION", "STOPPED_MEDICATION", "DUPLICATE_ORDER"),
        *("COVERED_BY_REPEAT_SERVICE", "TOO_EARLY", "AUTHORISATION_EXPIRED", "NOT_AUTHORISED"),
        *("HIGH_RISK_MEDICATION", "REMARK_NEEDS_READING", "LARGER_SUPPLY", "UNKNOWN_PHARMACY"),
        *("QUANTITY_ABOVE_LIMIT", "RESTART_AFTER_GAP", "SPECIALIST_MEDICINE", "WEEKLY_PACKING"),
        "CONTROL_OVERDUE",
    }


def test_nobody_orders_again_before_everybody_has_ordered() -> None:
    """Given as many orders as patients; then who orders more than once orders the same."""
    placed = orders(people(100, seed=1), 100, random.Random(1))
    assert len({order.order_id for order in placed}) == 100
    assert len({(order.patient, order.lines) for order in placed}) == 96
    assert len({order.patient for order in placed}) == 96
