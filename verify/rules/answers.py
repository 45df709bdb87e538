"""What patients are told and promised, and what dashboards count, agrees with what was decided."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from schemas.records.notifications import MessageQueued, MessageSent, PickupPromised
from schemas.records.orders import OrderCancelled, OrderDecided, OrderLineDecided, Outcome
from verify.facts import Facts
from verify.fold import Folded
from verify.read import Fact
from verify.rules.found import Found, at

AMSTERDAM = ZoneInfo("Europe/Amsterdam")

TEMPLATES: dict[type, str] = {
    OrderDecided: "order-answer",
    OrderLineDecided: "line-answer",
    OrderCancelled: "order-cancelled",
}
"""Which message tells of which event."""


class _Window(msgspec.Struct):
    start: datetime
    until: datetime


class _Told(msgspec.Struct):
    line: int
    outcome: str


class _Said(msgspec.Struct):
    """What matters here of a message's facts; a cancellation has no lines."""

    lines: tuple[_Told, ...] = ()
    window: _Window | None = None
    no_pickup: str | None = None

    @property
    def approved(self) -> tuple[int, ...]:
        return tuple(line.line for line in self.lines if line.outcome == Outcome.APPROVED)


_said = msgspec.json.Decoder(_Said).decode
_outcomes = msgspec.json.Decoder(dict[int, str]).decode


def answers_differ(facts: Facts) -> Iterator[Found]:
    """One answer to every order, one message to every later decision and cancellation, each sent once."""
    expected: Counter[tuple[UUID, str]] = Counter()
    for order in facts.orders.values():
        for event in order.events:
            if template := TEMPLATES.get(type(event.body)):
                expected[order.order_id, template] += 1
    for kind in (MessageQueued, MessageSent):
        found = Counter(
            (body.order_id, body.template)
            for body in _told(facts, kind)
            if body.order_id not in facts.unjudged
        )
        for where in sorted(expected.keys() | found.keys(), key=str):
            if expected[where] != found[where]:
                what = f"{found[where]} × {kind.TYPE} {where[1]}, not {expected[where]}"
                yield Found(what, f"{where[0]}")


def message_without_event(facts: Facts) -> Iterator[Found]:
    """Every message and promise is about an order that was decided, and that patient's."""
    patients = {
        message.body.order_id: message.body.patient for message in facts.events.everything()
    }
    for message in facts.told.messages:
        order_id = message.body.order_id
        if order_id not in facts.unjudged and patients.get(order_id) != message.body.patient:
            yield Found("there is no such order of this patient", at(message))


def inbox_differs(facts: Facts) -> Iterator[Found]:
    """What is in the patients' inboxes is what was told to be queued and sent, at the same time."""
    inbox = Counter(
        (row.message_id, row.order_id, row.patient, row.template, row.at)
        for row in facts.dump.notification.messages
    )
    for kind in (MessageQueued, MessageSent):
        told = Counter(
            (body.message_id, body.order_id, body.patient, body.template, body.at)
            for body in _told(facts, kind)
            if body.medium == "inbox"
        )
        for only, what in ((inbox - told, "not told"), (told - inbox, "not in the inbox")):
            for message in only:
                yield Found(f"{kind.TYPE}: {what}", f"message {message[0]}")


def promise_differs(facts: Facts) -> Iterator[Found]:
    """A window is promised exactly when approved lines have one, and as it stands in the message."""
    promised: dict[tuple[UUID, str], list[Fact]] = defaultdict(list)
    for message in facts.told.messages:
        if isinstance(message.body, PickupPromised):
            promised[message.body.order_id, f"{message.body.promised_at}"].append(message)
    for row in facts.dump.notification.messages:
        try:
            said = _said(row.facts)
        except msgspec.DecodeError:
            yield Found("its facts cannot be read", f"message {row.message_id}")
            continue
        if row.template == TEMPLATES[OrderCancelled]:
            continue
        same_time = promised.get((row.order_id, f"{row.at}"), [])
        kept = [m for m in same_time if m.body and m.body.lines == said.approved]
        for message in kept:
            same_time.remove(message)
        if why := _why_promised(said, kept):
            yield Found(why, f"message {row.message_id}")
    for left in promised.values():
        for message in left:
            yield Found("no message tells of this promise", at(message))


def _why_promised(said: _Said, kept: list[Fact]) -> str | None:
    if said.window is None:
        if kept:
            return "a pickup is promised that the message does not give"
        return (
            "nothing says why there is no pickup" if said.approved and not said.no_pickup else None
        )
    if not said.approved:
        return "it gives a pickup and approves nothing"
    windows = [(m.body.from_, m.body.until) for m in kept if m.body]
    if windows != [(said.window.start, said.window.until)]:
        return "the pickup that it gives is not the one promised"
    return None


def told_differs(facts: Facts) -> Iterator[Found]:
    """What an answer says of an order's lines is what was decided, and promises name that order."""
    answered: dict[UUID, list[Any]] = defaultdict(list)
    for row in facts.dump.notification.messages:
        if row.template == TEMPLATES[OrderDecided]:
            answered[row.order_id].append(row)
    for order in facts.orders.values():
        decided = [(line.line, line.outcome.value) for line in order.first.lines]
        for row in answered[order.order_id]:
            try:
                said = [(line.line, line.outcome) for line in _said(row.facts).lines]
            except msgspec.DecodeError:
                continue  # promise_differs tells of it
            if said != decided:
                yield Found("the answer says other outcomes", f"message {row.message_id}")
    for body in _told(facts, PickupPromised):
        folded = facts.orders.get(body.order_id)
        if folded and (body.practice, body.pharmacy) != _where(folded):
            yield Found("the promise names another practice or pharmacy", f"{body.order_id}")


def _where(order: Folded) -> tuple[str, str]:
    return order.first.practice, order.first.pharmacy


Cell: TypeAlias = tuple[str, date, str]


def counts_differ(facts: Facts) -> Iterator[Found]:
    """How metrics counts each order, and its sums per day, follow from the events.

    Orders that cannot be judged are taken as metrics counts them: it may have refused foreign events.
    """
    counted = {row.order_id: row for row in facts.dump.metrics.counted}
    for order in facts.orders.values():
        row = counted.get(order.order_id)
        if row is None or _as_counted(row) != _to_count(order):
            yield Found("not counted, or otherwise than decided", f"{order.order_id}")
    for order_id in counted.keys() - facts.orders.keys() - facts.unjudged:
        yield Found("counted, and never decided", f"{order_id}")
    yield from _sums_differ(facts)


def _as_counted(row: Any) -> tuple[int, Cell, dict[int, str]] | None:
    try:
        return row.seq, (row.practice, row.day, row.channel), _outcomes(row.outcomes)
    except msgspec.DecodeError:
        return None


def _to_count(order: Folded) -> tuple[int, Cell, dict[int, str]]:
    outcomes = {number: line.outcome.value for number, line in order.lines.items()}
    return order.seq, _cell(order), outcomes


def _cell(order: Folded) -> Cell:
    first = order.first
    return first.practice, first.placed_at.astimezone(AMSTERDAM).date(), first.channel.value


def _sums_differ(facts: Facts) -> Iterator[Found]:
    orders: Counter[Cell] = Counter()
    lines: Counter[tuple[str, date, str, str]] = Counter()
    counts = [_to_count(order) for order in facts.orders.values()]
    for row in facts.dump.metrics.counted:
        foreign = _as_counted(row) if row.order_id in facts.unjudged else None
        counts += [foreign] if foreign else []
    for _, cell, outcomes in counts:
        orders[cell] += 1
        lines.update((*cell, outcome) for outcome in outcomes.values())
    found_orders = Counter(
        {(r.practice, r.day, r.channel): r.orders for r in facts.dump.metrics.orders}
    )
    found_lines = Counter(
        {(r.practice, r.day, r.channel, r.outcome): r.lines for r in facts.dump.metrics.lines}
    )
    yield from _compared("orders", orders, found_orders)
    yield from _compared("lines", lines, found_lines)


def _compared(what: str, expected: Counter[Any], found: Counter[Any]) -> Iterator[Found]:
    for cell in sorted(expected.keys() | found.keys()):
        if expected[cell] != found[cell]:
            yield Found(f"{found[cell]} {what}, not {expected[cell]}", " ".join(map(str, cell)))


def _told(facts: Facts, kind: type) -> Iterator[Any]:
    return (m.body for m in facts.told.messages if isinstance(m.body, kind))
