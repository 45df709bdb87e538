"""The services' databases, and the compacted topic, are what the events make of them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from schemas.records.orders import OrderState, Outcome
from verify.facts import Facts
from verify.fold import Folded
from verify.read import Fact
from verify.rows import CopyRow, OverviewRow
from verify.rules.found import Found, at, on
from verify.rules.overview_changes import of_overview, of_record


class _Line(msgspec.Struct):
    number: int
    prk: str
    medicine: str
    quantity: int
    dosage: str
    outcome: str
    reasons: tuple[dict[str, Any], ...] = ()


class _Order(msgspec.Struct):
    """What follows from its events of an order that ordering keeps."""

    patient: str
    practice: str
    pharmacy: str
    channel: str
    placed_at: str
    seq: int
    cancelled: bool
    lines: tuple[_Line, ...]


class _Entry(msgspec.Struct):
    prk: str
    status: str
    dosage: str
    quantity: int
    high_risk: bool
    repeat_service: bool


class _ToldLine(msgspec.Struct):
    number: int
    medicine: str
    outcome: str


class _Told(msgspec.Struct):
    """What notification keeps of an order."""

    patient: str
    seq: int
    lines: tuple[_ToldLine, ...]


_order = msgspec.json.Decoder(_Order).decode
_told = msgspec.json.Decoder(_Told).decode
_entries = msgspec.json.Decoder(tuple[_Entry, ...]).decode


def output_unreadable(facts: Facts) -> Iterator[Found]:
    """What our services write can be read, and is on its key's partition."""
    for topic in facts.outputs:
        foreign = {id(record) for record in topic.foreign}
        for record, why in topic.unreadable:
            if id(record) not in foreign:
                yield Found(f"{why.reason}: {why.detail}", on(record))
        for record, home in topic.misplaced:
            if id(record) not in foreign:
                yield Found(f"it belongs on partition {home}", on(record))


def foreign_record(facts: Facts) -> Iterator[Found]:
    """Only the service that a topic belongs to writes there."""
    for topic in facts.outputs:
        for record in topic.foreign:
            yield Found("not written by the service that the topic belongs to", on(record))


def orders_differ(facts: Facts) -> Iterator[Found]:
    """ordering's orders are the fold of their events, and none of them is still noted as taken in."""
    rows = {row.order_id: row for row in facts.dump.ordering.orders}
    for order in facts.orders.values():
        row = rows.get(order.order_id)
        if row is None:
            yield Found("decided, and not in ordering's database", f"{order.order_id}")
        elif why := _why_other(order, row):
            yield Found(why, f"{order.order_id}")
    for order_id in rows.keys() - facts.orders.keys() - facts.unjudged:
        yield Found("in ordering's database, and no events tell of it", f"{order_id}")
    for taken in facts.dump.ordering.intake:
        if taken.order_id in facts.orders:
            yield Found("decided, and still noted as taken in", f"{taken.order_id}")


def _why_other(order: Folded, row: Any) -> str | None:
    try:
        stored = _order(row.body)
    except msgspec.DecodeError:
        return "its row cannot be read"
    first = order.first
    if first.state != state_of(line.outcome for line in first.lines):
        return "its decision's state does not follow from its lines"
    if row.state != state_after(order) or row.placed_at != first.placed_at:
        return "its row's state or time is another than its events'"
    if (row.patient, row.practice) != (stored.patient, stored.practice):
        return "its row contradicts itself"
    return None if stored == _folded(order, stored.placed_at) else "it is not what its events say"


def _folded(order: Folded, placed_at: str) -> _Order:
    first = order.first
    lines = tuple(
        _Line(
            number,
            line.prk,
            line.medicine,
            line.quantity,
            line.dosage,
            line.outcome.value,
            tuple(reason.model_dump(mode="json") for reason in line.reasons),
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


def state_after(order: Folded) -> str:
    """The state of an order after its events."""
    if order.cancelled:
        return OrderState.CANCELLED
    return state_of(line.outcome for line in order.lines.values())


def state_of(outcomes: Iterator[Outcome]) -> OrderState:
    """What lines with these outcomes make of their order (docs/architecture: the order's state)."""
    found = set(outcomes)
    for outcome, state in (
        (Outcome.WAITING, OrderState.WAITING),
        (Outcome.REVIEW, OrderState.IN_REVIEW),
    ):
        if outcome in found:
            return state
    if Outcome.APPROVED in found:
        return OrderState.PARTLY_APPROVED if len(found) > 1 else OrderState.APPROVED
    return OrderState.REFUSED


def told_orders_differ(facts: Facts) -> Iterator[Found]:
    """What notification keeps of each order is the fold of its events."""
    rows = {row.order_id: row for row in facts.dump.notification.orders}
    for order in facts.orders.values():
        row = rows.get(order.order_id)
        if row is None or not _is_told(order, row):
            yield Found("notification knows another order, or none", f"{order.order_id}")
    for order_id in rows.keys() - facts.orders.keys() - facts.unjudged:
        yield Found("notification knows it, and no events tell of it", f"{order_id}")


def _is_told(order: Folded, row: Any) -> bool:
    try:
        stored = _told(row.body)
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


def overview_without_change(facts: Facts) -> Iterator[Found]:
    """Every overview that medication published follows from a change that Kafka took at its time."""
    taken = {(m.key, m.body.change_id, m.at) for m in facts.changes.messages}
    since = facts.known_since(facts.changes.topic.name)
    newest: dict[str, int] = {}
    for message in facts.overviews.messages:
        overview = message.body
        if overview is None:
            yield Found("medication removes no overview", at(message))
            continue
        cause = (overview.patient, overview.change.change_id, overview.changed_at)
        if overview.changed_at > since and cause not in taken:
            yield Found("no change led to it at its time", at(message))
        if overview.version <= newest.get(overview.patient, 0):
            yield Found(f"version {overview.version} comes after a newer one", at(message))
        newest[overview.patient] = overview.version


def stale_overview(facts: Facts) -> Iterator[Found]:
    """What is last on the compacted topic of each patient is the newest version."""
    for patient, messages in facts.overviews_of.items():
        versions = [m.body.version if m.body else 0 for m in _raw(facts, patient, messages)]
        if versions and versions[-1] != max(versions):
            yield Found(f"version {versions[-1]} after version {max(versions)}", patient)


def _raw(facts: Facts, patient: str, messages: list[Any]) -> list[Any]:
    """These messages and the repeats of them, as they are on the topic."""
    by_value = {m.record.value: m for m in messages}
    key = patient.encode()
    return [
        by_value[record.value] for record in facts.overview_records[key] if record.value in by_value
    ]


def overviews_differ(facts: Facts) -> Iterator[Found]:
    """medication's database, and ordering's copy, have what is newest on the compacted topic."""
    newest: dict[str, Any] = {}
    for patient, messages in facts.overviews_of.items():
        found = [m for m in messages if m.body is not None]
        if found:
            newest[patient] = max(found, key=lambda m: m.body.version)
    ours = {id(m) for m in facts.overviews.messages}
    kept = {row.patient: row for row in facts.dump.medication.overviews}
    for patient in sorted(newest.keys() | kept.keys()):
        row, message = kept.get(patient), newest.get(patient)
        if row is None or message is None or row.version != message.body.version:
            yield Found("medication has another version than the topic", patient)
        elif id(message) in ours and not _is_published(row, message):
            yield Found("medication has another content than the topic", patient)
    copies = {row.patient: row for row in facts.dump.ordering.overviews}
    for patient in sorted(copies.keys() | kept.keys()):
        copy, row = copies.get(patient), kept.get(patient)
        if copy is None or row is None or copy.version != row.version:
            yield Found("ordering's copy is not what medication has", patient)
        elif not _is_copy(copy, row):
            yield Found("ordering's copy has another content than medication has", patient)


def _is_published(row: OverviewRow, message: Fact) -> bool:
    try:
        return of_overview(row) == of_record(message)
    except (msgspec.DecodeError, KeyError, TypeError):
        return False


def _is_copy(copy: CopyRow, row: OverviewRow) -> bool:
    try:
        kept = msgspec.json.decode(copy.medications)
        entries = [msgspec.structs.asdict(entry) for entry in _entries(row.medications)]
    except msgspec.DecodeError:
        return False
    return bool((copy.practice, kept) == (row.practice, entries))


def applied_without_change(facts: Facts) -> Iterator[Found]:
    """medication has carried out only changes that are on its topic."""
    asked: set[tuple[str, UUID]] = {(m.key, m.body.change_id) for m in facts.changes.messages}
    since = facts.known_since(facts.changes.topic.name)
    for row in facts.dump.medication.applied:
        if row.applied_at > since and (row.patient, row.change_id) not in asked:
            yield Found("carried out, and never asked for", f"change {row.change_id}")
