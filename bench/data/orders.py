"""Makes orders: mostly of medicines that can be repeated, sometimes of each kind that cannot.

Each order is of another patient, so that no order repeats what an earlier one has asked.
"""

import random
from collections.abc import Iterator
from typing import Any

import orjson

from bench.data.patients import Population, medications_of, patient_id, pharmacy_of, practice_of
from bench.data.records import InputRecord, envelope, trace, uuid4_text, uuid7_text
from bench.data.region import PRACTICES, practice_agb
from samples.people import UNLISTED
from schemas.records.orders import OrderPlace

FIRST_MS = 1_795_422_600_000
"""Time of the first order id: Monday 23 November 2026, 8:30 in Amsterdam."""

_PLACED_AT = "2026-11-23T07:30:00Z"

_CHANNELS = ("portal",) * 14 + ("receptenlijn",) * 4 + ("counter", "e_consult")
_BY_PATIENT = ("portal", "e_consult")
_SUPPLY_UNTIL = "2099-02-01"
_ASSISTANT = {"role": "assistant", "id": "assistant-1"}
_LINES = (1,) * 12 + (2,) * 5 + (3,) * 3
_REMARKS = (
    "Ik ga op vakantie, graag een voorraad voor vier maanden.",
    "Liever van hetzelfde merk als de vorige keer.",
    "Kunt u het laten bezorgen?",
)


def orders(population: Population, count: int, seed: int = 1) -> Iterator[InputRecord]:
    """Make orders of as many patients, the same for the same population and seed.

    Raises ValueError when there are more orders than patients.
    """
    if count > population.count:
        raise ValueError(f"{count} orders need as many patients; there are {population.count}")
    chance = random.Random(seed)
    patients = [*range(population.count)]
    chance.shuffle(patients)
    return (_record(number, patients[number], chance) for number in range(count))


def _record(number: int, patient: int, chance: random.Random) -> InputRecord:
    order_id = uuid7_text(FIRST_MS + number // 10, chance.getrandbits(74))
    body = _body(order_id, patient, chance)
    headers = envelope(
        OrderPlace.ce_type(),
        uuid4_text(chance.getrandbits(128)),
        _PLACED_AT,
        order_id,
        trace(chance.getrandbits(128), chance.getrandbits(64)),
    )
    return InputRecord(body["patient"].encode(), orjson.dumps(body), headers)


def _body(order_id: str, patient: int, chance: random.Random) -> dict[str, Any]:
    channel = chance.choice(_CHANNELS)
    identity = patient_id(patient)
    by_patient = {"role": "patient", "id": identity}
    return {
        "order_id": order_id,
        "patient": identity,
        "practice": _practice(patient, chance),
        "pharmacy": pharmacy_of(patient),
        "channel": channel,
        "placed_by": by_patient if channel in _BY_PATIENT else _ASSISTANT,
        "lines": _lines(medications_of(patient), chance),
        "remark": chance.choice(_REMARKS) if chance.random() < 0.06 else None,
        "supply_until": _SUPPLY_UNTIL if chance.random() < 0.03 else None,
    }


def _practice(patient: int, chance: random.Random) -> str:
    if chance.random() < 0.005:
        return practice_agb(chance.randrange(PRACTICES))
    return practice_of(patient)


def _lines(medications: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    entries = chance.sample(medications, chance.choice(_LINES))
    return [_line(number, entry, chance) for number, entry in enumerate(entries, start=1)]


def _line(number: int, entry: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.02:
        return _ask(number, UNLISTED.prk, UNLISTED.name, UNLISTED.quantity)
    times = 2 if chance.random() < 0.04 else 1
    return _ask(number, entry["prk"], entry["medicine"], entry["quantity"] * times)


def _ask(number: int, prk: str, medicine: str, quantity: int) -> dict[str, Any]:
    return {"line": number, "prk": prk, "medicine": medicine, "quantity": quantity}
