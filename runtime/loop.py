"""The one loop: parse, load, decide, save in one transaction, publish.

`Loop` handles one batch at a time for the partitions that its worker has taken. It knows neither the
consumer nor the service: batches come in through `on_batch`, ownership through `own` and `disown`.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Generic

import asyncpg
import structlog
from aiokafka import TopicPartition

from runtime import ledger, timers
from runtime.backoff import Backoff
from runtime.batch import Batch, Deciding, HandlerFailed, Where, kind_of, where_of
from runtime.connection import Connection
from runtime.failures import is_transient
from runtime.handling import Handler, W
from runtime.ledger import Claim, Fenced, Position
from runtime.parsing import Parser, Unreadable
from runtime.publisher import Publisher
from runtime.publishing import Publishing
from runtime.pulse import Pulse
from runtime.records import Outgoing, Record, runs
from runtime.steps import Reached, Step, pass_by
from runtime.telemetry import Telemetry
from runtime.writes import Writes

log = structlog.get_logger()

ATTEMPTS = 3
"""How often a batch, and then a single record, is tried before a failure that is not transient is final."""

FINISH_S = 2.0
"""How long a worker that gives its partitions up waits for the batch in hand, and for its publishing."""


STALE_S = 10.0
"""An outbox row that is older, while nothing is being published, was forgotten."""


class Loop(Generic[W]):
    """Runs a service's handler over batches, exactly once in effect.

    `own` is the service's own topic, of which the database knows how far it is known.
    """

    def __init__(
        self,
        service: str,
        parser: Parser,
        handler: Handler[W],
        pool: "asyncpg.Pool[Any]",
        publisher: Publisher,
        telemetry: Telemetry,
        backoff: Callable[[], Backoff] = Backoff,
        reached: Reached = pass_by,
        own: str | None = None,
    ) -> None:
        self.reached = reached
        """Called at each step."""
        self.pulse = Pulse()
        """Beats whenever the loop begins, fails at or finishes something."""
        self._own = own
        self._deciding = Deciding(service, parser, handler)
        self._handler = handler
        self._pool = pool
        self._telemetry = telemetry
        self._backoff = backoff
        self._owned: dict[TopicPartition, Position] = {}
        self._busy = asyncio.Lock()
        self.fenced = asyncio.Event()
        """Set when a save found that another epoch holds its partitions, or that a commit's end is unknown."""
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails when the loop cannot go on; its process then ends and is started again."""
        self._publishing = Publishing(
            pool,
            publisher,
            telemetry,
            lambda: self.pulse,
            self._cannot_publish,
            backoff,
            reached,
            own,
        )

    @property
    def is_publishing(self) -> bool:
        """Whether what was decided is on its way to Kafka."""
        return self._publishing.is_under_way

    @property
    def owned(self) -> Mapping[TopicPartition, Position]:
        """The partitions this worker has taken, and where it stands in each."""
        return self._owned

    def own(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Handle these partitions from now on."""
        self._owned = dict(positions)
        self.fenced.clear()

    async def disown(self) -> Mapping[TopicPartition, Position]:
        """Finish the batch in hand and its publishing, then handle nothing more; where it stood.

        What is not done within `FINISH_S` each, as while a server is away, is left to the next owner.
        """
        try:
            async with asyncio.timeout(FINISH_S):
                await self._busy.acquire()
        except TimeoutError:
            # A batch that is tried again and again ends at its next attempt, as nothing is owned then.
            left, self._owned = self._owned, {}
            return left
        try:
            left, self._owned = self._owned, {}
            await self._publishing.finish(FINISH_S)
            return left
        finally:
            self._busy.release()

    async def published(self) -> None:
        """Wait until everything decided so far is published and dropped from the outbox."""
        await self._publishing.settled()

    def fail(self, error: BaseException) -> None:
        """The loop cannot go on; the first error told is the one that counts."""
        log.error("the loop cannot go on", exc_info=error)
        if not self.failed.done():
            self.failed.set_exception(error)

    async def on_batch(self, records: Sequence[Record]) -> None:
        """Handle records in order; returns when they are saved, their publishing under way."""
        async with self._busy:
            mine = self._ahead(records)
            if mine:
                with self._telemetry.batch(len(mine)):
                    await self._settle(mine)

    async def fire_timers(self) -> None:
        """Publish what is due. Batches wait for that, and only when there is something."""
        partitions = {tp.partition for tp in self._owned}
        if not partitions:
            return
        async with self._pool.acquire() as db:
            if not await timers.any_due(db, partitions):
                return
        async with self._busy:
            # Meanwhile they may have been lost.
            await self._fire({tp.partition for tp in self._owned})

    async def _fire(self, partitions: set[int]) -> None:
        """Move what is due from the timers to the outbox in one transaction, and publish it."""
        outputs: dict[int, list[Outgoing]] = {}
        try:
            async with self._pool.acquire() as db, db.transaction():
                due = await timers.due(db, partitions)
                if not due:
                    return
                outputs = {p: [record for _, record in fired] for p, fired in due.items()}
                ids = await ledger.advance(db, self._claims((), partitions), outputs)
        except Exception:
            if outputs:
                # They may be in the outbox or not: taking again publishes what is there.
                self.fenced.set()
            raise
        await self._publish(ids, outputs)

    async def look_for_leftovers(self) -> None:
        """Start afresh when the outbox holds what nobody publishes: a crash of the database lost its drop."""
        partitions = {tp.partition for tp in self._owned}
        if not partitions or self.is_publishing:
            return
        async with self._pool.acquire() as db:
            if await ledger.has_stale(db, partitions, STALE_S):
                log.warning("the outbox holds what should be gone; publishing it again")
                self.fenced.set()

    def _ahead(self, records: Iterable[Record]) -> list[Record]:
        """Those of partitions that are owned, from where each stands on."""
        found: list[Record] = []
        for tp, run in runs(records):
            position = self._owned.get(tp)
            if position is None:
                continue
            begun = run[0].offset < position.next_offset
            found += [r for r in run if r.offset >= position.next_offset] if begun else run
        return found

    async def _settle(self, records: Sequence[Record]) -> None:
        """See these records through: done, dead-lettered, or left to the worker that took over."""
        poison: dict[Where, Unreadable] = {}
        failures = 0
        backoff = self._backoff()
        # Each time anew: while this backed off, the partitions may have been lost or taken again.
        while mine := self._ahead(records):
            self.pulse.beat()
            try:
                with self.pulse.excused():
                    await self._transact(mine, poison)
                return
            except Fenced:
                # Another worker took over, or a commit was lost sight of: either way, start afresh.
                log.warning("progress has moved on without this worker", records=len(records))
                self._owned = {}
                self.fenced.set()
                return
            except Exception as error:
                self._telemetry.retried(error)
                if not is_transient(error):
                    failures += 1
                    log.error("batch failed", kind=kind_of(error), attempt=failures, exc_info=error)
                    if failures >= ATTEMPTS and await self._isolate(records, error, poison):
                        return
                else:
                    log.warning("batch will be tried again", error=kind_of(error))
                await backoff.wait()

    async def _isolate(
        self, records: Sequence[Record], error: Exception, poison: dict[Where, Unreadable]
    ) -> bool:
        """Find the record that the batch fails on. True when all records are settled one by one."""
        if isinstance(error, HandlerFailed):
            poison[error.where] = Unreadable(error.reason, error.kind)
            return False
        if len(records) == 1:
            if where_of(records[0]) in poison:
                # Not the record's fault: even its dead letter cannot be saved.
                raise error
            poison[where_of(records[0])] = Unreadable("save_failed", kind_of(error))
            return False
        for record in records:
            # A fenced record empties `_owned`, which ends the loop as well.
            if self._ahead([record]):
                await self._settle([record])
        return True

    async def _transact(
        self, records: Sequence[Record], poison: Mapping[Where, Unreadable]
    ) -> None:
        batch = Batch()
        messages = self._deciding.parse(records, poison, batch)
        claims = self._claims(records, {r.partition for r in records})
        async with self._pool.acquire() as db:
            work = await self._handler.load(db, messages)
            self.reached(Step.BEFORE_DECIDE)
            with self._telemetry.deciding():
                self._deciding.handle(messages, work, batch)
            self.reached(Step.AFTER_DECIDE)
            with self._telemetry.transaction():
                ids = await self._save(db, batch, work, claims)
        self.reached(Step.AFTER_COMMIT)
        self._advanced(claims)
        self._telemetry.dead(batch.dead)
        await self._publish(ids, batch.outputs)

    async def _save(
        self, db: Connection, batch: Batch, work: W, claims: Sequence[Claim]
    ) -> Sequence[int]:
        """Write all of this batch, and drop what is published by now; the ids of its outbox rows."""
        writes = Writes()
        # While it is read from our own topic, what is known of that topic moves by the claims.
        reads_own = self._own in {c.topic for c in claims}
        with nullcontext(()) if reads_own else self._publishing.taken() as dropped:
            if dropped:
                ledger.drop_with(writes, dropped)
                self.reached(Step.BEFORE_DROP)
            self._handler.save(work, writes)
            if batch.cancelled:
                timers.cancel(writes, batch.cancelled)
            if batch.timers:
                timers.keep(writes, batch.timers)
            ids = await ledger.save(
                db, claims, batch.outputs, writes, lambda: self.reached(Step.BEFORE_COMMIT)
            )
            if dropped:
                self.reached(Step.AFTER_DROP)
            return ids

    def _claims(self, records: Iterable[Record], partitions: set[int]) -> list[Claim]:
        """A claim for every topic of these partition numbers, moved past the records it has here."""
        last = {(r.topic, r.partition): r for r in records}
        return [
            _claim(tp, position, last.get(tp))
            for tp, position in sorted(self._owned.items())
            if tp.partition in partitions
        ]

    def _advanced(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            tp = TopicPartition(claim.topic, claim.partition)
            if tp in self._owned:
                self._owned[tp] = Position(claim.next_offset, claim.epoch, claim.last_ms)
        self._telemetry.progressed()

    async def _publish(self, ids: Sequence[int], outputs: Mapping[int, Sequence[Outgoing]]) -> None:
        """Publish after the batch before, while the next one is decided; never two at a time."""
        await self._publishing.done()
        if self.failed.done():
            # The outbox keeps these after what could not be published; the next start publishes both.
            self._owned = {}
            return
        self._publishing.begin(ids, outputs)

    def _cannot_publish(self, error: BaseException) -> None:
        # What comes after must not be published before this: own nothing, so decide nothing.
        self._owned = {}
        self.fail(error)


def _claim(tp: TopicPartition, position: Position, last: Record | None) -> Claim:
    next_offset, last_ms = (
        (last.offset + 1, last.timestamp) if last else (position.next_offset, position.last_ms)
    )
    return Claim(tp.topic, tp.partition, position.next_offset, next_offset, position.epoch, last_ms)
