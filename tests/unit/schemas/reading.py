"""Records as bytes, and what a reader and its model make of them: the same."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from runtime.records import encode
from schemas.base import Body
from schemas.derived import CannotDerive
from schemas.medication import MedicationOverview
from schemas.orders import OrderDecided, OrderPlace
from schemas.structs import Reader
from tests.bodies import BODIES

Json = dict[str, Any]

UUID = "0192aaaa-0000-7000-8000-00000000000a"

LINE: Json = {"line": 1, "prk": "4677", "medicine": "Metformine 47.5 mg", "quantity": 90}

ORDER: Json = {
    "order_id": UUID,
    "patient": "pat_abcd",
    "practice": "01012345",
    "pharmacy": "02012345",
    "channel": "portal",
    "placed_by": {"role": "patient", "id": "x"},
    "lines": [LINE, LINE | {"line": 2}],
    "remark": "Graag vóór vrijdag.",
    "supply_until": "2026-12-31",
}

TIMER: Json = {
    "order_id": UUID,
    "patient": "pat_abcd",
    "kind": "review_overdue",
    "due_at": "2026-11-10T12:00:00Z",
}

DECIDED: Json = {
    "order_id": UUID,
    "seq": 1,
    "patient": "pat_abcd",
    "practice": "01012345",
    "pharmacy": "02012345",
    "channel": "e_consult",
    "placed_at": "2026-11-10T12:00:00.123456Z",
    "decided_at": "2026-11-10T12:00:01Z",
    "overview_version": 7,
    "policy_version": None,
    "state": "in_review",
    "lines": [
        LINE
        | {
            "dosage": "1x daags",
            "outcome": "review",
            "reasons": [
                {"code": "TOO_EARLY", "earliest_date": "2027-01-16", "other_order": None},
                {"code": "DUPLICATE_ORDER", "earliest_date": None, "other_order": UUID},
            ],
        }
    ],
}

OVERVIEW: Json = {
    "patient": "pat_abcd",
    "practice": "01012345",
    "version": 3,
    "changed_at": "2026-11-10T12:00:00.5Z",
    "change": {
        "change_id": UUID,
        "kind": "import",
        "by": {"role": "gp", "id": "gp-1"},
        "reason": None,
    },
    "medications": [
        {
            "prk": "4677",
            "medicine": "Metformine",
            "status": "chronic",
            "dosage": "1x daags",
            "quantity": 90,
            "unit": "stuk",
            "days_supply": 90,
            "last_ordered_on": "2026-09-01",
            "prescribed_on": None,
            "authorised_until": "2027-09-01",
            "high_risk": True,
            "repeat_service": False,
            "reviewed_at": "2026-09-01T08:00:00Z",
        },
        {
            "prk": "1",
            "medicine": "Zalf",
            "status": "stopped",
            "dosage": "",
            "quantity": 1,
            "unit": "tube",
        },
    ],
}

EXAMPLES = {OrderPlace: ORDER, OrderDecided: DECIDED, MedicationOverview: OVERVIEW}


def _readers() -> Iterator[tuple[type[Body], Reader]]:
    for body in BODIES:
        try:
            yield body, Reader(body)
        except CannotDerive:
            continue


READERS = dict(_readers())


def taken(read: Callable[[bytes], Body], value: bytes) -> Body | None:
    """What is read, or None for what is refused."""
    try:
        return read(value)
    except ValidationError:
        return None


def agreed(reader: Reader, value: bytes) -> Body | None:
    """What the reader takes, which is what its model takes; None when both refuse it."""
    wanted = taken(reader.model.model_validate_json, value)
    found = taken(reader.read, value)
    if wanted is None or found is None:
        assert (found, wanted) == (None, None)
        return None
    _assert_same(found, wanted)
    assert encode(reader.model.model_validate_json(encode(found))) == encode(wanted)
    return found


def _assert_same(found: Any, wanted: Any) -> None:
    match wanted:
        case BaseModel():
            assert isinstance(found, type(wanted))
            for name in type(wanted).model_fields:
                _assert_same(getattr(found, name), getattr(wanted, name))
        case tuple():
            assert (type(found), len(found)) == (tuple, len(wanted))
            for one, other in zip(found, wanted, strict=True):
                _assert_same(one, other)
        case datetime():
            assert (found, found.utcoffset()) == (wanted, wanted.utcoffset())
            assert found.tzinfo is UTC or wanted.tzinfo is not UTC
        case _:
            assert (type(found), found) == (type(wanted), wanted)


def text(fields: Json) -> bytes:
    return json.dumps(fields).encode()
