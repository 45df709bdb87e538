"""The port `Store` in memory, without SQL. `tests/integration/test_store_contract.py` tests it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import TopicPartition

from runtime.audit.entry import Entry
from runtime.errors import Fenced, Outdated
from runtime.messages.message import Outgoing, Timer
from runtime.messages.positions import (
    Assigned,
    Changes,
    Claim,
    Fired,
    OutboxRow,
    Position,
    Published,
    newest_per_partition,
)
from runtime.postgres.statements import Copy, Statement, Writes

Failure = Callable[[], Exception | None]


@dataclass
class State:
    """All that a transaction can change."""

    cluster: str | None = None
    progress: dict[TopicPartition, Position] = field(default_factory=dict)
    outbox: dict[int, OutboxRow] = field(default_factory=dict)
    stored_s: dict[int, float] = field(default_factory=dict)
    """Insert time of each outbox row, by the monotonic clock."""
    timers: dict[str, tuple[int, Timer]] = field(default_factory=dict)
    tables: dict[str, list[Any]] = field(default_factory=dict)
    """Keys inserted by the service's statements, by table."""
    audited: list[Entry] = field(default_factory=list)


class MemoryStore:
    """A fake of the service's database whose commits can fail."""

    def __init__(self) -> None:
        self.state = State()
        self.on_commit: list[Failure] = []
        """Each is called at one commit. The commit fails with the error that it returns."""
        self.after_commit: list[Failure] = []
        """The same, but after the commit has taken effect."""
        self.commit_s = 0.0
        """Duration of a commit."""
        self.now = datetime.max.replace(tzinfo=UTC)
        """The database's clock. At the maximum every timer is due."""
        self._ids = 0
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def assigning(
        self, cluster: str, earliest: Mapping[TopicPartition, int]
    ) -> AsyncIterator[Assigned]:
        """Raise epochs when the body ends; change nothing when it raises."""
        async with self._transaction() as state:
            state.cluster = state.cluster or cluster
            for tp, offset in earliest.items():
                before = state.progress.get(tp, Position(offset, 0))
                state.progress[tp] = Position(before.next_offset, before.epoch + 1, before.last_ms)
            yield Assigned(state.cluster, {tp: state.progress[tp] for tp in earliest})

    @asynccontextmanager
    async def session(self) -> AsyncIterator["MemorySession"]:
        """Acquire a session for one batch."""
        await asyncio.sleep(0)
        yield MemorySession(self)

    async def save(
        self, changes: Changes, writes: Writes, before_commit: Callable[[], None]
    ) -> list[int]:
        """Save everything in one transaction."""
        async with self._transaction() as state:
            ids = self._advance(state, changes.claims, changes.outputs)
            for write in writes.all:
                _add(state, write.table, _keys(write), write.table in writes.required_new)
            for id in changes.cancelled:
                state.timers.pop(id, None)
            state.timers |= {timer.id: (partition, timer) for partition, timer in changes.timers}
            _drop(state, changes.published)
            state.audited += changes.audited
            before_commit()
        return ids

    async def any_due(self, partitions: Iterable[int]) -> bool:
        """Whether a timer is due."""
        return bool(self._due(self.state, partitions))

    async def fire(self, partitions: Iterable[int], claims: Sequence[Claim]) -> Fired:
        """Move due timers to the outbox."""
        async with self._transaction() as state:
            outputs: dict[int, list[Outgoing]] = {}
            for partition, timer in self._due(state, partitions):
                del state.timers[timer.id]
                outputs.setdefault(partition, []).append(timer.record)
            ids = self._advance(state, claims, outputs) if outputs else []
        return Fired(ids, outputs)

    async def leftovers(self, partitions: Iterable[int], at_most: int) -> list[OutboxRow]:
        """Return the oldest rows."""
        wanted = set(partitions)
        rows = [row for _, row in sorted(self.state.outbox.items()) if row.partition in wanted]
        return rows[:at_most]

    async def drop(self, published: Sequence[Published]) -> None:
        """Delete published rows."""
        async with self._transaction() as state:
            _drop(state, published)

    async def has_stale(self, partitions: Iterable[int], age_s: float) -> bool:
        """Whether a row is older than `age_s`."""
        before_s = time.monotonic() - age_s
        rows = await self.leftovers(partitions, len(self.state.outbox))
        return any(self.state.stored_s[row.id] <= before_s for row in rows)

    def _due(self, state: State, partitions: Iterable[int]) -> list[tuple[int, Timer]]:
        wanted = set(partitions)
        due = [(p, t) for p, t in state.timers.values() if p in wanted and t.due_at <= self.now]
        return sorted(due, key=lambda each: each[1].due_at)

    def _advance(
        self, state: State, claims: Iterable[Claim], outputs: Mapping[int, Sequence[Outgoing]]
    ) -> list[int]:
        for claim in claims:
            tp = TopicPartition(claim.topic, claim.partition)
            position = state.progress.get(tp)
            if position is None or (position.next_offset, position.epoch) != (
                claim.expected,
                claim.epoch,
            ):
                raise Fenced
            last_ms = position.last_ms if claim.last_ms is None else claim.last_ms
            state.progress[tp] = Position(claim.next_offset, claim.epoch, last_ms)
        return [self._store(state, partition, rows) for partition, rows in outputs.items()]

    def _store(self, state: State, partition: int, records: Sequence[Outgoing]) -> int:
        self._ids += 1
        state.outbox[self._ids] = OutboxRow(self._ids, partition, tuple(records))
        state.stored_s[self._ids] = time.monotonic()
        return self._ids

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[State]:
        """Yield a copy of the state; it replaces the state unless the body or the commit fails."""
        async with self._one_at_a_time:
            state = deepcopy(self.state)
            yield state
            await asyncio.sleep(self.commit_s)
            _fail(self.on_commit)
            self.state = state
            _fail(self.after_commit)


@dataclass
class MemorySession:
    """A fake connection."""

    store: MemoryStore
    db: Any = None

    async def save(
        self, changes: Changes, writes: Writes, before_commit: Callable[[], None] = lambda: None
    ) -> list[int]:
        """Save everything in one transaction."""
        return await self.store.save(changes, writes, before_commit)


def _add(state: State, table: str, keys: Iterable[Any], expected_new: bool) -> None:
    rows = state.tables.setdefault(table, [])
    for key in keys:
        if expected_new and key in rows:
            raise Outdated
        rows.append(key)


def _keys(write: Statement | Copy) -> list[Any]:
    """The keys that a statement inserts: its first column. The fake treats every statement as an insert."""
    match write:
        case Statement(arguments=(keys, *_)):
            return [*keys]
        case Copy(rows=rows):
            return [row[0] for row in rows]
        case _:
            raise AssertionError(f"the fake cannot execute {write}")


def _drop(state: State, published: Iterable[Published]) -> None:
    for one in published:
        for id in one.ids:
            del state.outbox[id], state.stored_s[id]
        for a in newest_per_partition(one.acknowledged):
            tp = TopicPartition(a.topic, a.partition)
            if tp in state.progress and state.progress[tp].next_offset < a.next_offset:
                state.progress[tp] = Position(a.next_offset, state.progress[tp].epoch, a.last_ms)


def _fail(failures: list[Failure]) -> None:
    error = failures.pop(0)() if failures else None
    if error is not None:
        raise error


def acquired(
    store: MemoryStore, *partitions: TopicPartition, epoch: int = 1
) -> dict[TopicPartition, Position]:
    """Store these partitions at offset 0 with this epoch; returns their positions."""
    positions = dict.fromkeys(partitions, Position(0, epoch))
    store.state.progress |= positions
    return positions
