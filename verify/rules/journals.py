"""What ordering keeps of the past, orders' journals and patients' histories, follows from the events."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from schemas.base import Actor
from schemas.reasons import Reason
from schemas.records.orders import (
    DecidedLine,
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderEvent,
    OrderFulfilment,
    OrderLineDecided,
    OrderLineSignalled,
    Outcome,
)
from verify.evidence import Evidence
from verify.expected_orders import OPEN, ExpectedOrder, Line, happened_at, policy_of
from verify.notes import Known, Note, NotedActor, NotedLine
from verify.rules.finding import Finding

MOST_OF_A_MEDICINE = 100
"""A history has so many lines of a medicine at most; of one that was ordered more often it is not checked."""

KEPT = timedelta(days=550)
"""How long a history has an approved line."""


def journal_differs(evidence: Evidence) -> Iterator[Finding]:
    """An order's journal has one note for each event, which says what the event says, and nothing else."""
    for order in evidence.orders.values():
        notes = evidence.journals.get(order.order_id, ())
        expected = [_note(message.body) for message in order.events]
        if [note.seq for note in notes] != [note.seq for note in expected]:
            yield Finding("its journal has not one note for each event", f"{order.order_id}")
            continue
        for note, says, event in zip(notes, expected, order.events, strict=True):
            if replace(note, known=None) != says:
                yield Finding("the note of this event says something else", event.where)
            elif note.known and (why := _known_difference(note.known, event.body, order)):
                yield Finding(why, event.where)


def _known_difference(known: Known, event: OrderEvent, order: ExpectedOrder) -> str | None:
    """What of the versions, lines and time that were known does not belong to this event."""
    if known.at != happened_at(event) or len(known.lines) != len(order.lines):
        return "what was known then has another time, or other lines"
    said = getattr(event, "overview_version", known.overview_version)
    policy = event.policy_version if isinstance(event, OrderDecided) else known.policy_version
    if (said, policy) != (known.overview_version, known.policy_version):
        return "what was known then has another version of the overview or policy"
    prks = (line.prk for line in order.lines.values())
    if any(n.entry and n.entry.prk != prk for n, prk in zip(known.lines, prks, strict=True)):
        return "what was known then is of another medicine"
    return None


def _note(event: OrderEvent) -> Note:
    """The note of an event, without what was known."""
    match event:
        case OrderDecided():
            lines = [_decided(line) for line in event.lines]
            return _made(event, lines, policy_of(event), rules=event.rules, through=event.through)
        case OrderLineDecided():
            by = event.decided_by
            return _made(event, [_decided(event)], by, rules=event.rules, words=event.explanation)
        case OrderLineSignalled():
            return _made(event, [NotedLine(event.line, status=event.signal)])
        case OrderCancelled():
            lines = [NotedLine(line, Outcome.CANCELLED) for line in event.lines]
            by = event.cancelled_by
            return _made(event, lines, by, words=event.reason, through=event.through)
        case OrderEscalated():
            return _made(event, [NotedLine(event.line, reviewer=event.to_role)])
        case OrderFulfilment():
            return _made(event, [NotedLine(event.line, status=event.status)], words=event.reason)


def _made(
    event: OrderEvent,
    lines: Iterable[NotedLine],
    by: Actor | None = None,
    *,
    rules: int | None = None,
    words: str | None = None,
    through: str | None = None,
) -> Note:
    kind = event.TYPE.rpartition(".")[0]
    who = NotedActor.of(by)
    return Note(event.seq, kind, happened_at(event), tuple(lines), who, rules, words, through)


def _decided(line: DecidedLine | OrderLineDecided) -> NotedLine:
    return NotedLine(
        line.line,
        line.outcome,
        tuple(map(_reason, line.reasons)),
        line.reviewer,
        tuple(line.signals),
        reviewed_as=line.reviewed_as if isinstance(line, OrderLineDecided) else None,
    )


def _reason(reason: Reason) -> dict[str, object]:
    return reason.model_dump(mode="json")


class _Earlier(Struct, frozen=True, array_like=True):
    """A line in a patient's history; times are UTC."""

    order_id: UUID
    line: int
    prk: str
    outcome: str
    placed_at: datetime
    approved_at: datetime | None
    quantity: Decimal | None


_decode_history = msgspec.json.Decoder(tuple[_Earlier, ...]).decode


def ordered_before_differs(evidence: Evidence) -> Iterator[Finding]:
    """ordering's history of each patient has the lines that are open, and those approved lately; no other."""
    rows = {row.patient: row.lines for row in evidence.dump.ordering.histories}
    for patient in sorted(rows.keys() | evidence.orders_of_patients.keys()):
        try:
            stored = sorted(_decode_history(rows.get(patient, "[]")), key=_place)
        except msgspec.DecodeError:
            yield Finding("its history cannot be read", patient)
            continue
        kept = [line for line in stored if line.order_id not in evidence.unverifiable]
        orders = evidence.orders_of_patients.get(patient, [])
        often = Counter(line.prk for order in orders for line in order.lines.values())
        if _seldom(kept, often) != _seldom(_expected_history(orders), often):
            yield Finding("its history does not follow from the events of its orders", patient)


def _seldom(lines: Sequence[_Earlier], often: Counter[str]) -> list[_Earlier]:
    """The lines of medicines that were not ordered so often that the oldest may be forgotten."""
    return [line for line in lines if often[line.prk] <= MOST_OF_A_MEDICINE]


def _expected_history(orders: Sequence[ExpectedOrder]) -> list[_Earlier]:
    """The lines of a patient's orders by order id, without those that were forgotten meanwhile."""
    newest = max(orders, key=lambda order: order.events[-1].offset, default=None)
    lines = [
        _earlier(order, number, line)
        for order in orders
        for number, line in order.lines.items()
        if line.outcome in OPEN and not _is_forgotten(order, line, newest)
    ]
    return sorted(lines, key=_place)


def _place(line: _Earlier) -> tuple[UUID, int]:
    return line.order_id, line.line


def _is_forgotten(order: ExpectedOrder, line: Line, newest: ExpectedOrder | None) -> bool:
    """Tell whether the patient's newest event is another order's, and came when this line was old."""
    approved_at = _approved_at(order, line)
    if approved_at is None or newest is None or newest is order:
        return False
    return happened_at(newest.events[-1].body) >= approved_at + KEPT


def _approved_at(order: ExpectedOrder, line: Line) -> datetime | None:
    if line.outcome is not Outcome.APPROVED:
        return None
    return line.decided_at or order.first.placed_at


def _earlier(order: ExpectedOrder, number: int, line: Line) -> _Earlier:
    return _Earlier(
        order.order_id,
        number,
        line.prk,
        line.outcome.value,
        order.first.placed_at,
        _approved_at(order, line),
        line.quantity,
    )
