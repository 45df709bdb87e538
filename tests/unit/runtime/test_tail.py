"""The tail of a topic begins with the newest records, and goes on from there after an outage of Kafka."""

from collections.abc import Mapping, Sequence
from typing import cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.kafka.tail import Tail
from runtime.messages.message import append_time
from runtime.messages.recent import KEPT, READY, RESET, LiveEvent, Recent
from schemas.records.access import AccessRevoked, WhyRevoked
from schemas.topics import ACCESS_REVOCATIONS
from tests.harness.records import APPENDED_MS, Delivered, delivered

TOPIC = ACCESS_REVOCATIONS
"""A topic with one partition."""

TP = TopicPartition(TOPIC.name, 0)
ANNA = "pat_anna0001"


class Log:
    """A consumer that delivers these records, and notes where it is told to begin."""

    def __init__(self, *records: Delivered) -> None:
        self.sought: list[int] = []
        self._records = records

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.sought.append(offset)

    async def getmany(self, **_: int) -> Mapping[TopicPartition, Sequence[Delivered]]:
        return {TP: self._records} if self._records else {}


def event(body: AccessRevoked) -> LiveEvent:
    return LiveEvent("revoked", body.sub.encode())


def record(offset: int) -> Delivered:
    body = AccessRevoked(sub=ANNA, not_before=append_time(APPENDED_MS), why=WhyRevoked.LEFT)
    return delivered(TOPIC, body, offset=offset)


def begun(recent: Recent, start: int, end: int) -> int:
    """Where a consumer begins to read a log that has these offsets."""
    log = Log()
    _tail(recent)._begin(cast(AIOKafkaConsumer, log), {TP: start}, {TP: end})
    (sought,) = log.sought
    return sought


async def polled(recent: Recent, *records: Delivered) -> bool:
    return await _tail(recent)._poll(cast(AIOKafkaConsumer, Log(*records)))


def _tail(recent: Recent) -> Tail:
    return Tail("127.0.0.1:1", TOPIC, event, recent)


@pytest.mark.parametrize(
    ("start", "end", "expected"), [(0, 3, 0), (0, KEPT + 7, 7), (50, KEPT + 7, 50), (9, 9, 9)]
)
def test_it_begins_with_the_newest_records(start: int, end: int, expected: int) -> None:
    assert begun(Recent(), start, end) == expected


async def test_it_goes_on_from_where_it_was() -> None:
    recent = Recent()
    begun(recent, 0, 5)
    assert await polled(recent, record(0), record(1))
    assert begun(recent, 0, 9_000) == 2


@pytest.mark.parametrize(("start", "end"), [(0, 1), (5, 9)], ids=["lost its end", "expired"])
async def test_when_kafka_lacks_what_follows_all_readers_are_told(start: int, end: int) -> None:
    recent = Recent()
    begun(recent, 0, 2)
    await polled(recent, record(0), record(1))
    with recent.watch(ANNA, "usr_1") as watch:
        assert [told[1] for told in iter(watch.next, None)] == [READY]
        assert begun(recent, start, end) == end
        assert [told[1] for told in iter(watch.next, None)] == [RESET]


async def test_it_reads_anew_when_records_come_again_from_the_beginning() -> None:
    """Given a broker that lost its log, for which a consumer begins at the earliest offset."""
    recent = Recent()
    begun(recent, 0, 2)
    assert await polled(recent, record(0), record(1))
    assert not await polled(recent, record(0))
    assert recent.end_of(0) == 2


async def test_a_record_that_cannot_be_read_is_passed_over() -> None:
    recent = Recent()
    begun(recent, 0, 0)
    broken = record(0)
    broken.value = b"{"
    assert await polled(recent, broken, record(1))
    with recent.watch(ANNA, "usr_1", "0-0") as watch:
        told = [each[1] for each in iter(watch.next, None)]
    assert told == [LiveEvent("revoked", ANNA.encode()), READY]
