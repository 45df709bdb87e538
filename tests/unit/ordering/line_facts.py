"""The facts on one line, made up: a plain repeat for which no rule holds, and what makes each rule hold."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from schemas.base import RiskClass
from schemas.records.directory import (
    Approver,
    AutoApprove,
    ExpiredAuthorisation,
    OrderHours,
    Policy,
    Remarks,
)
from schemas.records.medication import Status
from schemas.records.orders import OrderLine
from services.ordering.domain.facts import Facts, orderable_from
from services.ordering.domain.knowledge import Known, KnownLine, UnderWay
from services.ordering.domain.overview import Authorisation, Entry, read_overview
from tests.harness import made
from tests.harness.made import METFORMINE, PRACTICE
from tests.unit.ordering.story import overview

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
"""A Saturday."""

TODAY = date(2026, 11, 28)
OTHER_ORDER = UUID("0192aaaa-0000-7000-8000-00000000000f")

Changes = Mapping[str, Mapping[str, Any]]
"""What differs from the plain repeat, by part: `entry`, `line`, `known`, `policy`, and `facts` for the rest."""


def kept_entry(*, incomplete: bool = False, **changes: Any) -> Entry:
    """Chronic metformine as ordering keeps it."""
    (kept,) = read_overview(overview(made.entry(**changes))).medications
    return replace(kept, incomplete=incomplete)


def facts(changes: Changes | None = None) -> Facts:
    """Chronic metformine in the usual quantity, authorised, ordered and decided today: no rule holds."""
    of = {part: dict((changes or {}).get(part, {})) for part in _PARTS}
    entry = None if of["line"].get("entry", 1) is None else replace(kept_entry(), **of["entry"])
    line = KnownLine(**({"entry": entry} | of["line"]))
    known: dict[str, Any] = {
        "at": NOON,
        "lines": (line,),
        "registered_at": PRACTICE,
        "connected": True,
        "repeat_service": True,
    }
    fields: dict[str, Any] = {
        "asked": asked(),
        "line": line,
        "entry": entry,
        "known": Known(**(known | of["known"])),
        "policy": Policy(**of["policy"]),
        "practice": PRACTICE,
        "placed_at": NOON,
        "placed_on": TODAY,
        "decided_on": TODAY,
        "together": Decimal(180),
        "times": 1,
        "lines": 1,
        "remark": None,
        "supply_until": None,
    }
    earliest = orderable_from(line, fields["policy"])
    return Facts(orderable_from=earliest, **(fields | of["facts"]))


_PARTS = ("entry", "line", "known", "policy", "facts")


def asked(medicine: str = METFORMINE[1]) -> OrderLine:
    """A line for metformine under this name."""
    return OrderLine(line=1, prk=METFORMINE[0], medicine=medicine, quantity=Decimal(180))


def together(*several: Changes) -> Changes | None:
    """All these changes; None when two of them say different things of one field."""
    combined: dict[str, dict[str, Any]] = {part: {} for part in _PARTS}
    for changes in several:
        for part, fields in changes.items():
            for name, value in fields.items():
                if combined[part].setdefault(name, value) != value:
                    return None
    if combined["line"].get("entry", 1) is None and combined["entry"]:
        return None
    return combined


WORDS = "graag witte doosjes"
_EARLY = {"covered_until": date(2027, 1, 31), "supply_days": 90}
_ENDED = Authorisation(date(2025, 11, 1), date(2026, 11, 27))
_UNTIL_YESTERDAY = {"authorisation": _ENDED}

HOLDS: Mapping[str, Changes] = {
    "registered_elsewhere": {"known": {"registered_at": "01999002"}},
    "overview_not_arrived": {"known": {"registered_at": None}, "line": {"entry": None}},
    "not_in_overview": {"line": {"entry": None}},
    "temporary": {"entry": {"status": Status.TEMPORARY}},
    "stopped": {"entry": {"status": Status.STOPPED}},
    "covered_by_repeat_service": {
        "entry": {"repeat_service": True},
        "known": {"repeat_service": True},
    },
    "under_way_already": {"line": {"under_way": (UnderWay(OTHER_ORDER),)}},
    "too_early": {
        "line": {**_EARLY, "risk_class": RiskClass.C},
        "facts": {"remark": None, "supply_until": None},
    },
    "authorisation_ended": {
        "entry": _UNTIL_YESTERDAY,
        "policy": {"expired_authorisation": ExpiredAuthorisation.REFUSE},
    },
    "outside_order_hours": {
        "policy": {"order_hours": OrderHours(days=("Mo",), first=time(8), last=time(12))}
    },
    "remark_not_allowed": {
        "policy": {"remarks": Remarks.NOT_ALLOWED},
        "facts": {"remark": WORDS},
    },
    "remark_missing": {"policy": {"remarks": Remarks.MANDATORY}, "facts": {"remark": None}},
    "remark_too_long": {"policy": {"remark_length": 5}, "facts": {"remark": WORDS}},
    "pharmacy_not_connected": {"known": {"connected": False, "repeat_service": False}},
    "name_contradicts_code": {"facts": {"asked": asked("Oxycodon tablet mga 80 mg")}},
    "overview_incomplete": {"entry": {"incomplete": True}},
    "medicine_twice": {"facts": {"times": 2}},
    "other_repeat_service": {
        "entry": {"repeat_service": True},
        "known": {"connected": True, "repeat_service": False},
    },
    "supply_date_passed": {"facts": {"supply_until": date(2026, 11, 27)}},
    "too_early_with_a_reason": {"line": {**_EARLY, "risk_class": RiskClass.A}},
    "weekly_taken_daily": {"line": {"weekly": True}},
    "high_risk": {"line": {"risk_class": RiskClass.B}},
    "control_long_overdue": {"entry": {"control_due": date(2026, 9, 1)}},
    "from_a_specialist": {
        "entry": {"specialist": True, "authorisation": None},
        "policy": {"auto_approve": AutoApprove.ALL_PLAIN},
    },
    "restart_after_gap": {"line": {"last_supplied_on": date(2025, 11, 28)}},
    "authorisation_to_renew": {
        "entry": _UNTIL_YESTERDAY,
        "policy": {"expired_authorisation": ExpiredAuthorisation.REVIEW},
    },
    "not_authorised": {
        "entry": {"authorisation": None},
        "policy": {"auto_approve": AutoApprove.AUTHORISED_ONLY},
    },
    "packed_by_the_week": {"entry": {"weekly_packing": True}},
    "remark_to_read": {"facts": {"remark": WORDS}},
    "larger_supply": {"facts": {"supply_until": date(2027, 2, 1)}},
    "larger_quantity": {"facts": {"together": Decimal("180.5")}},
    "too_many_lines": {"facts": {"lines": 16}},
    "everything_reviewed": {"policy": {"approver": Approver.ASSISTANT}},
}
"""For each rule, by name, what makes it hold: alone, unless `ALSO` says what holds with it."""

ALSO: Mapping[str, frozenset[str]] = {
    "too_early_with_a_reason": frozenset({"high_risk"}),
}
"""Rules that cannot hold without another: class A is high risk."""
