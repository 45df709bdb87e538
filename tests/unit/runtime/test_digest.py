"""Digests are stored for years and compared after upgrades, so they must never change."""

import json
from typing import Any

import pytest

from runtime.messages.digest import digest_of
from schemas.base import Body
from schemas.records.medication import MedicationImport, MedicationSetStatus
from schemas.records.orders import OrderPlace

Json = dict[str, Any]

ID = "0192aaaa-0000-7000-8000-00000000000a"
METFORMINE: Json = {"line": 1, "prk": "4677", "medicine": "Metformine 47.5 mg", "quantity": 90}
ORDER: Json = {
    "order_id": ID,
    "patient": "pat_abcd",
    "practice": "01999345",
    "pharmacy": "02999345",
    "channel": "portal",
    "placed_by": {"role": "patient", "id": "x"},
    "lines": [METFORMINE],
}
FULL_ORDER: Json = ORDER | {
    "remark": 'Graag vóór vrijdag. \x01\x1f\x7f\u2028 "\\/\b\f\n\r\t 💊',
    "supply_until": "2026-12-31",
    "lines": [
        METFORMINE | {"medicine": "Metformine"},
        {"line": 2, "prk": "1007", "medicine": "Zalf", "quantity": 1},
    ],
}
CHANGE: Json = {"change_id": ID, "patient": "pat_abcd", "by": {"role": "gp", "id": "gp-1"}}
STATUS: Json = CHANGE | {"prk": "4677", "status": "temporary", "reason": "voorbij"}
CHRONIC: Json = {
    "prk": "4677",
    "medicine": "Metformine",
    "status": "chronic",
    "dosage": "1x daags",
    "quantity": 90,
    "unit": "stuk",
    "days_supply": 90,
    "last_ordered_on": "2026-09-01",
    "authorisation": {"by": "gp", "on": "2026-09-01", "until": "2027-09-01", "repeats": 4},
    "high_risk": True,
    "reviewed_at": "2026-09-01T08:00:00.120Z",
}
STOPPED: Json = {
    "prk": "1007",
    "medicine": "Zalf",
    "status": "stopped",
    "dosage": "",
    "quantity": 1,
    "unit": "tube",
    "prescribed_on": None,
    "repeat_service": False,
}
IMPORT: Json = CHANGE | {"practice": "01999345", "medications": [CHRONIC, STOPPED]}


def digest(model: type[Body], fields: Json) -> str:
    return digest_of(model.model_validate_json(json.dumps(fields)))


@pytest.mark.parametrize(
    ("model", "fields", "expected"),
    [
        (OrderPlace, ORDER, "21354e3ae0d8371d843b2137d2f5e95b"),
        (OrderPlace, FULL_ORDER, "0b027432d90ec0bf71a6a3e3d6b9d35e"),
        (MedicationImport, IMPORT, "7a8f3f705f207499a38b298097cbee00"),
        (MedicationImport, IMPORT | {"medications": []}, "ffa53f9ee53eac4400ce5a4c2968bac1"),
        (MedicationSetStatus, STATUS, "0850597d9298cfe2c74444e285cf56b8"),
    ],
)
def test_a_digest_never_changes(model: type[Body], fields: Json, expected: str) -> None:
    """Recorded on 28 November 2026."""
    assert digest(model, fields) == expected


@pytest.mark.parametrize("defaults", [{"remark": None}, {"remark": None, "supply_until": None}])
def test_an_explicit_default_does_not_change_the_digest(defaults: Json) -> None:
    """So adding a field does not change the digests of older commands."""
    assert digest(OrderPlace, ORDER | defaults) == digest(OrderPlace, ORDER)


def test_an_explicit_default_in_a_nested_model_does_not_change_the_digest() -> None:
    plain = {name: value for name, value in STOPPED.items() if name in METFORMINE | CHRONIC}
    written = plain | {"high_risk": False, "repeat_service": False, "reviewed_at": None}
    imports = [IMPORT | {"medications": [medicine]} for medicine in (plain, written)]
    assert digest(MedicationImport, imports[0]) == digest(MedicationImport, imports[1])
