"""The largest requests that the schemas allow."""

import json
from datetime import UTC, date, datetime
from itertools import count, islice
from typing import Any
from uuid import uuid4

from samples.codes import has_check_digit
from tests.harness.made import PHARMACY, PRACTICE

OUTSIDE_BMP = "😀"
CONTROL = "\x01"

_PRKS = tuple(islice(filter(has_check_digit, map(str, count(10_000_000))), 200))


def escaped(body: Any) -> bytes:
    """JSON in ASCII only: every other character as an escape."""
    return json.dumps(body, ensure_ascii=True).encode()


def _name(character: str, length: int) -> str:
    """A name must have a character that people can see."""
    return "a" + character * (length - 1)


def an_overview(patient: str, character: str) -> dict[str, Any]:
    """The largest overview, of chronic medicines, with its texts in this character."""
    medicine = {
        "medicine": _name(character, 200),
        "status": "chronic",
        "dosage": character * 2000,
        "quantity": 100_000,
        "unit": _name(character, 200),
        "days_supply": 3650,
        "last_ordered_on": "2000-01-01",
        "prescribed_on": "2000-01-01",
        "authorisation": {"by": "gp", "on": "2000-01-01", "until": str(date.max), "repeats": 1000},
        "control_due": str(date.max),
        "dispensed": [{"on": "2000-01-01", "quantity": 100_000, "days": 3650}] * 6,
        "reviewed_at": datetime.max.replace(tzinfo=UTC).isoformat(),
    }
    return {
        "patient": patient,
        "by": {"role": "assistant", "id": _name(character, 100)},
        "reason": character * 2000,
        "practice": PRACTICE,
        "medications": [medicine | {"prk": prk} for prk in _PRKS],
    }


def an_order(patient: str, character: str) -> dict[str, Any]:
    """The largest order, of medicines of that overview, with its texts in this character."""
    line = {"medicine": _name(character, 200), "quantity": 100_000}
    return {
        "order_id": str(uuid4()),
        "patient": patient,
        "practice": PRACTICE,
        "pharmacy": PHARMACY,
        "channel": "repeat_service",
        "placed_by": {"role": "assistant", "id": _name(character, 100)},
        "lines": [line | {"line": n, "prk": prk} for n, prk in enumerate(_PRKS[:50], start=1)],
        "remark": character * 2000,
        "supply_until": str(date.max),
    }
