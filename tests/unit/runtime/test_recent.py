"""The newest events in memory: each reader is told each once, in order, or that something may be missing."""

import asyncio

import pytest

from runtime.errors import KafkaUnavailable
from runtime.messages.recent import MOST_WAITING, READY, RESET, LiveEvent, Recent, Watch

ANNA, BERT, OWNER = "pat_anna0001", "pat_bert0002", "usr_1"


def event(number: int) -> LiveEvent:
    return LiveEvent("order", b"%d" % number)


def filled(*patients: str, kept: int = 10, start: int = 0) -> Recent:
    """A topic of one partition with an event of each of these patients, numbered from 0."""
    recent = Recent(kept)
    recent.begin(0, start)
    for number, patient in enumerate(patients):
        recent.add(0, start + number, patient, event(number))
    recent.catch_up()
    return recent


def told(watch: Watch) -> list[tuple[str, LiveEvent]]:
    """What waits, with its ids."""
    found = []
    while (each := watch.next()) is not None:
        found.append((str(each[0]), each[1]))
    return found


def missed(recent: Recent, last_id: str | None, patient: str = ANNA) -> list[tuple[str, LiveEvent]]:
    with recent.watch(patient, OWNER, last_id) as watch:
        return told(watch)


def test_a_new_reader_is_told_where_it_begins_and_then_what_comes() -> None:
    recent = filled(ANNA, BERT)
    with recent.watch(ANNA, OWNER) as watch:
        assert told(watch) == [("0-2", READY)]
        recent.add(0, 2, BERT, event(2))
        recent.add(0, 3, ANNA, event(3))
        assert told(watch) == [("0-4", event(3))]


def test_who_comes_back_is_told_what_it_missed_once_in_order_and_nothing_of_others() -> None:
    """Given nine events; when a reader comes back with the id of the fifth; then it is told 6 to 9 (E2)."""
    recent = filled(*([ANNA] * 9), BERT)
    assert missed(recent, "0-5") == [
        *((f"0-{number + 1}", event(number)) for number in range(5, 9)),
        ("0-10", READY),
    ]
    assert missed(recent, "0-10") == [("0-10", READY)]


def test_what_comes_between_two_connections_is_not_lost() -> None:
    recent = filled(ANNA)
    with recent.watch(ANNA, OWNER) as watch:
        ((last_id, _),) = told(watch)
    recent.add(0, 1, ANNA, event(1))
    assert missed(recent, last_id) == [("0-2", event(1)), ("0-2", READY)]


@pytest.mark.parametrize(
    "last_id", ["0-1", "0-6", "1-3", "", "x", "0", "-1", "0--1", "0-٣", "0-3 ", "9" * 100, "0-1e1"]
)
def test_an_id_that_cannot_be_resumed_from_is_one_reset(last_id: str) -> None:
    """Given events 2 to 4 in memory; then an id that is too old, beyond the end, of another partition or
    garbage is answered by one `reset`, with an id to go on from.
    """
    recent = filled(*([ANNA] * 5), kept=3)
    assert missed(recent, last_id) == [("0-5", RESET)]
    assert missed(recent, "0-5") == [("0-5", READY)]


def test_all_that_is_in_memory_can_be_resumed_from() -> None:
    recent = filled(*([ANNA] * 5), kept=3)
    assert [e for _, e in missed(recent, "0-2")] == [event(2), event(3), event(4), READY]


def test_a_repeat_is_told_once_as_long_as_the_first_is_remembered() -> None:
    recent = filled(kept=2)
    with recent.watch(ANNA, OWNER) as watch:
        told(watch)
        for offset, number in enumerate([1, 1, 2, 1, 3, 1]):
            recent.add(0, offset, ANNA, event(number))
        assert [e for _, e in told(watch)] == [event(1), event(2), event(3), event(1)]


def test_a_record_without_news_moves_the_position() -> None:
    recent = filled()
    recent.add(0, 0, ANNA, None)
    assert (missed(recent, None), recent.end_of(0)) == ([("0-1", READY)], 1)


def test_when_kafka_lost_records_all_its_readers_are_told() -> None:
    """Given readers; when the partition begins anew at an earlier end; then each is told to read all again, and
    so is who comes back with an id from before.
    """
    recent = filled(ANNA, ANNA, ANNA)
    with recent.watch(ANNA, OWNER) as watch:
        told(watch)
        recent.begin(0, 1)
        recent.add(0, 1, ANNA, event(7))
        assert told(watch) == [("0-1", RESET), ("0-2", event(7))]
    assert missed(recent, "0-3") == [("0-2", RESET)]


def test_a_reader_that_does_not_read_is_ended() -> None:
    recent = filled()
    with recent.watch(ANNA, OWNER) as watch:
        for number in range(MOST_WAITING * 2):
            recent.add(0, number, ANNA, event(number))
        assert watch.ended
        assert len(told(watch)) == MOST_WAITING + 1


async def test_a_reader_is_woken_by_its_event_and_by_the_end_alone() -> None:
    recent = filled()
    with recent.watch(ANNA, OWNER) as watch:
        told(watch)
        recent.add(0, 0, BERT, event(0))
        assert not await watch.woken(0.01)
        waiting = asyncio.create_task(watch.woken(5))
        await asyncio.sleep(0)
        recent.add(0, 1, ANNA, event(1))
        assert await waiting
        told(watch)
        recent.end()
        assert await watch.woken(5)
        assert watch.ended
    with recent.watch(ANNA, OWNER) as late:
        assert late.ended


def test_readers_are_counted_by_who_they_are() -> None:
    recent = filled()
    with recent.watch(ANNA, OWNER), recent.watch(BERT, OWNER), recent.watch(ANNA, "usr_2"):
        assert (recent.watched, recent.watched_by(OWNER)) == (3, 2)
    assert (recent.watched, recent.watched_by(OWNER)) == (0, 0)
    recent.add(0, 0, ANNA, event(0))


async def test_a_position_that_another_process_told_is_waited_for() -> None:
    recent = filled(ANNA)
    reached = asyncio.create_task(recent.reached(ANNA, "0-2"))
    await asyncio.sleep(0.01)
    assert not reached.done()
    recent.add(0, 1, ANNA, event(1))
    await reached
    await recent.reached(ANNA, "garbage")
    await recent.reached(ANNA, "0-999")
    assert missed(recent, "0-999") == [("0-2", RESET)]


async def test_it_is_filled_when_somebody_wants_it() -> None:
    recent = Recent()
    wanting = asyncio.create_task(recent.ready())
    await recent.wanted.wait()
    assert not wanting.done()
    recent.catch_up()
    await wanting


async def test_who_waits_too_long_for_kafka_is_told() -> None:
    with pytest.raises(KafkaUnavailable):
        await Recent(ready_s=0.01).ready()
