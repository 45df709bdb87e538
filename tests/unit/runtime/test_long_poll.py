"""Long poll: requests wait for a row, with one query for all of them."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from runtime.http.long_poll import LongPoll


class Rows:
    """A table to which the worker adds rows during the wait."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.asked: list[set[str]] = []
        self.error: Exception | None = None

    async def find(self, keys: Collection[str]) -> Mapping[str, int]:
        self.asked.append({*keys})
        if self.error:
            raise self.error
        return {key: self.rows[key] for key in keys if key in self.rows}


async def test_an_existing_row_is_returned_at_once() -> None:
    rows = Rows()
    rows.rows["a"] = 1
    assert await LongPoll(rows.find).wait("a", 1) == 1


async def test_a_new_row_ends_the_wait_of_all_requests_for_it() -> None:
    rows = Rows()
    poll: LongPoll[str, int] = LongPoll(rows.find)
    waiting = [asyncio.create_task(poll.wait(key, 2)) for key in ("a", "a", "b")]
    await asyncio.sleep(0.03)
    rows.rows |= {"a": 1, "b": 2}
    assert await asyncio.gather(*waiting) == [1, 1, 2]
    assert rows.asked[0] == {"a", "b"}


async def test_a_time_out_returns_none_and_ends_the_queries() -> None:
    rows = Rows()
    poll: LongPoll[str, int] = LongPoll(rows.find)
    assert await poll.wait("a", 0.05) is None
    await asyncio.sleep(0.05)
    asked = len(rows.asked)
    await asyncio.sleep(0.05)
    assert len(rows.asked) == asked


async def test_an_error_ends_the_wait_and_the_next_wait_queries_again() -> None:
    rows = Rows()
    rows.error = ConnectionResetError("unavailable")
    poll: LongPoll[str, int] = LongPoll(rows.find)
    with pytest.raises(ConnectionResetError):
        await poll.wait("a", 1)
    rows.error = None
    rows.rows["a"] = 1
    assert await poll.wait("a", 1) == 1
