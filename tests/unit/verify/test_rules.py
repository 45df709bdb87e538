"""Each rule of the checker catches the defect that it is there for; a clean system breaks none."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from schemas.records.medication import MedicationImport, MedicationOverview
from schemas.records.notifications import MessageQueued, MessageSent, PickupPromised
from schemas.records.orders import (
    OrderCancel,
    OrderCancelled,
    OrderDecided,
    OrderLineDecided,
    OrderPlace,
    OrderReview,
)
from schemas.records.prescriptions import PrescriptionApproved, PrescriptionWithdrawn
from tests.unit.verify.defects import (
    added,
    altered,
    by_gp,
    cancel_not_carried_out,
    due_at_another_time,
    foreign,
    letter_with,
    missing,
    never_due,
    no_letter,
    not_moved,
    noted,
    of_another_patients_order,
    older_last,
    orders_swapped,
    outbox_left,
    process_twice,
    refused_and_carried_out,
    refused_and_decided,
    refused_line,
    seq_skipped,
    seqs_swapped,
    still_taken_in,
    timer_overdue,
    withdrawn_first,
)
from tests.unit.verify.edit import (
    EVENTS,
    Edit,
    elsewhere,
    find,
    first_row,
    no_first_row,
    with_value,
)
from tests.unit.verify.history_defects import (
    a_day_later,
    added_again,
    begins_with_the_stop,
    from_elsewhere,
    in_history,
    otherwise_before,
    unchanged,
    without_before,
    without_import,
    without_stop,
)
from tests.unit.verify.made import clean
from verify.checker import RULES, check


def test_a_history_may_begin_later_and_go_on_after_versions_that_are_missing() -> None:
    case = in_history(begins_with_the_stop)(clean())
    assert check(case.history, case.dump).by_rule["history_differs"] == []


def test_a_clean_system_breaks_no_rule() -> None:
    case = clean()
    verdict = check(case.history, case.dump)
    assert verdict.violations == ()
    assert verdict.clean


def test_without_a_history_the_rest_is_checked_all_the_same() -> None:
    verdict = check(None, clean().dump)
    assert verdict.clean
    assert (verdict.counts.sent, verdict.counts.acknowledged) == (29, 0)


def test_it_counts_what_is_not_wrong() -> None:
    counts = check(clean().history, clean().dump).counts
    assert (counts.sent, counts.acknowledged, counts.unknown, counts.refused) == (32, 29, 2, 1)
    assert counts.decided == 29
    assert counts.raw_duplicates[EVENTS] == 2
    assert counts.dead_letters["ordering"] == {
        "unknown_order": 1,
        "order_conflict": 1,
        "bad_json": 1,
        "not_in_review": 1,
    }
    assert counts.dead_letters["medication"] == {"unknown_patient": 1}


ONE_LINE = [{"line": 1, "prk": "5487", "medicine": "x", "quantity": 1, "outcome": "refused"}]

OTHER_LINES: dict[str, dict[str, Any]] = {
    "practice": {"practice": "01999999"},
    "pharmacy": {"pharmacy": "02999999"},
    "patient": {"patient": "pat_other0001"},
    "medicine": {"prk": "1"},
    "outcome": {"outcome": "waiting"},
    "state": {"state": "waiting"},
    "due time, though nothing waits": {"due": datetime(2027, 1, 1, tzinfo=UTC)},
}

CONTENT = ("Metformine", "5487", "graag", "2x daags")
"""What a record holds and no finding may quote."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""May be quoted, and may hold the digits of a PRK code by chance."""

DEFECTS: list[tuple[str, str, Edit]] = [
    ("acknowledged_lost", "an order acknowledged over HTTP", noted("ok")),
    ("acknowledged_lost", "an order acknowledged over Kafka", noted("ok", via="kafka")),
    ("acknowledged_lost", "an acknowledged import", noted("ok", f="import")),
    ("acknowledged_lost", "an acknowledged status", noted("ok", f="set_status")),
    ("acknowledged_lost", "an acknowledged review", noted("ok", f="review", via="kafka")),
    ("acknowledged_lost", "a review is not carried out", missing(OrderLineDecided, by_gp)),
    ("acknowledged_lost", "a review is gone", missing(OrderReview)),
    ("acknowledged_lost", "a review that came too late is gone", no_letter(b"not_in_review")),
    ("acknowledged_lost", "a status of nothing is gone", no_letter(b"unknown_patient")),
    ("acknowledged_lost", "an acknowledged cancellation of an open order", cancel_not_carried_out),
    ("acknowledged_lost", "the decision is gone", missing(OrderDecided)),
    ("refused_decided", "a refused order is decided", refused_and_decided),
    ("refused_decided", "a refused cancellation", refused_and_carried_out("cancel")),
    ("refused_decided", "a refused import", refused_and_carried_out("import")),
    ("refused_decided", "a refused status", refused_and_carried_out("set_status")),
    ("input_not_settled", "a request has no decision", missing(OrderDecided)),
    ("input_not_settled", "a cancellation is not carried out", missing(OrderCancelled)),
    ("input_not_settled", "a review is not carried out", missing(OrderLineDecided, by_gp)),
    ("input_not_settled", "a change is not carried out", no_first_row("medication", "applied")),
    ("input_not_settled", "a cancellation of nothing is gone", no_letter(b"unknown_order")),
    ("input_not_settled", "another order under one id is gone", no_letter(b"order_conflict")),
    ("unreadable_not_kept", "bad JSON is gone", no_letter(b"bad_json")),
    ("misplaced_not_moved", "an order on a wrong partition is left there", not_moved),
    (
        "dead_letter_without_cause",
        "of no record",
        lambda case: letter_with(case, dl_offset=b"99999"),
    ),
    (
        "dead_letter_without_cause",
        "of another record",
        lambda case: letter_with(case, dl_offset=b"0"),
    ),
    ("dead_letter_without_cause", "of nowhere", lambda case: letter_with(case, dl_topic=None)),
    (
        "decided_twice",
        "another content, one id",
        added(OrderDecided, own_id=False, lines=ONE_LINE),
    ),
    ("decided_twice", "another decision", added(OrderDecided, lines=ONE_LINE)),
    ("decided_twice", "the same decision, another id", added(OrderDecided)),
    ("decided_twice", "the same line again", added(OrderLineDecided)),
    ("decided_twice", "another promise, one id", added(PickupPromised, own_id=False, lines=[9])),
    ("event_without_cause", "nobody placed it", missing(OrderPlace)),
    ("event_without_cause", "nobody cancelled it", missing(OrderCancel)),
    ("event_without_cause", "nobody reviewed it", missing(OrderReview)),
    (
        "event_without_cause",
        "at another time",
        altered(OrderDecided, placed_at="2026-01-01T00:00:00Z"),
    ),
    ("event_without_cause", "a line that was not open", added(OrderLineDecided, seq=3)),
    ("event_without_cause", "lines that were not open", altered(OrderCancelled, lines=[1, 2, 3])),
    ("event_without_cause", "another pharmacy", altered(OrderCancelled, pharmacy="02999999")),
    (
        "sequence_broken",
        "the first event is gone",
        missing(OrderDecided, lambda b: b["state"] == "in_review"),
    ),
    ("sequence_broken", "a number is skipped", seq_skipped),
    ("sequence_broken", "two events changed places", seqs_swapped),
    ("patient_out_of_order", "two decisions changed places", orders_swapped),
    ("waits_for_ever", "the due time is gone", no_first_row("ordering", "timers")),
    ("prescription_without_approval", "of a refused line", refused_line),
    (
        "prescription_without_approval",
        "of no order",
        added(PrescriptionApproved, order_id=str(uuid4())),
    ),
    (
        "prescription_without_approval",
        "of another medicine",
        altered(PrescriptionApproved, prk="1"),
    ),
    (
        "prescription_without_approval",
        "of another quantity",
        altered(PrescriptionApproved, quantity=1),
    ),
    (
        "prescription_without_approval",
        "to another pharmacy",
        altered(PrescriptionApproved, pharmacy="02999999"),
    ),
    ("prescription_without_approval", "withdrawn before it came", withdrawn_first),
    (
        "prescription_without_approval",
        "withdrawn, not cancelled",
        altered(PrescriptionWithdrawn, line=7),
    ),
    ("prescription_count", "none", missing(PrescriptionApproved)),
    ("prescription_count", "two", added(PrescriptionApproved)),
    ("prescription_count", "not withdrawn", missing(PrescriptionWithdrawn)),
    ("prescription_count", "withdrawn twice", added(PrescriptionWithdrawn)),
    ("answers_differ", "no answer", missing(MessageSent)),
    ("answers_differ", "not queued", missing(MessageQueued)),
    ("answers_differ", "a second answer", added(MessageSent)),
    ("answers_differ", "another message", altered(MessageSent, template="line-answer")),
    ("message_without_event", "of no order", altered(MessageSent, order_id=str(uuid4()))),
    ("message_without_event", "to another patient", of_another_patients_order),
    ("inbox_differs", "no message", no_first_row("notification", "messages")),
    ("inbox_differs", "another patient's", first_row("notification", "messages", patient="pat_1")),
    ("inbox_differs", "sent at another time", altered(MessageSent, at="2026-01-01T00:00:00Z")),
    ("promise_differs", "no promise", missing(PickupPromised)),
    ("promise_differs", "two promises", added(PickupPromised)),
    ("promise_differs", "another window", altered(PickupPromised, until="2027-01-01T00:00:00Z")),
    ("promise_differs", "of other lines", altered(PickupPromised, lines=[1, 2, 3])),
    ("promise_differs", "facts are broken", first_row("notification", "messages", facts="{")),
    ("told_differs", "other outcomes", first_row("notification", "messages", facts='{"lines":[]}')),
    ("told_differs", "another pharmacy", altered(PickupPromised, pharmacy="02999999")),
    ("counts_differ", "lines off by one", first_row("metrics", "lines", lines=99)),
    ("counts_differ", "orders off by one", first_row("metrics", "orders", orders=99)),
    ("counts_differ", "a sum too few", no_first_row("metrics", "lines")),
    ("counts_differ", "an order not counted", no_first_row("metrics", "counted")),
    (
        "counts_differ",
        "other outcomes",
        first_row("metrics", "counted", outcomes='{"9":"refused"}'),
    ),
    ("counts_differ", "another order", first_row("metrics", "counted", order_id=uuid4())),
    ("orders_differ", "an order is gone", no_first_row("ordering", "orders")),
    ("orders_differ", "another state", first_row("ordering", "orders", state="as never")),
    ("orders_differ", "another order", first_row("ordering", "orders", order_id=uuid4())),
    ("orders_differ", "a broken row", first_row("ordering", "orders", body="{")),
    ("orders_differ", "another state in the event", altered(OrderDecided, state="waiting")),
    ("orders_differ", "still taken in", still_taken_in),
    ("order_lines_differ", "a line is gone", no_first_row("ordering", "order_lines")),
    ("order_lines_differ", "a line too many", first_row("ordering", "order_lines", line=99)),
    (
        "order_lines_differ",
        "another order",
        first_row("ordering", "order_lines", order_id=uuid4()),
    ),
    *(
        ("order_lines_differ", f"another {what}", first_row("ordering", "order_lines", **changes))
        for what, changes in OTHER_LINES.items()
    ),
    ("order_lines_differ", "a line that waits is due at another time", due_at_another_time),
    ("order_lines_differ", "a line that waits is never due", never_due),
    ("told_orders_differ", "an order is gone", no_first_row("notification", "orders")),
    ("told_orders_differ", "an older event", first_row("notification", "orders", seq=0)),
    ("told_orders_differ", "another order", first_row("notification", "orders", order_id=uuid4())),
    ("overview_without_change", "nobody changed it", missing(MedicationImport)),
    (
        "overview_without_change",
        "at another time",
        altered(MedicationOverview, changed_at="2027-01-01T00:00:00Z"),
    ),
    ("overview_without_change", "a version again", added(MedicationOverview)),
    (
        "applied_without_change",
        "nobody asked",
        first_row("medication", "applied", change_id=uuid4()),
    ),
    ("overviews_differ", "an overview is gone", no_first_row("medication", "overviews")),
    ("overviews_differ", "an older version", first_row("medication", "overviews", version=0)),
    (
        "overviews_differ",
        "another content",
        first_row("medication", "overviews", medications="[]"),
    ),
    ("overviews_differ", "another practice", first_row("medication", "overviews", practice="0")),
    ("overviews_differ", "an unreadable row", first_row("medication", "overviews", change="{")),
    ("history_differs", "an entry is gone", no_first_row("medication", "changes")),
    ("history_differs", "the newest entry is gone", in_history(without_stop)),
    ("history_differs", "the entry before is gone", in_history(without_import)),
    ("history_differs", "of no overview", no_first_row("medication", "overviews")),
    ("history_differs", "by somebody else", first_row("medication", "changes", by_id="gp-2")),
    ("history_differs", "at another time", in_history(a_day_later)),
    ("history_differs", "before is not recorded", in_history(without_before)),
    ("history_differs", "it was otherwise before", in_history(otherwise_before)),
    ("history_differs", "it was at another practice before", in_history(from_elsewhere)),
    ("history_differs", "nothing changed after all", in_history(unchanged)),
    ("history_differs", "added what was there", in_history(added_again)),
    ("history_differs", "a broken row", first_row("medication", "changes", after="{")),
    ("overviews_differ", "an older copy", first_row("ordering", "overviews", version=0)),
    (
        "overviews_differ",
        "a copy of another content",
        first_row("ordering", "overviews", medications="[]"),
    ),
    (
        "overviews_differ",
        "a copy that cannot be read",
        first_row("ordering", "overviews", medications="{"),
    ),
    (
        "overviews_differ",
        "a copy of another practice",
        first_row("ordering", "overviews", practice="01999999"),
    ),
    ("overviews_differ", "no copy", no_first_row("ordering", "overviews")),
    ("stale_overview", "an older version is last", older_last),
    ("output_unreadable", "no JSON", lambda case: with_value(case, find(case, OrderDecided), b"{")),
    (
        "output_unreadable",
        "on a wrong partition",
        lambda case: elsewhere(case, find(case, OrderDecided)),
    ),
    ("foreign_record", "an event of somebody else", foreign),
    ("not_at_rest", "an outbox row is left", outbox_left),
    ("not_at_rest", "a due time has passed", timer_overdue),
    ("not_at_rest", "a record is not handled", first_row("metrics", "progress", next_offset=0)),
    ("process_twice_in_group", "a worker is left behind", process_twice),
]


@pytest.mark.parametrize(
    ("rule", "what", "damage"), DEFECTS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_rule_catches_its_defect(rule: str, what: str, damage: Edit) -> None:
    case = damage(clean())
    verdict = check(case.history, case.dump)
    assert rule in {violation.rule for violation in verdict.violations}, what
    told = _ID.sub("", repr(verdict.violations))
    assert [word for word in CONTENT if word in told] == []


def test_every_rule_has_a_defect_that_it_catches() -> None:
    assert {rule for rule, _, _ in DEFECTS} == RULES.keys()
