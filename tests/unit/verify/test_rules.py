"""Each rule of the checker catches the defect that it is there for; a clean system breaks none."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from cli.verify.checker import RULES, check
from cli.verify.history import Operation
from cli.verify.rows import IntakeRow, OutboxRow, TimerRow
from schemas.medication import MedicationImport, MedicationOverview
from schemas.notifications import MessageQueued, MessageSent, PickupPromised
from schemas.orders import (
    OrderCancel,
    OrderCancelled,
    OrderDecided,
    OrderLineDecided,
    OrderPlace,
    OrderReview,
)
from schemas.prescriptions import PrescriptionApproved, PrescriptionWithdrawn
from tests.unit.verify.edit import (
    EVENTS,
    REQUESTS,
    Edit,
    body,
    changing_places,
    elsewhere,
    find,
    first_row,
    header,
    no_first_row,
    plus,
    with_body,
    with_rows,
    with_value,
    without,
)
from tests.unit.verify.made import Case, clean, operation


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
    }


def _noting(outcome: Any, f: Any = "place", via: Any = "http") -> Edit:
    """A client noted an operation on an order that nobody knows."""
    return lambda case: _with_operation(case, operation(uuid4(), outcome, f, via))


def _with_operation(case: Case, *more: Operation) -> Case:
    return replace(case, history=(*case.history, *more))


def _no(kind: Any, such: Callable[[dict[str, Any]], bool] = lambda _: True) -> Edit:
    return lambda case: without(case, find(case, kind, such))


def _other(kind: Any, **changes: Any) -> Edit:
    return lambda case: with_body(case, find(case, kind), **changes)


def _again(kind: Any, *, own_id: bool = True, **changes: Any) -> Edit:
    return lambda case: plus(case, find(case, kind), own_id=own_id, **changes)


def _by_gp(event: dict[str, Any]) -> bool:
    return bool(event["decided_by"]["role"] == "gp")


def _of_another_patients_order(case: Case) -> Case:
    other = find(case, OrderDecided, lambda b: b["patient"] == "pat_late0000")
    return with_body(case, find(case, PickupPromised), order_id=body(other)["order_id"])


def _cancel_not_carried_out(case: Case) -> Case:
    open_order = find(case, OrderDecided, lambda b: b["state"] == "approved" and not _gone(case, b))
    return _with_operation(case, operation(UUID(body(open_order)["order_id"]), f="cancel"))


def _gone(case: Case, decided: dict[str, Any]) -> bool:
    return any(
        header(r, "ce_type") == OrderCancelled.ce_type().encode()
        and body(r)["order_id"] == decided["order_id"]
        for r in case.dump.records
    )


def _refused_and_decided(case: Case) -> Case:
    order_id = UUID(body(find(case, OrderDecided))["order_id"])
    kept = tuple(o for o in case.history if o.order_id != order_id)
    return replace(case, history=(*kept, operation(order_id, "fail")))


def _seqs_swapped(case: Case) -> Case:
    cancelled = find(case, OrderCancelled)
    decided = find(case, OrderDecided, lambda b: b["order_id"] == body(cancelled)["order_id"])
    return changing_places(case, decided, cancelled)


def _orders_swapped(case: Case) -> Case:
    first = find(case, OrderDecided)
    second = find(
        case,
        OrderDecided,
        lambda b: (
            b["patient"] == body(first)["patient"] and b != body(first) and not _gone(case, b)
        ),
    )
    return changing_places(case, first, second)


def _seq_skipped(case: Case) -> Case:
    return with_body(case, find(case, OrderCancelled), seq=3)


def _letter(case: Case, **changes: bytes | None) -> Case:
    letter = next(r for r in case.dump.records if r.topic == "ordering.dead-letters")
    kept = [(n, v) for n, v in letter.headers if n not in changes]
    headers = [*kept, *((n, v) for n, v in changes.items() if v is not None)]
    records = tuple(replace(r, headers=headers) if r is letter else r for r in case.dump.records)
    return replace(case, dump=replace(case.dump, records=records))


def _no_letter(reason: bytes) -> Edit:
    def edit(case: Case) -> Case:
        letters = (r for r in case.dump.records if header(r, "dl_reason") == reason)
        return without(case, next(letters))

    return edit


def _not_moved(case: Case) -> Case:
    ids = [header(r, "ce_id") for r in case.dump.records if r.topic == REQUESTS]
    moved = [
        r for r in case.dump.records if r.topic == REQUESTS if ids.count(header(r, "ce_id")) == 2
    ]
    patient = moved[0].key or b""
    (home,) = [r for r in moved if r.partition == _home(case, patient)]
    return without(case, home)


def _home(case: Case, key: bytes) -> int:
    return next(r.partition for r in case.dump.records if r.topic == EVENTS and r.key == key)


def _older_last(case: Case) -> Case:
    newest = find(case, MedicationOverview, lambda b: b["version"] == 2)
    older = find(
        case,
        MedicationOverview,
        lambda b: b["version"] == 1 and b["patient"] == body(newest)["patient"],
    )
    return plus(case, older, own_id=False)


def _withdrawn_first(case: Case) -> Case:
    withdrawn = find(case, PrescriptionWithdrawn)
    return changing_places(case, _prescription_of(case, withdrawn), withdrawn)


def _prescription_of(case: Case, withdrawn: Any) -> Any:
    wanted = body(withdrawn)["prescription_id"]
    return find(case, PrescriptionApproved, lambda b: b["prescription_id"] == wanted)


def _outbox_left(case: Case) -> Case:
    row = OutboxRow(1, 0, b"", case.dump.taken_at)
    return with_rows(case, "notification", "outbox", lambda rows: [*rows, row])


def _timer_overdue(case: Case) -> Case:
    due = case.dump.taken_at - timedelta(minutes=1)
    row = TimerRow(uuid4(), 0, due, b"")
    return with_rows(case, "ordering", "timers", lambda rows: [*rows, row])


def _still_taken_in(case: Case) -> Case:
    order = case.dump.ordering.orders[0]
    row = IntakeRow(order.order_id, order.patient, order.digest, order.placed_at)
    return with_rows(case, "ordering", "intake", lambda rows: [row])


def _refused_line(case: Case) -> Case:
    def partly(decided: dict[str, Any]) -> bool:
        return decided["state"] == "partly_approved"

    decided = body(find(case, OrderDecided, partly))
    line = next(line for line in decided["lines"] if line["outcome"] == "refused")
    return plus(
        case,
        find(case, PrescriptionApproved),
        own_id=True,
        order_id=decided["order_id"],
        **{name: line[name] for name in ("line", "prk", "medicine", "quantity")},
    )


def _foreign(case: Case) -> Case:
    decided = find(case, OrderDecided)
    copy = plus(case, decided, own_id=True)
    last = next(r for r in reversed(copy.dump.records) if r.value == decided.value)
    headers = [(n, b"somebody" if n == "ce_source" else v) for n, v in last.headers]
    records = tuple(replace(r, headers=headers) if r is last else r for r in copy.dump.records)
    return replace(copy, dump=replace(copy.dump, records=records))


ONE_LINE = [{"line": 1, "prk": "5487", "medicine": "x", "quantity": 1, "outcome": "refused"}]

CONTENT = ("Metformine", "5487", "graag", "2x daags")
"""What a record holds and no finding may quote."""

DEFECTS: list[tuple[str, str, Edit]] = [
    ("acknowledged_lost", "an order acknowledged over HTTP", _noting("ok")),
    ("acknowledged_lost", "an order acknowledged over Kafka", _noting("ok", via="kafka")),
    ("acknowledged_lost", "an acknowledged import", _noting("ok", f="import")),
    ("acknowledged_lost", "an acknowledged cancellation of an open order", _cancel_not_carried_out),
    ("acknowledged_lost", "the decision is gone", _no(OrderDecided)),
    ("refused_decided", "a refused order is decided", _refused_and_decided),
    ("input_not_settled", "a request has no decision", _no(OrderDecided)),
    ("input_not_settled", "a cancellation is not carried out", _no(OrderCancelled)),
    ("input_not_settled", "a review is not carried out", _no(OrderLineDecided, _by_gp)),
    ("input_not_settled", "a change is not carried out", no_first_row("medication", "applied")),
    ("input_not_settled", "a cancellation of nothing is gone", _no_letter(b"unknown_order")),
    ("input_not_settled", "another order under one id is gone", _no_letter(b"order_conflict")),
    ("unreadable_not_kept", "bad JSON is gone", _no_letter(b"bad_json")),
    ("misplaced_not_moved", "an order on a wrong partition is left there", _not_moved),
    ("dead_letter_without_cause", "of no record", lambda case: _letter(case, dl_offset=b"99999")),
    ("dead_letter_without_cause", "of another record", lambda case: _letter(case, dl_offset=b"0")),
    ("dead_letter_without_cause", "of nowhere", lambda case: _letter(case, dl_topic=None)),
    (
        "decided_twice",
        "another content, one id",
        _again(OrderDecided, own_id=False, lines=ONE_LINE),
    ),
    ("decided_twice", "another decision", _again(OrderDecided, lines=ONE_LINE)),
    ("decided_twice", "the same decision, another id", _again(OrderDecided)),
    ("decided_twice", "the same line again", _again(OrderLineDecided)),
    ("decided_twice", "another promise, one id", _again(PickupPromised, own_id=False, lines=[9])),
    ("event_without_cause", "nobody placed it", _no(OrderPlace)),
    ("event_without_cause", "nobody cancelled it", _no(OrderCancel)),
    ("event_without_cause", "nobody reviewed it", _no(OrderReview)),
    (
        "event_without_cause",
        "at another time",
        _other(OrderDecided, placed_at="2026-01-01T00:00:00Z"),
    ),
    ("event_without_cause", "a line that was not open", _again(OrderLineDecided, seq=3)),
    ("event_without_cause", "lines that were not open", _other(OrderCancelled, lines=[1, 2, 3])),
    ("event_without_cause", "another pharmacy", _other(OrderCancelled, pharmacy="02999999")),
    (
        "sequence_broken",
        "the first event is gone",
        _no(OrderDecided, lambda b: b["state"] == "in_review"),
    ),
    ("sequence_broken", "a number is skipped", _seq_skipped),
    ("sequence_broken", "two events changed places", _seqs_swapped),
    ("patient_out_of_order", "two decisions changed places", _orders_swapped),
    ("waits_for_ever", "the due time is gone", no_first_row("ordering", "timers")),
    ("prescription_without_approval", "of a refused line", _refused_line),
    (
        "prescription_without_approval",
        "of no order",
        _again(PrescriptionApproved, order_id=str(uuid4())),
    ),
    ("prescription_without_approval", "of another medicine", _other(PrescriptionApproved, prk="1")),
    (
        "prescription_without_approval",
        "of another quantity",
        _other(PrescriptionApproved, quantity=1),
    ),
    (
        "prescription_without_approval",
        "to another pharmacy",
        _other(PrescriptionApproved, pharmacy="02999999"),
    ),
    ("prescription_without_approval", "withdrawn before it came", _withdrawn_first),
    (
        "prescription_without_approval",
        "withdrawn, not cancelled",
        _other(PrescriptionWithdrawn, line=7),
    ),
    ("prescription_count", "none", _no(PrescriptionApproved)),
    ("prescription_count", "two", _again(PrescriptionApproved)),
    ("prescription_count", "not withdrawn", _no(PrescriptionWithdrawn)),
    ("prescription_count", "withdrawn twice", _again(PrescriptionWithdrawn)),
    ("feed_differs", "a row is gone", no_first_row("ordering", "feed")),
    ("feed_differs", "a row is another", first_row("ordering", "feed", body='{"patient":"pat_1"}')),
    ("feed_differs", "another dosage on the topic", _other(PrescriptionApproved, dosage="10x")),
    ("answers_differ", "no answer", _no(MessageSent)),
    ("answers_differ", "not queued", _no(MessageQueued)),
    ("answers_differ", "a second answer", _again(MessageSent)),
    ("answers_differ", "another message", _other(MessageSent, template="line-answer")),
    ("message_without_event", "of no order", _other(MessageSent, order_id=str(uuid4()))),
    ("message_without_event", "to another patient", _of_another_patients_order),
    ("inbox_differs", "no message", no_first_row("notification", "messages")),
    ("inbox_differs", "another patient's", first_row("notification", "messages", patient="pat_1")),
    ("inbox_differs", "sent at another time", _other(MessageSent, at="2026-01-01T00:00:00Z")),
    ("promise_differs", "no promise", _no(PickupPromised)),
    ("promise_differs", "two promises", _again(PickupPromised)),
    ("promise_differs", "another window", _other(PickupPromised, until="2027-01-01T00:00:00Z")),
    ("promise_differs", "of other lines", _other(PickupPromised, lines=[1, 2, 3])),
    ("promise_differs", "facts are broken", first_row("notification", "messages", facts="{")),
    ("told_differs", "other outcomes", first_row("notification", "messages", facts='{"lines":[]}')),
    ("told_differs", "another pharmacy", _other(PickupPromised, pharmacy="02999999")),
    ("counts_differ", "lines off by one", first_row("metrics", "lines", lines=99)),
    ("counts_differ", "orders off by one", first_row("metrics", "orders", orders=99)),
    ("counts_differ", "a sum too few", no_first_row("metrics", "lines")),
    ("counts_differ", "an order not counted", no_first_row("metrics", "counted")),
    (
        "counts_differ",
        "other outcomes",
        first_row("metrics", "counted", outcomes='{"1":"refused"}'),
    ),
    ("counts_differ", "another order", first_row("metrics", "counted", order_id=uuid4())),
    ("orders_differ", "an order is gone", no_first_row("ordering", "orders")),
    ("orders_differ", "another state", first_row("ordering", "orders", state="waiting")),
    ("orders_differ", "another order", first_row("ordering", "orders", order_id=uuid4())),
    ("orders_differ", "a broken row", first_row("ordering", "orders", body="{")),
    ("orders_differ", "another state in the event", _other(OrderDecided, state="waiting")),
    ("orders_differ", "still taken in", _still_taken_in),
    ("told_orders_differ", "an order is gone", no_first_row("notification", "orders")),
    ("told_orders_differ", "an older event", first_row("notification", "orders", seq=0)),
    ("told_orders_differ", "another order", first_row("notification", "orders", order_id=uuid4())),
    ("overview_without_change", "nobody changed it", _no(MedicationImport)),
    (
        "overview_without_change",
        "at another time",
        _other(MedicationOverview, changed_at="2027-01-01T00:00:00Z"),
    ),
    ("overview_without_change", "a version again", _again(MedicationOverview)),
    (
        "applied_without_change",
        "nobody asked",
        first_row("medication", "applied", change_id=uuid4()),
    ),
    ("overviews_differ", "an overview is gone", no_first_row("medication", "overviews")),
    ("overviews_differ", "an older version", first_row("medication", "overviews", version=0)),
    ("overviews_differ", "another content", first_row("medication", "overviews", body="{}")),
    ("overviews_differ", "an older copy", first_row("ordering", "overviews", version=0)),
    ("overviews_differ", "no copy", no_first_row("ordering", "overviews")),
    ("stale_overview", "an older version is last", _older_last),
    ("output_unreadable", "no JSON", lambda case: with_value(case, find(case, OrderDecided), b"{")),
    (
        "output_unreadable",
        "on a wrong partition",
        lambda case: elsewhere(case, find(case, OrderDecided)),
    ),
    ("foreign_record", "an event of somebody else", _foreign),
    ("not_at_rest", "an outbox row is left", _outbox_left),
    ("not_at_rest", "a due time has passed", _timer_overdue),
    ("not_at_rest", "a record is not handled", first_row("metrics", "progress", next_offset=0)),
]


@pytest.mark.parametrize(
    ("rule", "what", "damage"), DEFECTS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_rule_catches_its_defect(rule: str, what: str, damage: Edit) -> None:
    case = damage(clean())
    verdict = check(case.history, case.dump)
    assert rule in {violation.rule for violation in verdict.violations}, what
    told = repr(verdict.violations)
    assert [word for word in CONTENT if word in told] == []


def test_every_rule_has_a_defect_that_it_catches() -> None:
    assert {rule for rule, _, _ in DEFECTS} == RULES.keys()
