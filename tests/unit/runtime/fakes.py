"""What the loop is given: a database, a publisher and a handler that keep everything in memory.

The database knows the statements of `runtime/ledger.py` by their first words, and rolls back like a real one.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from aiokafka import TopicPartition

from runtime.handling import Done, Rejected
from runtime.ledger import Told
from runtime.records import Message, Outgoing, Timer
from runtime.writes import Writes
from schemas.orders import OrderPlace

_JOINED = re.compile(r", write_\d+ as \(")
_PARAMETER = re.compile(r"\$\d+")

Failure = Callable[[], Exception | None]


@dataclass
class State:
    """What a transaction may change."""

    progress: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    """Next offset and epoch by topic and partition."""
    outbox: dict[int, bytes] = field(default_factory=dict)
    timers: dict[str, tuple[int, Any, bytes]] = field(default_factory=dict)
    saved: list[str] = field(default_factory=list)
    """Remarks of the orders that the handler saved."""


class Database:
    """Stands in for the pool, its connection and the server."""

    def __init__(self) -> None:
        self.state = State()
        self.on_commit: list[Failure] = []
        """Each is called at one commit, and may make it fail."""
        self.after_commit: list[Failure] = []
        """The same once the commit has taken effect: its answer is lost."""
        self.commit_s = 0.0
        """How long a commit takes, in which others get their turn."""
        self._ids = 0
        self._depth = 0

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["Database"]:
        await asyncio.sleep(0)
        yield self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        before = deepcopy(self.state)
        self._depth += 1
        try:
            yield
            await asyncio.sleep(self.commit_s)
            _fail(self.on_commit)
        except BaseException:
            self.state = before
            raise
        finally:
            self._depth -= 1
        _fail(self.after_commit)

    async def fetchrow(self, statement: str, *columns: Sequence[Any]) -> dict[str, Any]:
        """An advance, with the statements that are joined to it: a transaction unless in one."""
        if not self._depth:
            async with self.transaction():
                return await self.fetchrow(statement, *columns)
        ids = self._advance(*columns[:8])
        rest = list(columns[8:])
        for part in _JOINED.split(statement.rsplit("\nselect ", 1)[0])[1:]:
            takes = len(set(_PARAMETER.findall(part)))
            await self.execute(part, *rest[:takes])
            del rest[:takes]
        assert not rest, "every argument belongs to a part"
        return {"ids": ids or None}

    def _advance(self, *columns: Sequence[Any]) -> list[int]:
        claims, outbox = zip(*columns[:6], strict=True), zip(*columns[6:], strict=True)
        for topic, partition, expected, next_offset, epoch, _ in claims:
            if self.state.progress.get((topic, partition)) != (expected, epoch):
                raise asyncpg.DivisionByZeroError
            self.state.progress[topic, partition] = (next_offset, epoch)
        return [self._store(records) for _, records in outbox]

    def _store(self, records: bytes) -> int:
        self._ids += 1
        self.state.outbox[self._ids] = records
        return self._ids

    async def execute(self, statement: str, *columns: Any) -> None:
        match statement.split()[:3]:
            case ["with", "asynchronous", "as"] | ["delete", "from", "outbox"]:
                if not self._depth:
                    await asyncio.sleep(self.commit_s)
                for row in columns[0]:
                    del self.state.outbox[row]
            case ["insert", "into", "saved"]:
                self.state.saved.extend(columns[0])
            case ["insert", "into", "timers"]:
                for id, *rest in zip(*columns, strict=True):
                    self.state.timers[id] = (rest[0], rest[1], rest[2])
            case ["delete", "from", "timers"]:
                for id in columns[0]:
                    self.state.timers.pop(id, None)
            case other:
                raise AssertionError(f"the fake does not know {other}")

    async def fetchval(self, _any_due: str, partitions: list[int]) -> bool:
        return any(partition in partitions for partition, *_ in self.state.timers.values())

    async def fetch(self, _due: str, partitions: list[int]) -> list[dict[str, Any]]:
        """All timers of these partitions are due."""
        mine = {id: t for id, t in self.state.timers.items() if t[0] in partitions}
        for id in mine:
            del self.state.timers[id]
        return [{"partition": p, "due_at": at, "record": record} for p, at, record in mine.values()]


def _fail(failures: list[Failure]) -> None:
    error = failures.pop(0)() if failures else None
    if error is not None:
        raise error


class Wire:
    """Stands in for the publisher: keeps what it is given, and fails when told to."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []
        self.fails: list[Exception] = []
        self.open = asyncio.Event()
        self.open.set()

    async def publish(self, records: Sequence[Outgoing]) -> list[Told]:
        await self.open.wait()
        if self.fails:
            raise self.fails.pop(0)
        self.published.extend(records)
        return []

    def told(self, topic: str) -> list[str]:
        """The values published to a topic."""
        return [(r.value or b"").decode() for r in self.published if r.topic == topic]


class NoWait:
    """Stands in for the back-off: yields once, so that a test takes no time."""

    async def wait(self) -> None:
        await asyncio.sleep(0)


@dataclass
class Noted:
    """The unit of work: the remarks of this batch's orders."""

    remarks: list[str] = field(default_factory=list)


class Remarks:
    """A handler that saves each order's remark and publishes it; some remarks do more."""

    def __init__(self, timer: Timer | None = None) -> None:
        self.handled: list[str] = []
        """Every attempt, in order."""
        self._timer = timer

    async def load(self, db: Any, messages: Sequence[Message[Any]]) -> Noted:
        if any(_remark(m) == "unloadable" for m in messages):
            raise KeyError("unloadable")
        return Noted()

    def handle(self, message: Message[Any], work: Noted) -> Done | Rejected:
        remark = _remark(message)
        self.handled.append(remark)
        match remark:
            case "raise":
                raise ValueError("raise, says pat_anna0001")
            case "reject":
                return Rejected("not_wanted", "remark")
            case "timer" if self._timer:
                return Done(timers=(self._timer,))
            case "no timer" if self._timer:
                return Done(cancelled=(self._timer.id,))
            case _:
                work.remarks.append(remark)
                return Done((Outgoing("out", message.key.encode(), remark.encode(), []),))

    def save(self, work: Noted, writes: Writes) -> None:
        if "unsavable" in work.remarks:
            raise ValueError("violates a constraint: pat_anna0001")
        writes.execute("saved", "insert into saved select unnest($1::text[])", work.remarks)


def _remark(message: Message[Any]) -> str:
    assert isinstance(message.body, OrderPlace)
    return message.body.remark or ""


def taken(database: Database, *where: TopicPartition, epoch: int = 1) -> dict[TopicPartition, int]:
    """The database says that these partitions start at 0, taken with this epoch."""
    for tp in where:
        database.state.progress[tp.topic, tp.partition] = (0, epoch)
    return dict.fromkeys(where, 0)
