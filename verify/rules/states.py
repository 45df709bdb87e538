"""The services' databases and output topics agree with the events."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from schemas.records.orders import OrderState, Outcome
from verify.evidence import Evidence
from verify.expected_orders import ExpectedOrder
from verify.notes import Entry
from verify.rows import OverviewCopyRow, OverviewRow
from verify.rules.finding import Finding
from verify.rules.overview_changes import overview_of_row
from verify.topic_records import ParsedRecord


class _Line(msgspec.Struct):
    number: int
    prk: str
    medicine: str
    quantity: Decimal | None
    outcome: str
    dosage: str = ""
    reasons: tuple[dict[str, Any], ...] = ()
    unit: str | None = None
    ordered_as: str | None = None
    reviewer: str | None = None
    signals: tuple[str, ...] = ()
    sent_by_practice: bool = False
    signal: str | None = None
    decided_at: datetime | None = None


class _Order(msgspec.Struct):
    """The part of ordering's row that follows from the order's events."""

    patient: str
    practice: str
    pharmacy: str
    channel: str
    placed_at: str
    seq: int
    cancelled: bool
    lines: tuple[_Line, ...]


class _Flaw(msgspec.Struct):
    kept: bool
    prk: str | None = None


class _NotifiedLine(msgspec.Struct):
    number: int
    medicine: str
    outcome: str


class _NotifiedOrder(msgspec.Struct):
    """The part of notification's row that is checked."""

    patient: str
    seq: int
    lines: tuple[_NotifiedLine, ...]


_decode_order = msgspec.json.Decoder(_Order).decode
_decode_notified = msgspec.json.Decoder(_NotifiedOrder).decode
_decode_entries = msgspec.json.Decoder(tuple[Entry, ...]).decode
_decode_flaws = msgspec.json.Decoder(tuple[_Flaw, ...]).decode


def output_unreadable(evidence: Evidence) -> Iterator[Finding]:
    """Every record that a service writes is readable, and on the partition of its key."""
    for topic in evidence.outputs:
        foreign = {id(record) for record in topic.foreign}
        for record, why in topic.unreadable:
            if id(record) not in foreign:
                yield Finding(f"{why.reason}: {why.detail}", record.where)
        for record, home in topic.misplaced:
            if id(record) not in foreign:
                yield Finding(f"it belongs on partition {home}", record.where)


def foreign_record(evidence: Evidence) -> Iterator[Finding]:
    """Only its own service writes an output topic."""
    for topic in evidence.outputs:
        for record in topic.foreign:
            yield Finding("written by another than the service of the topic", record.where)


def orders_differ(evidence: Evidence) -> Iterator[Finding]:
    """ordering's orders follow from their events, and no decided order is still in the intake."""
    rows = {row.order_id: row for row in evidence.dump.ordering.orders}
    for order in evidence.orders.values():
        row = rows.get(order.order_id)
        if row is None:
            yield Finding("it was decided and ordering has no row", f"{order.order_id}")
        elif why := _row_difference(order, row):
            yield Finding(why, f"{order.order_id}")
    for order_id in rows.keys() - evidence.orders.keys() - evidence.unverifiable:
        yield Finding("ordering has a row, but there are no events", f"{order_id}")
    for accepted in evidence.dump.ordering.intake:
        if accepted.order_id in evidence.orders:
            yield Finding("it was decided and is still in the intake", f"{accepted.order_id}")


def _row_difference(order: ExpectedOrder, row: Any) -> str | None:
    try:
        stored = _decode_order(row.body)
    except msgspec.DecodeError:
        return "its row cannot be read"
    first = order.first
    if first.state != state_of(line.outcome for line in first.lines):
        return "the state in its decision does not follow from its lines"
    if row.state != state_after(order) or row.placed_at != first.placed_at:
        return "its row's state or placed_at does not follow from its events"
    if (row.patient, row.practice) != (stored.patient, stored.practice):
        return "its row's patient or practice differs from its body's"
    if stored != _expected_body(order, stored.placed_at):
        return "its row does not follow from its events"
    return None


def _expected_body(order: ExpectedOrder, placed_at: str) -> _Order:
    first = order.first
    lines = tuple(
        _Line(
            number,
            line.prk,
            line.medicine,
            line.quantity,
            line.outcome.value,
            line.dosage,
            tuple(reason.model_dump(mode="json") for reason in line.reasons),
            line.unit,
            line.ordered_as,
            line.reviewer,
            tuple(line.signals),
            line.sent_by_practice,
            line.signal,
            line.decided_at,
        )
        for number, line in order.lines.items()
    )
    return _Order(
        first.patient,
        first.practice,
        first.pharmacy,
        first.channel.value,
        placed_at,
        order.seq,
        order.cancelled is not None,
        lines,
    )


def state_after(order: ExpectedOrder) -> str:
    """The state of an order after its events."""
    if order.cancelled:
        return OrderState.CANCELLED
    return state_of(line.outcome for line in order.lines.values())


def state_of(outcomes: Iterator[Outcome]) -> OrderState:
    """The state of an order by its lines' outcomes (docs/architecture/ordering.md)."""
    present = set(outcomes)
    for outcome, state in (
        (Outcome.WAITING, OrderState.WAITING),
        (Outcome.REVIEW, OrderState.IN_REVIEW),
    ):
        if outcome in present:
            return state
    if Outcome.APPROVED in present:
        return OrderState.PARTLY_APPROVED if len(present) > 1 else OrderState.APPROVED
    return OrderState.REFUSED


def notification_orders_differ(evidence: Evidence) -> Iterator[Finding]:
    """notification's orders follow from their events."""
    rows = {row.order_id: row for row in evidence.dump.notification.orders}
    for order in evidence.orders.values():
        row = rows.get(order.order_id)
        if row is None or not _is_notified(order, row):
            yield Finding(
                "notification has no row, or one that does not follow from its events",
                f"{order.order_id}",
            )
    for order_id in rows.keys() - evidence.orders.keys() - evidence.unverifiable:
        yield Finding("notification has a row, but there are no events", f"{order_id}")


def _is_notified(order: ExpectedOrder, row: Any) -> bool:
    try:
        stored = _decode_notified(row.body)
    except msgspec.DecodeError:
        return False
    lines = {line.number: (line.medicine, line.outcome) for line in stored.lines}
    expected = {n: (line.medicine, line.outcome.value) for n, line in order.lines.items()}
    return (row.seq, stored.seq, stored.patient, lines) == (
        order.seq,
        order.seq,
        order.first.patient,
        expected,
    )


def overview_without_change(evidence: Evidence) -> Iterator[Finding]:
    """Every published overview follows from a change with its append time, and versions rise."""
    requested = {(m.key, m.body.change_id, m.at) for m in evidence.changes.messages}
    since = evidence.complete_since(evidence.changes.topic.name)
    newest: dict[str, int] = {}
    for message in evidence.overviews.messages:
        overview = message.body
        if overview is None:
            yield Finding("a tombstone, which medication never writes", message.where)
            continue
        cause = (overview.patient, overview.change.change_id, overview.changed_at)
        if overview.changed_at > since and cause not in requested:
            yield Finding("no change of its time caused it", message.where)
        if overview.version <= newest.get(overview.patient, 0):
            yield Finding(f"version {overview.version} comes after a newer one", message.where)
        newest[overview.patient] = overview.version


def stale_overview(evidence: Evidence) -> Iterator[Finding]:
    """Each patient's last record on the compacted topic is the newest version."""
    for patient, messages in evidence.overviews_by_patient.items():
        versions = [m.body.version if m.body else 0 for m in _raw(evidence, patient, messages)]
        if versions and versions[-1] != max(versions):
            yield Finding(f"version {versions[-1]} after version {max(versions)}", patient)


def _raw(evidence: Evidence, patient: str, messages: list[Any]) -> list[Any]:
    """These messages with their repeats, in the order of the topic."""
    by_value = {m.record.value: m for m in messages}
    key = patient.encode()
    return [
        by_value[record.value]
        for record in evidence.overview_records[key]
        if record.value in by_value
    ]


def overviews_differ(evidence: Evidence) -> Iterator[Finding]:
    """medication's overviews and ordering's copies are the newest versions on the compacted topic."""
    newest: dict[str, Any] = {}
    for patient, messages in evidence.overviews_by_patient.items():
        versions = [m for m in messages if m.body is not None]
        if versions:
            newest[patient] = max(versions, key=lambda m: m.body.version)
    ours = {id(m) for m in evidence.overviews.messages}
    kept = {row.patient: row for row in evidence.dump.medication.overviews}
    for patient in sorted(newest.keys() | kept.keys()):
        row, message = kept.get(patient), newest.get(patient)
        if row is None or message is None or row.version != message.body.version:
            yield Finding("medication has another version than the topic", patient)
        elif id(message) in ours and not _is_published(row, message):
            yield Finding("medication has another content than the topic", patient)
    copies = {row.patient: row for row in evidence.dump.ordering.overviews}
    for patient in sorted(copies.keys() | kept.keys()):
        copy, row = copies.get(patient), kept.get(patient)
        if copy is None or row is None or copy.version != row.version:
            yield Finding("ordering's copy has another version than medication", patient)
        elif not _is_copy(copy, row):
            yield Finding("ordering's copy has another content than medication", patient)


def _is_published(row: OverviewRow, message: ParsedRecord) -> bool:
    try:
        return bool(overview_of_row(row) == message.body)
    except ValueError:
        return False


def _is_copy(copy: OverviewCopyRow, row: OverviewRow) -> bool:
    try:
        kept = _decode_entries(copy.medications)
        entries = _decode_entries(row.medications)
        left_out = {flaw.prk for flaw in _decode_flaws(row.flaws) if not flaw.kept}
    except msgspec.DecodeError:
        return False
    expected = tuple(replace(entry, incomplete=entry.prk in left_out) for entry in entries)
    return (copy.practice, kept) == (row.practice, expected)


def applied_without_change(evidence: Evidence) -> Iterator[Finding]:
    """Every applied change is on medication's input topic."""
    requested: set[tuple[str, UUID]] = {
        (m.key, m.body.change_id) for m in evidence.changes.messages
    }
    since = evidence.complete_since(evidence.changes.topic.name)
    for row in evidence.dump.medication.applied:
        if row.applied_at > since and (row.patient, row.change_id) not in requested:
            yield Finding("applied, but not on the topic", f"change {row.change_id}")
