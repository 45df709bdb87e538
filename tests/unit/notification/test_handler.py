"""notification's answers to events: messages in the inbox, records on notifications.events."""

import json
from typing import Any

from runtime.loop.handler import Done, Rejected
from runtime.messages.message import Message, Outgoing
from runtime.messages.parser import Parser
from runtime.postgres.identity_map import IdentityMap
from schemas import topics
from schemas.base import Body
from schemas.records.notifications import Kind
from services.notification.domain.order import Line, Order
from services.notification.handlers import NotificationHandler, Work
from tests.harness.records import delivered
from tests.unit.notification.made import (
    ORDER_ID,
    PATIENT,
    a_pharmacy,
    a_practice,
    cancelled,
    decided,
)


def _handler() -> NotificationHandler:
    practice, pharmacy = a_practice(), a_pharmacy()
    return NotificationHandler({practice.agb: practice}, {pharmacy.agb: pharmacy})


def _message(body: Body) -> Message[Any]:
    parsed = Parser.of([topics.ORDERS_EVENTS]).parse(delivered(topics.ORDERS_EVENTS, body))
    assert isinstance(parsed, Message)
    return parsed


def _records(done: Done | Rejected) -> list[Outgoing]:
    assert isinstance(done, Done)
    return list(done.records)


def _header(record: Outgoing, name: str) -> str:
    value = dict(record.headers)[name]
    assert value is not None
    return value.decode()


def test_an_answer_is_queued_promised_and_sent_in_that_order() -> None:
    work = Work()
    records = _records(_handler().handle(_message(decided()), work))
    assert [_header(r, "ce_type") for r in records] == [
        "nl.herhaal.message.queued.v1",
        "nl.herhaal.pickup.promised.v1",
        "nl.herhaal.message.sent.v1",
    ]
    assert {(r.topic, r.key) for r in records} == {("notifications.events", PATIENT.encode())}
    (stored,) = work.messages
    sent = json.loads(records[2].value or b"")
    assert (sent["message_id"], sent["template"], sent["medium"]) == (
        str(stored.message_id),
        "order-answer",
        "inbox",
    )


def test_a_replay_gives_the_same_ids_and_records() -> None:
    first, again = Work(), Work()
    one = _handler().handle(_message(decided()), first)
    assert _handler().handle(_message(decided()), again) == one
    assert first.messages == again.messages


def test_an_event_that_was_handled_leads_to_nothing() -> None:
    handler, work = _handler(), Work()
    handler.handle(_message(decided()), work)
    assert handler.handle(_message(decided()), work) == Done()
    assert len(work.messages) == 1


def test_the_second_event_of_an_order_in_a_batch_sees_the_first() -> None:
    handler, work = _handler(), Work()
    handler.handle(_message(decided()), work)
    handler.handle(_message(cancelled(1)), work)
    assert [m.kind for m in work.messages] == [Kind.ORDER_ANSWER, Kind.ORDER_CANCELLED]
    assert work.orders.changed[ORDER_ID].seq == 2


def test_an_event_is_applied_to_the_loaded_order() -> None:
    order = Order(ORDER_ID, PATIENT, 1, decided_lines())
    work = Work(IdentityMap({ORDER_ID: order}))
    _handler().handle(_message(cancelled(1)), work)
    (stored,) = work.messages
    assert stored.kind is Kind.ORDER_CANCELLED


def decided_lines() -> tuple[Line, ...]:
    """The lines of the made-up order."""
    return tuple(Line(line.line, line.medicine, line.outcome) for line in decided().lines)


def test_a_changed_directory_entry_applies_to_the_next_event() -> None:
    """When a pharmacy closes for good, nothing more is promised there, in spite of the cache."""
    practice, open_, shut = a_practice(), a_pharmacy(), a_pharmacy("off", version=2)
    pharmacies = {open_.agb: open_}
    handler = NotificationHandler({practice.agb: practice}, pharmacies)
    assert len(_records(handler.handle(_message(decided()), Work()))) == 3
    pharmacies[shut.agb] = shut
    assert len(_records(handler.handle(_message(decided()), Work()))) == 2
    del pharmacies[shut.agb]
    assert len(_records(handler.handle(_message(decided()), Work()))) == 2
    pharmacies[open_.agb] = open_
    assert len(_records(handler.handle(_message(decided()), Work()))) == 3
