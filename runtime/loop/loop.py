"""The one loop: parse, load, decide, save in one transaction, publish.

`Loop` handles one batch at a time for the partitions that are assigned to its worker. It knows neither the
consumer nor the service nor the database: batches come in through `on_batch`, the assignment through
`assign` and `release`, and what is stored lies behind the port `Store`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Generic

import structlog
from aiokafka import TopicPartition

from runtime.backoff import Backoff
from runtime.errors import Fenced, is_transient
from runtime.kafka.producer import Producer
from runtime.loop.assigned_partitions import AssignedPartitions
from runtime.loop.attempts import Attempts
from runtime.loop.batch import (
    Batch,
    Deciding,
    HandlerFailed,
    SavingFailed,
    Where,
    kind_of,
    where_of,
)
from runtime.loop.failpoints import Failpoint, Reached, pass_by
from runtime.loop.handler import Handler, W
from runtime.loop.outbox_relay import OutboxRelay
from runtime.loop.ports import Session, Store
from runtime.loop.pulse import Pulse
from runtime.messages.message import Outgoing, Record
from runtime.messages.parser import Parser, Unreadable
from runtime.messages.positions import Changes, Claim, Position
from runtime.observability.metrics import Telemetry
from runtime.postgres.statements import Writes

log = structlog.get_logger()

FINISH_S = 2.0
"""How long a worker that releases its partitions waits for the batch in hand, and for its publishing."""

TRIAL_S = 5.0
"""A database that takes longer for a trial save does not work well enough to blame a record."""

STALE_S = 10.0
"""An outbox row that is older, while nothing is being published, was forgotten."""


class Loop(Generic[W]):
    """Runs a service's handler over batches, exactly once in effect.

    `output_topic` is the topic that the service reads back after a restore, None without one.
    """

    def __init__(
        self,
        service: str,
        parser: Parser,
        handler: Handler[W],
        store: Store,
        publisher: Producer,
        telemetry: Telemetry,
        backoff: Callable[[], Backoff] = Backoff,
        reached: Reached = pass_by,
        output_topic: str | None = None,
    ) -> None:
        self.reached = reached
        """Called at each step."""
        self.pulse = Pulse()
        """Beats whenever the loop begins, fails at or finishes something."""
        self._output_topic = output_topic
        self._deciding = Deciding(service, parser, handler)
        self._handler = handler
        self._store = store
        self._telemetry = telemetry
        self._backoff = backoff
        self._assigned = AssignedPartitions()
        self._busy = asyncio.Lock()
        self.fenced = asyncio.Event()
        """Set when a save finds a newer epoch, or when it is unknown whether a commit took effect."""
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails when the loop cannot go on; its process then ends and is started again."""
        self._relay = OutboxRelay(
            store,
            publisher,
            telemetry,
            lambda: self.pulse,
            self._cannot_publish,
            backoff,
            reached,
            output_topic,
        )

    @property
    def is_publishing(self) -> bool:
        """Whether saved records are on their way to Kafka."""
        return self._relay.is_under_way

    @property
    def assigned(self) -> Mapping[TopicPartition, Position]:
        """The partitions that this worker has taken, with their stored offsets."""
        return self._assigned.positions

    def assign(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Handle these partitions from now on, and no others."""
        self._assigned.assign(positions)
        self.fenced.clear()

    async def release(self) -> Mapping[TopicPartition, Position]:
        """Finish the batch in hand and its publishing, then handle nothing more; the last stored offsets.

        What takes longer than `FINISH_S` each, as while a server is away, is left to the next worker.
        """
        try:
            async with asyncio.timeout(FINISH_S):
                await self._busy.acquire()
        except TimeoutError:
            # A batch that is being retried ends at its next attempt, as nothing is assigned then.
            return self._assigned.clear()
        try:
            released = self._assigned.clear()
            await self._relay.finish(FINISH_S)
            return released
        finally:
            self._busy.release()

    async def published(self) -> None:
        """Wait until every saved record is published and dropped from the outbox."""
        await self._relay.settled()

    def fail(self, error: BaseException) -> None:
        """Stop for good; the first error is the one that counts."""
        log.error("the loop cannot go on", exc_info=error)
        if not self.failed.done():
            self.failed.set_exception(error)

    async def on_batch(self, records: Sequence[Record]) -> None:
        """Handle records in order; returns when they are saved and their outputs are being published."""
        async with self._busy:
            ahead = self._assigned.ahead(records)
            if ahead:
                with self._telemetry.batch(len(ahead)):
                    await self._settle(ahead)

    async def fire_timers(self) -> None:
        """Publish the records of due timers. Batches wait only when there are any."""
        partitions = self._assigned.numbers
        if not partitions or not await self._store.any_due(partitions):
            return
        async with self._busy:
            # The assignment may have changed meanwhile.
            partitions = self._assigned.numbers
            try:
                fired = await self._store.fire(partitions, self._assigned.claims(partitions))
            except Exception:
                # They may be in the outbox or not: taking the partitions again publishes its rows.
                self.fenced.set()
                raise
            if fired.ids:
                await self._publish(fired.ids, fired.outputs)

    async def look_for_leftovers(self) -> None:
        """Start afresh when the outbox has rows that nobody publishes: a crash undid their deletion."""
        partitions = self._assigned.numbers
        if not partitions or self.is_publishing:
            return
        if await self._store.has_stale(partitions, STALE_S):
            log.warning("the outbox has rows that should be gone; publishing them again")
            self.fenced.set()

    async def _settle(self, records: Sequence[Record]) -> None:
        """Retry these records until they are saved, dead-lettered, or another worker's."""
        poison: dict[Where, Unreadable] = {}
        attempts = Attempts(alone=len(records) == 1)
        backoff = self._backoff()
        # The assignment may have changed during the back-off, so the records are looked at each time.
        while ahead := self._assigned.ahead(records):
            self.pulse.beat()
            try:
                with self.pulse.excused():
                    await self._transact(ahead, poison)
                return
            except Fenced:
                # Another worker took over, or a commit took effect unnoticed: either way, start afresh.
                log.warning("the stored offset has moved on", records=len(records))
                self._assigned.clear()
                self.fenced.set()
                return
            except Exception as error:
                await self._note(error, attempts)
                if attempts.are_used_up(error) and await self._isolate(records, error, poison):
                    return
                await backoff.wait()

    async def _note(self, error: Exception, attempts: Attempts) -> None:
        """Count a failed attempt, and say so."""
        self._telemetry.retried(error)
        attempts.failed(error)
        if is_transient(error):
            log.warning("batch will be tried again", error=kind_of(error))
        else:
            kind, count = kind_of(error), attempts.lasting
            log.error("batch failed", kind=kind, attempt=count, exc_info=error)
        if attempts.needs_trial(error):
            attempts.tried(await self._trial_save())

    async def _trial_save(self) -> bool:
        """Whether the database saves now: the stored offsets once more as they are."""
        claims = self._assigned.claims(self._assigned.numbers)
        try:
            async with asyncio.timeout(TRIAL_S), self._store.session() as session:
                await session.save(Changes(claims), Writes())
        except Exception as error:
            log.warning("a trial save fails as well", error=kind_of(error))
            return False
        return True

    async def _isolate(
        self, records: Sequence[Record], error: Exception, poison: dict[Where, Unreadable]
    ) -> bool:
        """Find the record on which the batch fails. True when all records are settled one by one."""
        if isinstance(error, HandlerFailed):
            poison[error.where] = Unreadable(error.reason, error.kind)
            return False
        if len(records) == 1:
            if where_of(records[0]) not in poison:
                poison[where_of(records[0])] = Unreadable("save_failed", kind_of(error))
            elif not is_transient(error):
                # Not the record's fault: even its dead letter cannot be saved.
                raise error
            return False
        for record in records:
            # A fenced record empties the assignment, which ends the loop as well.
            if self._assigned.ahead([record]):
                await self._settle([record])
        return True

    async def _transact(
        self, records: Sequence[Record], poison: Mapping[Where, Unreadable]
    ) -> None:
        batch = Batch()
        messages = self._deciding.parse(records, poison, batch)
        claims = self._assigned.claims({r.partition for r in records}, records)
        async with self._store.session() as session:
            work = await self._handler.load(session.db, messages)
            self.reached(Failpoint.BEFORE_DECIDE)
            with self._telemetry.deciding():
                self._deciding.handle(messages, work, batch)
            self.reached(Failpoint.AFTER_DECIDE)
            with self._telemetry.transaction():
                ids = await self._save(session, batch, self._writes(work), claims)
        self.reached(Failpoint.AFTER_COMMIT)
        self._assigned.advance(claims)
        self._telemetry.progressed()
        self._telemetry.dead(batch.dead)
        await self._publish(ids, batch.outputs)

    def _writes(self, work: W) -> Writes:
        """The service's own statements. Raises SavingFailed when its code fails."""
        writes = Writes()
        try:
            self._handler.save(work, writes)
        except Exception as error:
            # No server is involved yet, so not even an OSError is transient.
            raise SavingFailed(kind_of(error)) from error
        return writes

    async def _save(
        self, session: Session, batch: Batch, writes: Writes, claims: Sequence[Claim]
    ) -> Sequence[int]:
        """Save this batch, and drop what is published by now; the ids of its outbox rows."""
        # While the output topic is read, its offset moves by the claims instead.
        reads_output = self._output_topic in {c.topic for c in claims}
        with nullcontext(()) if reads_output else self._relay.to_drop() as published:
            if published:
                self.reached(Failpoint.BEFORE_DROP)
            ids = await session.save(
                Changes(claims, batch.outputs, batch.timers, batch.cancelled, published),
                writes,
                lambda: self.reached(Failpoint.BEFORE_COMMIT),
            )
            if published:
                self.reached(Failpoint.AFTER_DROP)
            return ids

    async def _publish(self, ids: Sequence[int], outputs: Mapping[int, Sequence[Outgoing]]) -> None:
        """Publish after the batch before, while the next one is decided; never two at a time."""
        await self._relay.done()
        if self.failed.done():
            # The outbox keeps these after what could not be published; the next start publishes both.
            self._assigned.clear()
            return
        self._relay.begin(ids, outputs)

    def _cannot_publish(self, error: BaseException) -> None:
        # What comes after must not be published before this: without an assignment nothing is decided.
        self._assigned.clear()
        self.fail(error)
