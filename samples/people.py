"""Makes up patients with realistic overviews. Nobody here exists; for the codes see `samples.codes`."""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from schemas.base import Actor, Role
from schemas.records.medication import Authorisation, Medication, MedicationImport, Status

_NAMESPACE = UUID("0d3b6e5c-55f4-5a86-9d0f-3f6d1a6f0f11")


@dataclass(frozen=True)
class Medicine:
    """A medicine as an overview lists it; `quantity` of `unit` lasts `days` days."""

    prk: str
    name: str
    dosage: str
    quantity: int
    unit: str
    days: int
    high_risk: bool = False


CHRONIC = (
    Medicine("5487", "Metformine tablet 500 mg", "2x daags 1", 180, "stuk", 90),
    Medicine("34371", "Omeprazol capsule msr 20 mg", "1x daags 1", 90, "stuk", 90),
    Medicine("61034", "Simvastatine tablet 40 mg", "1x daags 1, voor de nacht", 90, "stuk", 90),
    Medicine("9210", "Metoprololsuccinaat tablet mga 50 mg", "1x daags 1", 90, "stuk", 90),
    Medicine("28770", "Levothyroxine tablet 75 microgram", "1x daags 1, nuchter", 90, "stuk", 90),
    Medicine("73512", "Amlodipine tablet 5 mg", "1x daags 1", 90, "stuk", 90),
    Medicine(
        "17728", "Salbutamol aerosol 100 microgram/dosis", "zo nodig 1-2 pufjes", 200, "dosis", 60
    ),
    Medicine("45519", "Enalapril tablet 10 mg", "1x daags 1", 90, "stuk", 90),
    Medicine("11800", "Hydrochloorthiazide tablet 12,5 mg", "1x daags 1", 90, "stuk", 90),
    Medicine("80233", "Macrogol/elektrolyten poeder", "1x daags 1 sachet", 60, "stuk", 60),
    Medicine("2402", "Acenocoumarol tablet 1 mg", "volgens doseerkalender", 90, "stuk", 30, True),
    Medicine("90115", "Methotrexaat tablet 2,5 mg", "1x per week 4", 16, "stuk", 28, True),
)
TEMPORARY = (
    Medicine("21105", "Amoxicilline capsule 500 mg", "3x daags 1", 21, "stuk", 7),
    Medicine("66125", "Prednisolon tablet 30 mg", "1x daags 1", 7, "stuk", 7),
    Medicine("50873", "Diclofenac tablet msr 50 mg", "2x daags 1", 20, "stuk", 10),
)
STOPPED = (
    Medicine("30015", "Nitrofurantoïne capsule mga 100 mg", "2x daags 1", 10, "stuk", 5),
    Medicine("42218", "Codeïne tablet 10 mg", "zo nodig 1", 30, "stuk", 10),
)
UNLISTED = Medicine("70009", "Ibuprofen tablet 600 mg", "", 30, "stuk", 10)
"""A medicine that is in nobody's overview."""

GP = Actor(role=Role.GP, id="demo-gp")

AUTHORISED = Authorisation(by=Role.GP, on=date(2026, 1, 5), until=date(2099, 12, 31))
"""A GP's permission to repeat."""
ENDED = Authorisation(by=Role.GP, on=date(2025, 1, 6), until=date(2026, 1, 4))


UNCONNECTED = "02999999"
"""A pharmacy that is in no directory."""


@dataclass(frozen=True)
class Course:
    """What an overview says of one patient's use of a chronic medicine. Days are before today."""

    ordered_days_ago: int = 85
    authorisation: Authorisation | None = AUTHORISED
    control_days_ago: int | None = None
    specialist: bool = False
    weekly_packing: bool = False
    repeat_service: bool = False


USUAL = Course()
SPECIAL = (
    Course(ordered_days_ago=15),
    Course(ordered_days_ago=500),
    Course(authorisation=ENDED),
    Course(authorisation=None),
    Course(authorisation=None, specialist=True),
    Course(control_days_ago=10),
    Course(control_days_ago=90),
    Course(weekly_packing=True),
    Course(repeat_service=True),
)
"""Each gives a reason of its own; a check that was due ten days ago gives a signal."""


@dataclass(frozen=True)
class Patient:
    """A made-up patient; the overview of a `late` one arrives after the first order.

    `course` is that of the first chronic medicine.
    """

    id: str
    practice: str
    pharmacy: str
    chronic: tuple[Medicine, ...]
    temporary: tuple[Medicine, ...]
    stopped: tuple[Medicine, ...]
    late: bool
    course: Course = USUAL


def patients(
    count: int, practices: tuple[str, ...], pharmacies: tuple[str, ...], rng: random.Random
) -> list[Patient]:
    """Make this many patients of these practices, each with a pharmacy.

    Every twentieth is late, every fortieth has an unconnected pharmacy, every fifth a special course.
    """
    return [
        Patient(
            id=f"pat_demo{number:04d}",
            practice=practices[number % len(practices)],
            pharmacy=UNCONNECTED if number % 40 == 20 else rng.choice(pharmacies),
            chronic=tuple(rng.sample(CHRONIC, rng.randint(2, 6))),
            temporary=tuple(rng.sample(TEMPORARY, rng.randint(0, 2))),
            stopped=tuple(rng.sample(STOPPED, rng.randint(0, 1))),
            late=number % 20 == 19,
            course=SPECIAL[number // 5 % len(SPECIAL)] if number % 5 == 1 else USUAL,
        )
        for number in range(count)
    ]


def overview(patient: Patient, today: date) -> MedicationImport:
    """Make the command with which the practice's system imports a patient's overview."""
    first, *others = patient.chronic
    return MedicationImport(
        change_id=uuid5(_NAMESPACE, patient.id),
        patient=patient.id,
        by=GP,
        practice=patient.practice,
        medications=(
            _chronic(first, patient.course, today),
            *(_chronic(medicine, USUAL, today) for medicine in others),
            *(_entry(medicine, Status.TEMPORARY) for medicine in patient.temporary),
            *(_entry(medicine, Status.STOPPED) for medicine in patient.stopped),
        ),
    )


def _chronic(medicine: Medicine, course: Course, today: date) -> Medication:
    due = course.control_days_ago
    return _entry(medicine, Status.CHRONIC).model_copy(
        update={
            "last_ordered_on": (today - timedelta(days=course.ordered_days_ago)).isoformat(),
            "authorisation": course.authorisation,
            "control_due": today - timedelta(days=due) if due is not None else None,
            "specialist": course.specialist,
            "weekly_packing": course.weekly_packing,
            "repeat_service": course.repeat_service,
        }
    )


def _entry(medicine: Medicine, status: Status) -> Medication:
    return Medication(
        prk=medicine.prk,
        medicine=medicine.name,
        status=status,
        dosage=medicine.dosage,
        quantity=Decimal(medicine.quantity),
        unit=medicine.unit,
        days_supply=medicine.days,
        high_risk=medicine.high_risk,
    )
