"""What clients did, as they saw it: a history of operations, one JSON line per step.

An operation starts with an `invoke`, on disk before its request is sent, and ends with what the client
knows of it: `ok` (acknowledged), `fail` (certainly not taken) or `unknown` (no answer, or one that leaves
it open). One without an end is unknown as well: the client died, or was not answered in time.
"""

import asyncio
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from uuid import UUID, uuid4

import msgspec

from runtime.http.query_batching import QueryBatcher

Type = Literal["invoke", "ok", "fail", "unknown"]
Does = Literal["place", "cancel", "import", "set_status", "review"]
Via = Literal["http", "kafka"]

CHANGES: tuple[Does, ...] = ("import", "set_status")
"""What changes a patient's overview, and has no order."""

_RETRY_LATER = (408, 425)
"""Client errors after which nothing is certain: the server may have read the request."""


class HistoryDamaged(ValueError):
    """A line other than a torn last one is not a step; the message says which, and quotes nothing."""


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line. `order_id` is the change's id for a change of an overview; `at` is the client's clock (UTC).

    `status` is what HTTP answered; `partition` and `offset` are what Kafka did.
    """

    op: UUID
    type: Type
    f: Does
    via: Via
    order_id: UUID
    at: datetime
    status: int | None = None
    partition: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation from its first step to its last."""

    op: UUID
    f: Does
    via: Via
    order_id: UUID
    outcome: Literal["ok", "fail", "unknown"]
    partition: int | None = None
    offset: int | None = None


def outcome_of(status: int) -> Literal["ok", "fail", "unknown"]:
    """What an HTTP status says of a write: 2xx took it, 4xx certainly did not, all else is open."""
    if 200 <= status < 300:
        return "ok"
    return "fail" if 400 <= status < 500 and status not in _RETRY_LATER else "unknown"


class History:
    """Writes a history; every method returns once its line is on disk.

    Lines of concurrent operations share an fsync. A file that is there is continued.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self._lines: QueryBatcher[bytes, None] = QueryBatcher(self._write)

    def __enter__(self) -> Self:
        _drop_torn_line(self._path)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        _sync_folder(self._path.parent)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._file)

    async def invoke(self, f: Does, via: Via, order_id: UUID) -> "Invoked":
        """Note that an operation is about to be sent. Raises OSError when it cannot be kept."""
        step = Step(uuid4(), "invoke", f, via, order_id, datetime.now(UTC))
        await self.note(step)
        return Invoked(self, step)

    async def note(self, step: Step) -> None:
        """Keep a step. Raises OSError when it cannot be kept."""
        await self._lines.run(msgspec.json.encode(step) + b"\n")

    async def _write(self, lines: Sequence[bytes]) -> list[None]:
        await asyncio.to_thread(_append, self._file, b"".join(lines))
        return [None] * len(lines)


@dataclass(frozen=True)
class Invoked:
    """An operation under way."""

    history: History
    step: Step

    async def answered(self, status: int) -> None:
        """HTTP answered with this status."""
        await self._end(outcome_of(status), status=status)

    async def taken(self, partition: int, offset: int) -> None:
        """Kafka acknowledged the record, and said where it is."""
        await self._end("ok", partition=partition, offset=offset)

    async def unknown(self) -> None:
        """No answer, or none in time."""
        await self._end("unknown")

    async def failed(self) -> None:
        """It was certainly never sent."""
        await self._end("fail")

    async def _end(
        self,
        outcome: Type,
        status: int | None = None,
        partition: int | None = None,
        offset: int | None = None,
    ) -> None:
        step = self.step
        at = datetime.now(UTC)
        await self.history.note(
            Step(step.op, outcome, step.f, step.via, step.order_id, at, status, partition, offset)
        )


def read_history(path: Path) -> list[Operation]:
    """The operations in a file, in the order in which they were invoked; a torn last line is left out.

    Raises:
        HistoryDamaged: another line is not a step, or an operation ends that was not invoked.
        OSError: the file cannot be read.
    """
    return operations(_steps(path.read_bytes()))


def operations(steps: Iterable[Step]) -> list[Operation]:
    """Operations by their steps. Raises HistoryDamaged when one ends that was not invoked."""
    found: dict[UUID, Operation] = {}
    for step in steps:
        if step.type == "invoke":
            found[step.op] = Operation(step.op, step.f, step.via, step.order_id, "unknown")
        elif step.op not in found:
            raise HistoryDamaged(f"operation {step.op} ends without having been invoked")
        else:
            found[step.op] = Operation(
                step.op, step.f, step.via, step.order_id, step.type, step.partition, step.offset
            )
    return list(found.values())


def _steps(content: bytes) -> Iterator[Step]:
    decode = msgspec.json.Decoder(Step).decode
    lines = content.split(b"\n")
    # What follows the last line end was never acknowledged to the client.
    for number, line in enumerate(lines[:-1], start=1):
        try:
            yield decode(line)
        except msgspec.DecodeError:
            raise HistoryDamaged(f"line {number} of the history is not a step") from None


def _drop_torn_line(path: Path) -> None:
    if path.exists():
        content = path.read_bytes()
        os.truncate(path, content.rfind(b"\n") + 1)


def _append(file: int, lines: bytes) -> None:
    left = memoryview(lines)
    while left:
        left = left[os.write(file, left) :]
    os.fsync(file)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
