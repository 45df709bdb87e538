"""Defects to put into a clean case: what a bug in a service would leave behind."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from schemas.records.medication import MedicationOverview
from schemas.records.notifications import PickupPromised
from schemas.records.orders import OrderCancelled, OrderDecided, OrderPlace
from schemas.records.prescriptions import PrescriptionApproved, PrescriptionWithdrawn
from tests.unit.verify.edit import (
    EVENTS,
    REQUESTS,
    Edit,
    body,
    find,
    header,
    plus,
    with_body,
    with_rows,
    with_swapped,
    without,
)
from tests.unit.verify.made import Case
from tests.unit.verify.plays import operation
from verify.history import Operation
from verify.rows import IntakeRow, OutboxRow, TimerRow


def recorded(outcome: Any, f: Any = "place", via: Any = "http") -> Edit:
    """The history has an operation on an order that does not exist."""
    return lambda case: _with_operation(case, operation(uuid4(), outcome, f, via))


def _with_operation(case: Case, *more: Operation) -> Case:
    return replace(case, history=(*case.history, *more))


def missing(kind: Any, such: Callable[[dict[str, Any]], bool] = lambda _: True) -> Edit:
    """The first record of a kind for which `such` holds is missing."""
    return lambda case: without(case, find(case, kind, such))


def altered(kind: Any, **changes: Any) -> Edit:
    """The first record of a kind has other fields."""
    return lambda case: with_body(case, find(case, kind), **changes)


def added(kind: Any, *, own_id: bool = True, **changes: Any) -> Edit:
    """There is a copy of the first record of a kind, with other fields."""
    return lambda case: plus(case, find(case, kind), own_id=own_id, **changes)


def by_gp(event: dict[str, Any]) -> bool:
    """Whether a GP decided it."""
    return bool(event["decided_by"]["role"] == "gp")


def practice_orders_counted_online(case: Case) -> Case:
    """metrics counted what the practice entered in the portal as ordered by patients."""
    return with_rows(
        case,
        "metrics",
        "counted",
        lambda rows: [
            replace(row, channel="portal") if row.channel == "portal_by_practice" else row
            for row in rows
        ],
    )


def promise_on_another_patients_order(case: Case) -> Case:
    """A promise names the order of another patient."""
    other = find(case, OrderDecided, lambda b: b["patient"] == "pat_late0000")
    return with_body(case, find(case, PickupPromised), order_id=body(other)["order_id"])


def cancel_without_effect(case: Case) -> Case:
    """A cancellation was acknowledged and its order is still open."""
    open_order = find(
        case,
        OrderDecided,
        lambda b: b["patient"].startswith("pat_made") and not _is_cancelled(case, b),
    )
    return _with_operation(case, operation(UUID(body(open_order)["order_id"]), f="cancel"))


def _is_cancelled(case: Case, decided: dict[str, Any]) -> bool:
    return any(
        header(r, "ce_type") == OrderCancelled.ce_type().encode()
        and body(r)["order_id"] == decided["order_id"]
        for r in case.dump.records
    )


def refused_and_decided(case: Case) -> Case:
    """The only attempt to place a decided order was refused."""
    order_id = UUID(body(find(case, OrderDecided))["order_id"])
    kept = tuple(o for o in case.history if o.order_id != order_id)
    return replace(case, history=(*kept, operation(order_id, "fail")))


def refused_with_effect(f: Any) -> Edit:
    """The only attempt at an operation that took effect was refused."""

    def edit(case: Case) -> Case:
        done = next(o for o in case.history if o.f == f and o.outcome == "ok")
        kept = tuple(o for o in case.history if (o.f, o.order_id) != (f, done.order_id))
        return replace(case, history=(*kept, operation(done.order_id, "fail", f)))

    return edit


def seqs_swapped(case: Case) -> Case:
    """An order's decision comes after its cancellation."""
    cancelled = find(case, OrderCancelled)
    decided = find(case, OrderDecided, lambda b: b["order_id"] == body(cancelled)["order_id"])
    return with_swapped(case, decided, cancelled)


def orders_swapped(case: Case) -> Case:
    """Two decisions of one patient are swapped."""
    first = find(case, OrderDecided)
    second = find(
        case,
        OrderDecided,
        lambda b: (
            b["patient"] == body(first)["patient"]
            and b != body(first)
            and not _is_cancelled(case, b)
        ),
    )
    return with_swapped(case, first, second)


def seq_skipped(case: Case) -> Case:
    """An order's second event has `seq` 3."""
    return with_body(case, find(case, OrderCancelled), seq=3)


def letter_with(case: Case, **changes: bytes | None) -> Case:
    """A dead letter has other headers; None removes one."""
    letter = next(r for r in case.dump.records if r.topic == "ordering.dead-letters")
    kept = [(n, v) for n, v in letter.headers if n not in changes]
    headers = [*kept, *((n, v) for n, v in changes.items() if v is not None)]
    records = tuple(replace(r, headers=headers) if r is letter else r for r in case.dump.records)
    return replace(case, dump=replace(case.dump, records=records))


def no_dead_letter(reason: bytes) -> Edit:
    """The dead letter with this reason is missing."""

    def edit(case: Case) -> Case:
        letters = (r for r in case.dump.records if header(r, "dl_reason") == reason)
        return without(case, next(letters))

    return edit


def not_moved(case: Case) -> Case:
    """A misplaced record was not sent on."""
    ids = [header(r, "ce_id") for r in case.dump.records if r.topic == REQUESTS]
    moved = [
        r for r in case.dump.records if r.topic == REQUESTS if ids.count(header(r, "ce_id")) == 2
    ]
    patient = moved[0].key or b""
    (home,) = [r for r in moved if r.partition == _home(case, patient)]
    return without(case, home)


def _home(case: Case, key: bytes) -> int:
    return next(r.partition for r in case.dump.records if r.topic == EVENTS and r.key == key)


def older_last(case: Case) -> Case:
    """Version 1 was written after version 2."""
    newest = find(case, MedicationOverview, lambda b: b["version"] == 2)
    older = find(
        case,
        MedicationOverview,
        lambda b: b["version"] == 1 and b["patient"] == body(newest)["patient"],
    )
    return plus(case, older, own_id=False)


def withdrawn_first(case: Case) -> Case:
    """A withdrawal comes before its prescription."""
    withdrawn = find(case, PrescriptionWithdrawn)
    return with_swapped(case, _prescription_of(case, withdrawn), withdrawn)


def _prescription_of(case: Case, withdrawn: Any) -> Any:
    wanted = body(withdrawn)["prescription_id"]
    return find(case, PrescriptionApproved, lambda b: b["prescription_id"] == wanted)


def outbox_left(case: Case) -> Case:
    """An outbox row was not published."""
    row = OutboxRow(1, 0, b"", case.dump.taken_at)
    return with_rows(case, "notification", "outbox", lambda rows: [*rows, row])


def timer_overdue(case: Case) -> Case:
    """A timer did not fire."""
    due = case.dump.taken_at - timedelta(minutes=1)
    row = TimerRow(uuid4(), 0, due, b"")
    return with_rows(case, "ordering", "timers", lambda rows: [*rows, row])


def _with_due(case: Case, due: datetime | None) -> Case:
    """The waiting lines have this due time."""
    return with_rows(
        case,
        "ordering",
        "order_lines",
        lambda rows: [replace(r, due=due) if r.outcome == "waiting" else r for r in rows],
    )


def due_at_another_time(case: Case) -> Case:
    """A waiting line is due at another time than its timer."""
    return _with_due(case, case.dump.taken_at + timedelta(days=9))


def never_due(case: Case) -> Case:
    """A waiting line has no due time."""
    return _with_due(case, None)


def decided_in_intake(case: Case) -> Case:
    """A decided order is still in the intake."""
    order = case.dump.ordering.orders[0]
    row = IntakeRow(order.order_id, order.patient, order.digest, order.placed_at)
    return with_rows(case, "ordering", "intake", lambda rows: [row])


def refused_line_prescribed(case: Case) -> Case:
    """A refused line has a prescription."""

    def partly(decided: dict[str, Any]) -> bool:
        return bool(decided["state"] == "partly_approved")

    decided = body(find(case, OrderDecided, partly))
    line = next(line for line in decided["lines"] if line["outcome"] == "refused")
    return plus(
        case,
        find(case, PrescriptionApproved),
        own_id=True,
        order_id=decided["order_id"],
        **{name: line[name] for name in ("line", "prk", "medicine", "quantity")},
    )


def process_twice(case: Case) -> Case:
    """A process is a member of its consumer group twice."""
    members = (*case.dump.members, case.dump.members[0])
    return replace(case, dump=replace(case.dump, members=members))


def not_audited(case: Case) -> Case:
    """A command of ordering's API has no entry in the trail."""
    placed = find(case, OrderPlace)
    headers = [
        (n, b"nl.herhaal/ordering/http" if n == "ce_source" else v) for n, v in placed.headers
    ]
    records = tuple(replace(r, headers=headers) if r is placed else r for r in case.dump.records)
    return replace(case, dump=replace(case.dump, records=records))


def foreign(case: Case) -> Case:
    """An event was written by another than ordering."""
    decided = find(case, OrderDecided)
    copy = plus(case, decided, own_id=True)
    last = next(r for r in reversed(copy.dump.records) if r.value == decided.value)
    headers = [(n, b"another writer" if n == "ce_source" else v) for n, v in last.headers]
    records = tuple(replace(r, headers=headers) if r is last else r for r in copy.dump.records)
    return replace(copy, dump=replace(copy.dump, records=records))
