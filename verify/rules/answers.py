"""Messages to patients, promised pickups and metrics' counts agree with the decisions."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from schemas.base import Channel, Role
from schemas.records.notifications import MessageQueued, MessageSent, PickupPromised
from schemas.records.orders import OrderCancelled, OrderDecided, OrderLineDecided, Outcome
from schemas.times import AMSTERDAM
from verify.evidence import Evidence
from verify.expected_orders import ExpectedOrder
from verify.rules.finding import Finding
from verify.topic_records import ParsedRecord

TEMPLATES: dict[type, str] = {
    OrderDecided: "order-answer",
    OrderLineDecided: "line-answer",
    OrderCancelled: "order-cancelled",
}
"""The template of the message about each event."""


class _Window(msgspec.Struct):
    start: datetime
    until: datetime


class _AnsweredLine(msgspec.Struct):
    line: int
    outcome: str
    sent_by_practice: bool = False


class _MessageFacts(msgspec.Struct):
    """The part of a message's facts that is checked; a cancellation has no lines."""

    lines: tuple[_AnsweredLine, ...] = ()
    window: _Window | None = None
    no_pickup: str | None = None

    @property
    def approved(self) -> tuple[int, ...]:
        """The lines that a pickup can be promised for: what the practice sends itself has none."""
        approved = [line for line in self.lines if line.outcome == Outcome.APPROVED]
        return tuple(line.line for line in approved if not line.sent_by_practice)


_decode_facts = msgspec.json.Decoder(_MessageFacts).decode
_outcomes = msgspec.json.Decoder(dict[int, str]).decode


def message_count(evidence: Evidence) -> Iterator[Finding]:
    """Every decision and cancellation has exactly one message, queued once and sent once.

    An approved line that a person keeps has none: what the patient was told still holds.
    """
    expected: Counter[tuple[UUID, str]] = Counter()
    for order in evidence.orders.values():
        for body in _with_message(event.body for event in order.events):
            expected[order.order_id, TEMPLATES[type(body)]] += 1
    for kind in (MessageQueued, MessageSent):
        actual = Counter(
            (body.order_id, body.template)
            for body in _notifications_of(evidence, kind)
            if body.order_id not in evidence.unverifiable
        )
        for where in sorted(expected.keys() | actual.keys(), key=str):
            if expected[where] != actual[where]:
                what = f"{actual[where]} × {kind.TYPE} {where[1]}, not {expected[where]}"
                yield Finding(what, f"{where[0]}")


def _with_message(bodies: Iterable[Any]) -> Iterator[Any]:
    """The events of an order of which its patient is told, in their order."""
    approved: set[int] = set()
    for body in bodies:
        match body:
            case OrderDecided():
                approved = {n.line for n in body.lines if n.outcome is Outcome.APPROVED}
                yield body
            case OrderLineDecided(outcome=Outcome.APPROVED) if body.line in approved:
                pass
            case OrderLineDecided():
                note = approved.add if body.outcome is Outcome.APPROVED else approved.discard
                note(body.line)
                yield body
            case OrderCancelled():
                yield body
            case _:
                pass


def message_without_event(evidence: Evidence) -> Iterator[Finding]:
    """Every message and promise is about a decided order of that patient, practice and pharmacy."""
    orders = {message.body.order_id: message.body for message in evidence.events.all_messages()}
    for message in evidence.notifications.messages:
        body = message.body
        if body.order_id in evidence.unverifiable:
            continue
        order = orders.get(body.order_id)
        if order is None or order.patient != body.patient:
            yield Finding("the patient has no such order", message.where)
        # Messages from before they named both say neither.
        elif body.practice not in (order.practice, None) or body.pharmacy not in (
            order.pharmacy,
            None,
        ):
            yield Finding("the order is of another practice or pharmacy", message.where)


def inbox_differs(evidence: Evidence) -> Iterator[Finding]:
    """The inboxes hold exactly the messages that were published as queued and sent, with the same time."""
    inbox = Counter(
        (row.message_id, row.order_id, row.patient, row.template, row.at)
        for row in evidence.dump.notification.messages
    )
    for kind in (MessageQueued, MessageSent):
        published = Counter(
            (body.message_id, body.order_id, body.patient, body.template, body.at)
            for body in _notifications_of(evidence, kind)
            if body.medium == "inbox"
        )
        for only, what in (
            (inbox - published, "not published"),
            (published - inbox, "not in the inbox"),
        ):
            for message in only:
                yield Finding(f"{kind.TYPE}: {what}", f"message {message[0]}")


def promise_differs(evidence: Evidence) -> Iterator[Finding]:
    """A pickup is promised exactly when the message gives a window, for the same lines and window."""
    promised: dict[tuple[UUID, str], list[ParsedRecord]] = defaultdict(list)
    for message in evidence.notifications.messages:
        if isinstance(message.body, PickupPromised):
            promised[message.body.order_id, f"{message.body.promised_at}"].append(message)
    for row in evidence.dump.notification.messages:
        try:
            message_facts = _decode_facts(row.facts)
        except msgspec.DecodeError:
            yield Finding("its facts cannot be read", f"message {row.message_id}")
            continue
        if row.template == TEMPLATES[OrderCancelled]:
            continue
        same_time = promised.get((row.order_id, f"{row.at}"), [])
        matching = [m for m in same_time if m.body and m.body.lines == message_facts.approved]
        for message in matching:
            same_time.remove(message)
        if why := _promise_problem(message_facts, matching):
            yield Finding(why, f"message {row.message_id}")
    for unmatched in promised.values():
        for message in unmatched:
            yield Finding("no message gives this promise", message.where)


def _promise_problem(message_facts: _MessageFacts, promises: list[ParsedRecord]) -> str | None:
    if message_facts.window is None:
        if promises:
            return "a pickup is promised and the message gives none"
        if message_facts.approved and not message_facts.no_pickup:
            return "the message approves lines and gives neither a pickup nor a reason for none"
        return None
    if not message_facts.approved:
        return "the message gives a pickup and approves no line"
    windows = [(m.body.from_, m.body.until) for m in promises if m.body]
    if windows != [(message_facts.window.start, message_facts.window.until)]:
        return "the message gives another pickup than was promised"
    return None


def message_content_differs(evidence: Evidence) -> Iterator[Finding]:
    """Answers give the decided outcomes, and promises name the order's practice and pharmacy."""
    answered: dict[UUID, list[Any]] = defaultdict(list)
    for row in evidence.dump.notification.messages:
        if row.template == TEMPLATES[OrderDecided]:
            answered[row.order_id].append(row)
    for order in evidence.orders.values():
        decided = [(line.line, line.outcome.value) for line in order.first.lines]
        for row in answered[order.order_id]:
            try:
                given = [(line.line, line.outcome) for line in _decode_facts(row.facts).lines]
            except msgspec.DecodeError:
                continue  # promise_differs reports it
            if given != decided:
                yield Finding(
                    "the answer gives other outcomes than were decided", f"message {row.message_id}"
                )
    for body in _notifications_of(evidence, PickupPromised):
        folded = evidence.orders.get(body.order_id)
        if folded and (body.practice, body.pharmacy) != _where(folded):
            yield Finding("the promise names another practice or pharmacy", f"{body.order_id}")


def _where(order: ExpectedOrder) -> tuple[str, str]:
    return order.first.practice, order.first.pharmacy


Cell: TypeAlias = tuple[str, date, str]


def counts_differ(evidence: Evidence) -> Iterator[Finding]:
    """How metrics counted each order, and its sums per day, follow from the events.

    Unverifiable orders are summed as metrics counted them, because it may have refused foreign events.
    """
    counted = {row.order_id: row for row in evidence.dump.metrics.counted}
    for order in evidence.orders.values():
        row = counted.get(order.order_id)
        if row is None or _stored_count(row) != _expected_count(order):
            yield Finding("not counted, or not as decided", f"{order.order_id}")
    for order_id in counted.keys() - evidence.orders.keys() - evidence.unverifiable:
        yield Finding("counted, and never decided", f"{order_id}")
    yield from _sums_differ(evidence)


def _stored_count(row: Any) -> tuple[int, Cell, dict[int, str]] | None:
    try:
        return row.seq, (row.practice, row.day, row.channel), _outcomes(row.outcomes)
    except msgspec.DecodeError:
        return None


def _expected_count(order: ExpectedOrder) -> tuple[int, Cell, dict[int, str]]:
    outcomes = {number: line.outcome.value for number, line in order.lines.items()}
    return order.seq, _cell(order), outcomes


def _cell(order: ExpectedOrder) -> Cell:
    first = order.first
    day = first.placed_at.astimezone(AMSTERDAM).date()
    by_practice = first.placed_by is not None and first.placed_by.role is Role.ASSISTANT
    if by_practice and first.channel is Channel.PORTAL:
        return first.practice, day, "portal_by_practice"
    return first.practice, day, first.channel.value


def _sums_differ(evidence: Evidence) -> Iterator[Finding]:
    orders: Counter[Cell] = Counter()
    lines: Counter[tuple[str, date, str, str]] = Counter()
    counts = [_expected_count(order) for order in evidence.orders.values()]
    for row in evidence.dump.metrics.counted:
        foreign = _stored_count(row) if row.order_id in evidence.unverifiable else None
        counts += [foreign] if foreign else []
    for _, cell, outcomes in counts:
        orders[cell] += 1
        lines.update((*cell, outcome) for outcome in outcomes.values())
    found_orders = Counter(
        {(r.practice, r.day, r.channel): r.orders for r in evidence.dump.metrics.orders}
    )
    found_lines = Counter(
        {(r.practice, r.day, r.channel, r.outcome): r.lines for r in evidence.dump.metrics.lines}
    )
    yield from _compared("orders", orders, found_orders)
    yield from _compared("lines", lines, found_lines)


def _compared(what: str, expected: Counter[Any], actual: Counter[Any]) -> Iterator[Finding]:
    for cell in sorted(expected.keys() | actual.keys()):
        if expected[cell] != actual[cell]:
            yield Finding(f"{actual[cell]} {what}, not {expected[cell]}", " ".join(map(str, cell)))


def _notifications_of(evidence: Evidence, kind: type) -> Iterator[Any]:
    return (m.body for m in evidence.notifications.messages if isinstance(m.body, kind))
