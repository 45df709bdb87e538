"""Makes patients and their medication overviews, each from its number only."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from bench.data.records import InputRecord, envelope, trace, uuid4_text
from bench.data.region import PHARMACIES, PRACTICES, pharmacy_agb, practice_agb
from samples.people import CHRONIC, STOPPED, TEMPORARY, Medicine
from schemas.records.medication import MedicationOverview

CHANGED_AT = "2026-11-02T08:15:00Z"

_PREFIX = "pat_b"
_MEDICINES = (*CHRONIC, *TEMPORARY, *STOPPED)
_STATUSES = ("chronic",) * 22 + ("temporary",) * 2 + ("stopped",)
_LISTS = 5000
"""Number of different lists of medicines, which all patients share."""


@dataclass(frozen=True)
class Population:
    """A number of patients. A patient's number means the same patient in every population."""

    count: int

    def records(self) -> Iterator[InputRecord]:
        """Make every overview, as medication publishes it."""
        return (overview_record(number) for number in range(self.count))

    def record_of(self, patient: str) -> InputRecord:
        """Make the overview of a patient. Raises ValueError for a patient outside the population."""
        number = int(patient.removeprefix(_PREFIX))
        if number >= self.count:
            raise ValueError(f"{patient} is not one of {self.count} patients")
        return overview_record(number)


def patient_id(number: int) -> str:
    """The pseudonym of a patient."""
    return f"{_PREFIX}{number:07d}"


def practice_of(number: int) -> str:
    """The practice of a patient."""
    return practice_agb(number % PRACTICES)


def pharmacy_of(number: int) -> str:
    """The pharmacy of a patient."""
    return pharmacy_agb(number % PHARMACIES)


def medications_of(number: int) -> list[dict[str, Any]]:
    """The medicines of a patient, as the overview lists them."""
    return _medications(number % _LISTS)[0]


def overview_record(number: int) -> InputRecord:
    """The record of a patient's overview."""
    patient = patient_id(number)
    head = (
        f'{{"patient":"{patient}","practice":"{practice_of(number)}","version":{number % 30 + 1},'
        f'"changed_at":"{CHANGED_AT}","change":{{"change_id":"{uuid4_text(number)}",'
        f'"kind":"import","by":{{"role":"gp","id":"gp-1"}},"reason":null}},"medications":'
    )
    headers = envelope(
        MedicationOverview.ce_type(),
        uuid4_text(number + (1 << 64)),
        CHANGED_AT,
        patient,
        trace(number + 1, number + 1),
    )
    return InputRecord(
        patient.encode(), head.encode() + _medications(number % _LISTS)[1] + b"}", headers
    )


@cache
def _medications(number: int) -> tuple[list[dict[str, Any]], bytes]:
    """Make a list of medicines, and its JSON."""
    chance = random.Random(number)
    medicines = chance.sample(_MEDICINES, chance.randint(3, 10))
    entries = [_entry(medicine, chance) for medicine in medicines]
    return entries, orjson.dumps(entries)


def _entry(medicine: Medicine, chance: random.Random) -> dict[str, Any]:
    status = chance.choice(_STATUSES)
    return {
        "prk": medicine.prk,
        "medicine": medicine.name,
        "status": status,
        "dosage": medicine.dosage,
        "quantity": medicine.quantity,
        "unit": medicine.unit,
        "days_supply": medicine.days,
        "last_ordered_on": f"2026-{chance.randint(3, 7):02d}-{chance.randint(1, 28):02d}",
        "prescribed_on": f"20{chance.randint(15, 25)}-03-04",
        "authorisation": None,
        "high_risk": medicine.high_risk,
        "repeat_service": status == "chronic" and chance.random() < 0.04,
        "reviewed_at": None,
        "atc": None,
        "risk_class": None,
        "control_due": None,
        "specialist": False,
        "weekly_packing": False,
        "dispensed": [],
    }
