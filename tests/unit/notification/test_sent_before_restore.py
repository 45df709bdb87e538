"""After a restore from an older backup, the same messages and promises are published again."""

from datetime import time
from typing import Any
from uuid import UUID

from runtime.loop.handler import Done
from runtime.messages.message import Message, Outgoing
from runtime.messages.parser import Parser
from runtime.messages.partitioner import partition_of
from schemas import topics
from schemas.records.directory import Practice, Processing
from services.notification.domain.messages import Answer, NoPickup
from services.notification.handlers import NotificationHandler, Work
from tests.harness.records import Delivered, delivered
from tests.unit.notification.made import ORDER_ID, a_pharmacy, a_practice, decided

SLOWER = a_practice(
    version=4, processing=Processing(cutoff=time(9), working_days=5, ready_from=time(16))
)


def _handler(practice: Practice | None, with_pharmacy: bool = True) -> NotificationHandler:
    pharmacy = a_pharmacy()
    return NotificationHandler(
        {practice.agb: practice} if practice else {},
        {pharmacy.agb: pharmacy} if with_pharmacy else {},
    )


def _event() -> Message[Any]:
    return _parsed(delivered(topics.ORDERS_EVENTS, decided()))


def _parsed(record: Delivered) -> Message[Any]:
    parsed = Parser.of([topics.ORDERS_EVENTS, topics.NOTIFICATIONS_EVENTS]).parse(record)
    assert isinstance(parsed, Message)
    return parsed


def _sent_by(handler: NotificationHandler, work: Work | None = None) -> list[Outgoing]:
    done = handler.handle(_event(), work or Work())
    assert isinstance(done, Done)
    return list(done.records)


def _read_back(records: list[Outgoing], work: Work) -> Work:
    """Consume these records from the output topic, and load the result for the next batch."""
    handler = _handler(a_practice())
    for record in records:
        partition = partition_of(record.key or b"", topics.NOTIFICATIONS_EVENTS.partitions)
        consumed = Delivered(record.topic, record.key, record.value, record.headers, partition)
        handler.handle(_parsed(consumed), work)
    sent: dict[UUID, Any] = dict(work.read_back_sent)
    return Work(sent={ORDER_ID: sent} if sent else {})


def _answer(work: Work) -> Answer:
    (stored,) = work.messages
    assert isinstance(stored.facts, Answer)
    return stored.facts


def test_a_promise_stays_when_the_practices_rule_has_changed() -> None:
    first = Work()
    before = _sent_by(_handler(a_practice()), first)
    work = _read_back(before, Work())

    again = _handler(SLOWER).handle(_event(), work)

    assert again == Done(tuple(before))
    assert _answer(work).window == _answer(first).window
    assert {*work.handled_again} == {*work.sent[ORDER_ID]}


def test_without_reading_back_the_event_would_be_answered_differently() -> None:
    assert _sent_by(_handler(SLOWER)) != _sent_by(_handler(a_practice()))


def test_a_message_that_was_sent_without_a_promise_gets_none() -> None:
    """The practice was not in the directory then, and is now."""
    before = _sent_by(_handler(None))
    work = _read_back(before, Work())

    again = _handler(a_practice()).handle(_event(), work)

    assert again == Done(tuple(before))
    assert _answer(work).window is None
    assert _answer(work).no_pickup is NoPickup.NO_OPENING


def test_a_promise_without_a_sent_message_is_decided_again() -> None:
    """The crash came after the promise was published and before the message was."""
    before = _sent_by(_handler(a_practice()))
    work = _read_back(before[:-1], Work())

    assert _handler(SLOWER).handle(_event(), work) == Done(tuple(_sent_by(_handler(SLOWER))))


def test_a_message_that_is_in_the_inbox_is_not_noted() -> None:
    message = _event()
    before = _sent_by(_handler(a_practice()))

    work = Work(in_inbox={(ORDER_ID, message.at)})
    assert _read_back(before, work).sent == {}


def test_records_of_other_producers_on_the_topic_are_not_noted() -> None:
    work = Work()
    foreign = [
        Outgoing(
            r.topic,
            r.key,
            r.value,
            [(n, b"somebody" if n == "ce_source" else v) for n, v in r.headers],
        )
        for r in _sent_by(_handler(a_practice()))
    ]

    assert _read_back(foreign, work).sent == {}
