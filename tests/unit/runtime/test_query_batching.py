"""Query batching: one query for requests that arrive together."""

import asyncio
from collections.abc import Sequence

from runtime.http.query_batching import QueryBatcher


class Square:
    """A query that returns squares, and records the batches of items."""

    def __init__(self, fails_on: int | None = None) -> None:
        self.asked: list[list[int]] = []
        self._fails_on = fails_on

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.asked.append([*items])
        await asyncio.sleep(0)
        if self._fails_on in items:
            raise ConnectionResetError("unavailable")
        return [item * item for item in items]


async def test_each_caller_gets_the_answer_for_its_item() -> None:
    batcher: QueryBatcher[int, int] = QueryBatcher(Square())
    assert await asyncio.gather(*(batcher.run(n) for n in range(50))) == [n * n for n in range(50)]


async def test_items_that_arrive_during_a_query_share_the_next_one() -> None:
    square = Square()
    batcher = QueryBatcher(square)
    first = asyncio.create_task(batcher.run(1))
    while not square.asked:
        await asyncio.sleep(0)
    await asyncio.gather(first, *(batcher.run(n) for n in (2, 3, 4)))
    assert square.asked == [[1], [2, 3, 4]]


async def test_an_error_is_raised_for_all_callers_of_that_query_only() -> None:
    batcher = QueryBatcher(Square(fails_on=2))
    failed = await asyncio.gather(*(batcher.run(n) for n in (1, 2, 3)), return_exceptions=True)
    assert [type(error) for error in failed] == [ConnectionResetError] * 3
    assert await batcher.run(4) == 16


async def test_too_few_answers_raise_for_every_caller() -> None:
    async def forgetful(items: Sequence[int]) -> list[int]:
        return [*items][:-1]

    batcher: QueryBatcher[int, int] = QueryBatcher(forgetful)
    async with asyncio.timeout(1):
        answers = await asyncio.gather(batcher.run(1), batcher.run(2), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError, ValueError]


async def test_a_cancelled_caller_does_not_affect_the_others() -> None:
    square = Square()
    batcher = QueryBatcher(square)
    gone, stays = (asyncio.create_task(batcher.run(n)) for n in (1, 2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 4
