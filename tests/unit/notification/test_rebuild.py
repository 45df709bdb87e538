"""A rebuild answers events as notification does, but promises and publishes nothing."""

from typing import Any

from msgspec.structs import replace

from runtime.loop.handler import Done
from runtime.messages.cloudevents import event_id
from runtime.messages.message import Message
from runtime.messages.parser import Parser
from schemas import topics
from schemas.base import Body
from schemas.records.orders import Outcome
from services.notification import handlers
from services.notification.domain.messages import Answer, NoPickup
from services.notification.handlers import NotificationHandler
from services.notification.rebuild import InboxBuilder, Work
from services.notification.store import StoredMessage
from tests.harness.records import delivered
from tests.unit.notification.made import (
    ORDER_ID,
    a_line,
    a_pharmacy,
    a_practice,
    cancelled,
    decided,
    line_decided,
)

PRACTICES = {"01999001": a_practice()}
PHARMACIES = {"02999001": a_pharmacy()}
IN_REVIEW = a_line("Metformine 500 mg tablet", Outcome.REVIEW)


def _message(body: Body) -> Message[Any]:
    parsed = Parser.of([topics.ORDERS_EVENTS]).parse(delivered(topics.ORDERS_EVENTS, body))
    assert isinstance(parsed, Message)
    return parsed


def _built(*events: Body) -> Work:
    builder, work = InboxBuilder(PRACTICES, PHARMACIES), Work()
    for event in events:
        assert builder.handle(_message(event), work) == Done()
    return work


def _without_pickup(message: StoredMessage) -> StoredMessage:
    if not isinstance(message.facts, Answer):
        return message
    return replace(message, facts=replace(message.facts, window=None, no_pickup=None))


def test_orders_and_messages_equal_those_of_the_service_except_for_the_pickup() -> None:
    events = (decided(IN_REVIEW), line_decided(Outcome.APPROVED), cancelled(1, seq=3))
    handler = NotificationHandler(PRACTICES, PHARMACIES)
    running = handlers.Work()
    for event in events:
        handler.handle(_message(event), running)

    built = _built(*events, *events)

    assert built.orders.changed == running.orders.changed
    assert list(map(_without_pickup, built.messages)) == list(
        map(_without_pickup, running.messages)
    )
    assert len(built.messages) == 3


def test_an_answer_with_an_approved_line_has_no_pickup_until_its_promise_is_read() -> None:
    work = _built(decided())
    (message,) = work.messages
    assert isinstance(message.facts, Answer)
    assert (message.facts.window, message.facts.no_pickup) == (None, NoPickup.NO_OPENING)
    promise = event_id("pickup.promised.v1", ORDER_ID, 1)
    assert work.promises == {message.message_id: str(promise)}


def test_a_message_without_an_approved_line_waits_for_no_promise() -> None:
    assert _built(decided(IN_REVIEW), cancelled(1)).promises == {}
