"""The table of defects in decisions, and in what ordering notes and keeps of them."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from schemas.records.orders import OrderDecided, OrderLineDecided, OrderLineSignalled
from schemas.records.prescriptions import PrescriptionApproved, PrescriptionWithdrawn
from tests.unit.verify.decided import (
    again,
    altered_of,
    approved,
    decided,
    history,
    in_journals,
    known,
    known_entry,
    known_line,
    noted,
    of,
    reasons,
)
from tests.unit.verify.defects import missing
from tests.unit.verify.edit import Edit, body, find, first_row, no_first_row, with_rows
from tests.unit.verify.made import Case
from verify.rows import HistoryRow

ONCE, TWICE = "pat_made0009", "pat_made0002"
"""Who ordered one medicine once, and who ordered it twice: the second time was refused."""

TODAY = "2026-09-21"
LATER = datetime(2027, 1, 1, tzinfo=UTC)
OVER = {"on": "2026-01-05", "until": "2026-01-06", "repeats": None}


def _history_of_nobody(case: Case) -> Case:
    line = [str(uuid4()), 1, "5487", "review", f"{TODAY}T12:00:00Z", None, 90]
    row = HistoryRow("pat_nobody001", f"[{_json(line)}]")
    return with_rows(case, "ordering", "histories", lambda rows: [*rows, row])


def _json(value: Any) -> str:
    return str(value).replace("'", '"').replace("None", "null")


def _sent_twice(case: Case) -> Case:
    """There is a prescription for a line that the practice sends itself."""
    order_id = body(find(case, OrderDecided, of("pat_farmacy01")))["order_id"]
    return again(PrescriptionApproved, "pat_signal002", order_id=order_id)(case)


SIGNALS: list[tuple[str, str, Edit]] = [
    (
        "event_without_cause",
        "a signal, and no overview since",
        altered_of(OrderLineSignalled, "pat_signal002", signalled_at="2099-01-01T00:00:00Z"),
    ),
    (
        "event_without_cause",
        "a signal of another overview",
        altered_of(OrderLineSignalled, "pat_signal002", overview_version=9),
    ),
    (
        "event_without_cause",
        "the same signal twice",
        again(OrderLineSignalled, "pat_signal002", seq=3),
    ),
    (
        "event_without_cause",
        "a signal of a withdrawn line",
        again(OrderLineSignalled, "pat_signal001", seq=6),
    ),
    (
        "event_without_cause",
        "a signal of another medicine",
        altered_of(OrderLineSignalled, "pat_signal002", prk="1007"),
    ),
    (
        "event_without_cause",
        "a decision on an approved line without a signal",
        missing(OrderLineSignalled, of("pat_signal001")),
    ),
    (
        "event_without_cause",
        "a policy withdraws what is not stopped",
        altered_of(OrderLineDecided, "pat_stopped01", reasons=[]),
    ),
    (
        "event_without_cause",
        "a timer approves",
        altered_of(OrderLineDecided, "pat_late0001", outcome="approved", reasons=[], reviewer=None),
    ),
    (
        "event_without_cause",
        "a policy decides what is in review",
        altered_of(
            OrderLineDecided, "pat_special01", decided_by={"role": "policy", "id": "01999001 v3"}
        ),
    ),
    ("prescription_count", "not withdrawn", missing(PrescriptionWithdrawn, of("pat_stopped01"))),
    (
        "prescription_without_approval",
        "a kept line is withdrawn",
        again(PrescriptionWithdrawn, "pat_signal001", line=2),
    ),
    (
        "prescription_without_approval",
        "of a line that the practice sends",
        _sent_twice,
    ),
    ("order_lines_differ", "another signal", first_row("ordering", "order_lines", signal="never")),
    ("order_lines_differ", "another reviewer", first_row("ordering", "order_lines", reviewer="x")),
]

APPROVALS: list[tuple[str, str, Edit]] = [
    ("duplicate_passed", "while another order waits", approved("pat_twice0001", "refused")),
    ("duplicate_passed", "just after another was approved", approved(TWICE, "refused")),
    ("unauthorised_passed", "no repeats left", approved("pat_repeats01", "review")),
    ("unauthorised_passed", "after its date", known_entry(ONCE, authorisation=OVER)),
    ("unauthorised_passed", "by nobody", known_entry(ONCE, authorisation=None)),
    (
        "unauthorised_passed",
        "a specialist's",
        known_entry("pat_stopped01", authorisation=None, specialist=True),
    ),
    ("unseen_passed", "of class A, by the week", approved("pat_careful01", "review")),
    ("unseen_passed", "of class A", known_line(ONCE, risk_class="A")),
    ("unseen_passed", "of class A in the overview", known_entry(ONCE, risk_class="A")),
    ("unseen_passed", "of class B", known_line(ONCE, risk_class="B")),
    ("unseen_passed", "by the week", known_entry(ONCE, weekly_packing=True)),
    ("unseen_passed", "of an incomplete entry", known_entry(ONCE, incomplete=True)),
    ("unseen_passed", "for another pharmacy", approved("pat_farmacy01", "review")),
    ("unseen_passed", "with a remark", approved("pat_special01", "review")),
    ("unseen_passed", "where an assistant sees all", approved("pat_reviewed1", "review")),
    ("too_early_passed", "after an approval", approved(TWICE, "refused")),
    ("too_early_passed", "ordered lately", known_entry(ONCE, last_ordered_on=TODAY)),
    (
        "too_early_passed",
        "supplied lately",
        known_entry(ONCE, dispensed=[{"on": "2026-09-11", "quantity": 90}]),
    ),
]

VERDICTS: list[tuple[str, str, Edit]] = [
    ("verdict_without_reason", "no reviewer", decided("pat_careful01", reviewer=None)),
    ("verdict_without_reason", "a reviewer of an approval", decided(ONCE, reviewer="gp")),
    ("verdict_without_reason", "no reason", decided("pat_careful01", reasons=[])),
    ("verdict_without_reason", "refused for nothing", decided(TWICE, "refused", reasons=[])),
    (
        "verdict_without_reason",
        "approved with a reason",
        decided(ONCE, reasons=[{"code": "HIGH_RISK_MEDICATION"}]),
    ),
    (
        "verdict_without_reason",
        "sent, not approved",
        decided(TWICE, "refused", sent_by_practice=True),
    ),
    ("verdict_without_reason", "too early, no date", reasons(TWICE, "refused", code="TOO_EARLY")),
    (
        "verdict_without_reason",
        "too early on its day",
        reasons(TWICE, "refused", code="TOO_EARLY", earliest_date=TODAY, other_order=None),
    ),
    (
        "verdict_without_reason",
        "to be ordered before",
        reasons(
            TWICE,
            "refused",
            code="OUTSIDE_ORDER_HOURS",
            earliest_date="2026-09-20",
            other_order=None,
        ),
    ),
    ("verdict_without_reason", "of no order", reasons(TWICE, "refused", other_order=None)),
    ("verdict_without_reason", "of nobody's", reasons(TWICE, "refused", other_order=str(uuid4()))),
    (
        "verdict_without_reason",
        "a date for nothing",
        reasons("pat_careful01", "review", earliest_date="2030-01-01"),
    ),
]

KEPT: list[tuple[str, str, Edit]] = [
    ("journal_differs", "no note", in_journals(ONCE, lambda notes: notes.clear())),
    ("journal_differs", "a note too few", in_journals("pat_signal001", lambda notes: notes.pop())),
    ("journal_differs", "a note twice", in_journals(ONCE, lambda notes: notes.extend(notes))),
    ("journal_differs", "another event", noted(ONCE, type="order.cancelled")),
    ("journal_differs", "another time", noted(ONCE, at="2026-01-01T00:00:00Z")),
    ("journal_differs", "another actor", noted(ONCE, by={"role": "gp", "id": "gp-1"})),
    ("journal_differs", "other rules", noted(ONCE, rules=1)),
    ("journal_differs", "other words", noted(ONCE, words="om een andere reden")),
    ("journal_differs", "another system", noted(ONCE, through="his")),
    ("journal_differs", "another outcome", noted(ONCE, lines=[{"line": 1, "outcome": "review"}])),
    ("journal_differs", "no JSON", first_row("ordering", "orders", journal="{")),
    ("journal_differs", "known at another time", known(ONCE, at="2026-01-01T00:00:00Z")),
    ("journal_differs", "known of no line", known(ONCE, lines=[])),
    ("journal_differs", "by another overview", known(ONCE, overview_version=9)),
    ("journal_differs", "by another policy", known(ONCE, policy_version=2)),
    ("journal_differs", "of another medicine", known_entry(ONCE, prk="1007")),
    ("known_differs", "another dosage", known_entry(ONCE, dosage="1x daags 2")),
    ("known_differs", "another supply", known_entry(ONCE, days_supply=1)),
    ("known_differs", "not in the overview", known_line(ONCE, entry=None)),
    ("known_differs", "of another practice", known(ONCE, registered_at="01999002")),
    ("order_ids_differ", "an id is gone", no_first_row("ordering", "order_ids")),
    ("order_ids_differ", "another id", first_row("ordering", "order_ids", order_id=uuid4())),
    ("order_ids_differ", "another time", first_row("ordering", "order_ids", placed_at=LATER)),
    ("ordered_before_differs", "no history", no_first_row("ordering", "histories")),
    ("ordered_before_differs", "no JSON", first_row("ordering", "histories", lines="{")),
    ("ordered_before_differs", "of nobody", _history_of_nobody),
    ("ordered_before_differs", "a line too few", history(ONCE, lambda lines: lines.pop())),
    ("ordered_before_differs", "a line twice", history(ONCE, lambda lines: lines.extend(lines))),
    (
        "ordered_before_differs",
        "approved at another time",
        history(ONCE, lambda lines: lines[0].__setitem__(5, "2026-01-01T00:00:00Z")),
    ),
    (
        "ordered_before_differs",
        "another quantity",
        history(ONCE, lambda lines: lines[0].__setitem__(6, 1)),
    ),
]

DECISION_DEFECTS = [*SIGNALS, *APPROVALS, *VERDICTS, *KEPT]
"""Rule, description and edit."""
