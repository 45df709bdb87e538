"""Backing off, asking together, waiting for rows."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

import pytest

from runtime.backoff import Backoff
from runtime.http.long_poll import LongPoll
from runtime.http.query_batching import QueryBatcher


def test_each_wait_is_twice_the_one_before_until_the_longest() -> None:
    backoff = Backoff(first_s=1, most_s=5)
    waits = [backoff.next() for _ in range(6)]
    for seconds, expected in zip(waits, [1, 2, 4, 5, 5, 5], strict=True):
        assert expected <= seconds <= expected * 1.25


def test_two_that_fail_together_do_not_come_back_together() -> None:
    assert len({Backoff().next() for _ in range(20)}) > 1


class Square:
    """Answers with squares; remembers which items came together."""

    def __init__(self, fails_on: int | None = None) -> None:
        self.asked: list[list[int]] = []
        self._fails_on = fails_on

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.asked.append([*items])
        await asyncio.sleep(0)
        if self._fails_on in items:
            raise ConnectionResetError("away")
        return [item * item for item in items]


async def test_each_caller_gets_the_answer_to_its_own_item() -> None:
    batcher: QueryBatcher[int, int] = QueryBatcher(Square())
    assert await asyncio.gather(*(batcher.run(n) for n in range(50))) == [n * n for n in range(50)]


async def test_what_arrives_while_a_query_runs_goes_into_the_next_one_together() -> None:
    square = Square()
    batcher = QueryBatcher(square)
    first = asyncio.create_task(batcher.run(1))
    while not square.asked:
        await asyncio.sleep(0)
    await asyncio.gather(first, *(batcher.run(n) for n in (2, 3, 4)))
    assert square.asked == [[1], [2, 3, 4]]


async def test_an_error_reaches_all_who_were_in_the_query_and_the_next_one_goes_on() -> None:
    batcher = QueryBatcher(Square(fails_on=2))
    failed = await asyncio.gather(*(batcher.run(n) for n in (1, 2, 3)), return_exceptions=True)
    assert [type(error) for error in failed] == [ConnectionResetError] * 3
    assert await batcher.run(4) == 16


async def test_too_few_answers_are_an_error_for_every_caller_and_not_a_wait_for_ever() -> None:
    async def forgetful(items: Sequence[int]) -> list[int]:
        return [*items][:-1]

    batcher: QueryBatcher[int, int] = QueryBatcher(forgetful)
    async with asyncio.timeout(1):
        answers = await asyncio.gather(batcher.run(1), batcher.run(2), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError, ValueError]


async def test_a_caller_that_went_away_does_not_disturb_the_others() -> None:
    square = Square()
    batcher = QueryBatcher(square)
    gone, stays = (asyncio.create_task(batcher.run(n)) for n in (1, 2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 4


class Rows:
    """A table that a worker writes meanwhile."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.asked: list[set[str]] = []
        self.error: Exception | None = None

    async def find(self, keys: Collection[str]) -> Mapping[str, int]:
        self.asked.append({*keys})
        if self.error:
            raise self.error
        return {key: self.rows[key] for key in keys if key in self.rows}


async def test_a_row_that_is_there_is_found_at_once() -> None:
    rows = Rows()
    rows.rows["a"] = 1
    assert await LongPoll(rows.find).wait("a", 1) == 1


async def test_a_row_that_comes_later_ends_the_wait_of_all_who_wait_for_it() -> None:
    rows = Rows()
    poll: LongPoll[str, int] = LongPoll(rows.find)
    waiting = [asyncio.create_task(poll.wait(key, 2)) for key in ("a", "a", "b")]
    await asyncio.sleep(0.03)
    rows.rows |= {"a": 1, "b": 2}
    assert await asyncio.gather(*waiting) == [1, 1, 2]
    assert rows.asked[0] == {"a", "b"}


async def test_a_row_that_does_not_come_in_time_is_none_and_asked_for_no_more() -> None:
    rows = Rows()
    poll: LongPoll[str, int] = LongPoll(rows.find)
    assert await poll.wait("a", 0.05) is None
    await asyncio.sleep(0.05)
    asked = len(rows.asked)
    await asyncio.sleep(0.05)
    assert len(rows.asked) == asked


async def test_an_error_ends_the_wait_and_the_next_wait_asks_again() -> None:
    rows = Rows()
    rows.error = ConnectionResetError("away")
    poll: LongPoll[str, int] = LongPoll(rows.find)
    with pytest.raises(ConnectionResetError):
        await poll.wait("a", 1)
    rows.error = None
    rows.rows["a"] = 1
    assert await poll.wait("a", 1) == 1
