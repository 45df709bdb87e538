"""Histories: each step is on disk when its call returns, and every operation has an outcome."""

import asyncio
import os
from pathlib import Path
from uuid import uuid4

import pytest

from verify.history import History, HistoryDamaged, outcome_of, read_history


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.jsonl"


def _lines(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines(keepends=True)


def _write(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def _tear(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 7)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((200, "ok"), (202, "ok"), (400, "fail"), (404, "fail"), (409, "fail"), (422, "fail")),
        *((429, "fail"), (408, "unknown"), (500, "unknown"), (503, "unknown"), (302, "unknown")),
    ],
)
def test_the_outcome_of_a_write_follows_from_its_status(status: int, outcome: str) -> None:
    assert outcome_of(status) == outcome


async def test_operations_are_read_with_their_outcomes(file: Path) -> None:
    ids = [uuid4() for _ in range(5)]
    with History(file) as history:
        await (await history.invoke("place", "http", ids[0])).answered(202)
        await (await history.invoke("place", "http", ids[1])).answered(422)
        await (await history.invoke("cancel", "kafka", ids[2])).acknowledged(3, 120)
        await (await history.invoke("import", "http", ids[3])).unknown()
        await history.invoke("place", "http", ids[4])
    operations = read_history(file)
    assert [(o.order_id, o.outcome) for o in operations] == [
        *zip(ids, ("ok", "fail", "ok", "unknown", "unknown"), strict=True)
    ]
    assert (operations[2].f, operations[2].partition, operations[2].offset) == ("cancel", 3, 120)


async def test_each_step_is_on_disk_when_its_call_returns(file: Path) -> None:
    with History(file) as history:
        for number in range(1, 4):
            await history.invoke("place", "http", uuid4())
            assert len(_lines(file)) == number


async def test_concurrent_steps_are_written_whole(file: Path) -> None:
    ids = [uuid4() for _ in range(500)]
    with History(file) as history:

        async def one(number: int) -> None:
            invoked = await history.invoke("place", "http", ids[number])
            await invoked.answered(202)

        await asyncio.gather(*map(one, range(500)))
    operations = read_history(file)
    assert {o.order_id for o in operations if o.outcome == "ok"} == set(ids)


async def test_a_torn_last_line_is_ignored_and_the_next_writer_removes_it(
    file: Path,
) -> None:
    with History(file) as history:
        invoked = await history.invoke("place", "http", uuid4())
        await invoked.answered(202)
    _tear(file)
    assert [o.outcome for o in read_history(file)] == ["unknown"]
    with History(file) as history:
        await history.invoke("place", "http", uuid4())
    assert [o.outcome for o in read_history(file)] == ["unknown", "unknown"]


@pytest.mark.parametrize("line", [b"{}\n", b"nothing\n", b"\n"])
async def test_a_damaged_line_elsewhere_is_an_error(file: Path, line: bytes) -> None:
    _write(file, line)
    with History(file) as history:
        await history.invoke("place", "http", uuid4())
    with pytest.raises(HistoryDamaged, match="line 1 "):
        read_history(file)


async def test_an_end_without_an_invoke_is_an_error(file: Path) -> None:
    with History(file) as history:
        await (await history.invoke("place", "http", uuid4())).answered(202)
    _write(file, _lines(file)[1])
    with pytest.raises(HistoryDamaged, match="without having been invoked"):
        read_history(file)


async def test_an_operation_that_cannot_be_written_does_not_start(file: Path) -> None:
    history = History(file)
    with pytest.raises(OSError, match="Bad file descriptor"):
        await history.invoke("place", "http", uuid4())
