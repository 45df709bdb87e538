"""A history: the operations that clients performed and their outcomes, one JSON line per step.

As in Jepsen, an operation starts with an `invoke`, which is on disk before the request is sent, and ends with
`ok` (acknowledged), `fail` (certainly had no effect) or `unknown` (no answer, or one that leaves it open).
An operation without an end is unknown too: its client died or timed out.
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

StepType = Literal["invoke", "ok", "fail", "unknown"]
Action = Literal["place", "cancel", "import", "set_status", "review"]
Via = Literal["http", "kafka"]

CHANGES: tuple[Action, ...] = ("import", "set_status")
"""The actions that change an overview; they have a change id instead of an order id."""

_RETRY_LATER = (408, 425)
"""Client errors after which the outcome is unknown: the server may have read the request."""


class HistoryDamaged(ValueError):
    """A line that is not a step, other than a torn last one. The message names the line and quotes nothing."""


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the file. `order_id` is the change id for an action in `CHANGES`.

    `at` is the client's clock (UTC), `status` the HTTP status, `partition` and `offset` the record's on Kafka.
    """

    op: UUID
    type: StepType
    f: Action
    via: Via
    order_id: UUID
    at: datetime
    status: int | None = None
    partition: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation with its outcome."""

    op: UUID
    f: Action
    via: Via
    order_id: UUID
    outcome: Literal["ok", "fail", "unknown"]
    partition: int | None = None
    offset: int | None = None


def outcome_of(status: int) -> Literal["ok", "fail", "unknown"]:
    """The outcome of a write by its HTTP status: 2xx `ok`, 4xx `fail` (but 408 and 425), others `unknown`."""
    if 200 <= status < 300:
        return "ok"
    return "fail" if 400 <= status < 500 and status not in _RETRY_LATER else "unknown"


class History:
    """Writes a history; every method returns once its line is on disk.

    Lines of concurrent operations share an fsync. An existing file is appended to.
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

    async def invoke(self, f: Action, via: Via, order_id: UUID) -> "Invoked":
        """Write that an operation is about to be sent. Raises OSError when that fails."""
        step = Step(uuid4(), "invoke", f, via, order_id, datetime.now(UTC))
        await self.write(step)
        return Invoked(self, step)

    async def write(self, step: Step) -> None:
        """Write a step. Raises OSError when that fails."""
        await self._lines.run(msgspec.json.encode(step) + b"\n")

    async def _write(self, lines: Sequence[bytes]) -> list[None]:
        await asyncio.to_thread(_append, self._file, b"".join(lines))
        return [None] * len(lines)


@dataclass(frozen=True)
class Invoked:
    """An operation that has started; each method writes its end."""

    history: History
    step: Step

    async def answered(self, status: int) -> None:
        """Write that HTTP answered with this status."""
        await self._end(outcome_of(status), status=status)

    async def acknowledged(self, partition: int, offset: int) -> None:
        """Write that Kafka acknowledged the record, with its position."""
        await self._end("ok", partition=partition, offset=offset)

    async def unknown(self) -> None:
        """Write that no answer came, or none in time."""
        await self._end("unknown")

    async def failed(self) -> None:
        """Write that the request was certainly never sent."""
        await self._end("fail")

    async def _end(
        self,
        outcome: StepType,
        status: int | None = None,
        partition: int | None = None,
        offset: int | None = None,
    ) -> None:
        step = self.step
        at = datetime.now(UTC)
        await self.history.write(
            Step(step.op, outcome, step.f, step.via, step.order_id, at, status, partition, offset)
        )


def read_history(path: Path) -> list[Operation]:
    """Read the operations in a file, in the order of their invocation. A torn last line is ignored.

    Raises:
        HistoryDamaged: another line is not a step, or an operation ends without an `invoke`.
        OSError: the file cannot be read.
    """
    return operations(_steps(path.read_bytes()))


def operations(steps: Iterable[Step]) -> list[Operation]:
    """Combine steps into operations. Raises HistoryDamaged when one ends without an `invoke`."""
    by_id: dict[UUID, Operation] = {}
    for step in steps:
        if step.type == "invoke":
            by_id[step.op] = Operation(step.op, step.f, step.via, step.order_id, "unknown")
        elif step.op not in by_id:
            raise HistoryDamaged(f"operation {step.op} ends without having been invoked")
        else:
            by_id[step.op] = Operation(
                step.op, step.f, step.via, step.order_id, step.type, step.partition, step.offset
            )
    return list(by_id.values())


def _steps(content: bytes) -> Iterator[Step]:
    decode = msgspec.json.Decoder(Step).decode
    lines = content.split(b"\n")
    # A line without a line end was never on disk when the client went on.
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
