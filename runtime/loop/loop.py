"""The loop of every service: parse, load, decide, save in one transaction, publish.

`Loop` handles one batch at a time for the partitions assigned to its worker. It does not depend on the
consumer, the service or the database: it gets batches through `on_batch`, its assignment through `assign` and
`release`, and saves through the port `Store`.
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
    BatchProcessor,
    BatchResult,
    HandlerFailed,
    SavingFailed,
    Where,
    kind_of,
    where_of,
)
from runtime.loop.failpoints import Failpoint, FailpointHook, ignore_failpoint
from runtime.loop.handler import Handler, W
from runtime.loop.liveness import Liveness
from runtime.loop.outbox_relay import OutboxRelay
from runtime.loop.ports import Session, Store
from runtime.messages.message import Outgoing, Record
from runtime.messages.parser import Parser, Unreadable
from runtime.messages.positions import Changes, Claim, Position
from runtime.observability.metrics import Telemetry
from runtime.postgres.statements import Writes

log = structlog.get_logger()

FINISH_S = 2.0
"""How long a release waits for the current batch, and again for its publishing."""

TRIAL_S = 5.0
"""Time-out of a trial save: a slower database may itself be the cause."""

STALE_S = 10.0
"""Age at which an outbox row, while nothing is being published, must be published again."""


class Loop(Generic[W]):
    """Runs a service's handler over batches, exactly once in effect.

    `output_topic` is the topic from which the service recovers after a restore; None without one.
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
        at_failpoint: FailpointHook = ignore_failpoint,
        output_topic: str | None = None,
    ) -> None:
        self.at_failpoint = at_failpoint
        """Called at each failpoint."""
        self.liveness = Liveness()
        """Marked alive whenever the loop starts, fails or finishes something."""
        self._output_topic = output_topic
        self._processor = BatchProcessor(service, parser, handler)
        self._handler = handler
        self._store = store
        self._telemetry = telemetry
        self._backoff = backoff
        self._assigned = AssignedPartitions()
        self._lock = asyncio.Lock()
        self.fenced = asyncio.Event()
        """Set when the partitions must be acquired again.

        A newer epoch is stored, the result of a commit is unknown, or the outbox has stale rows.
        """
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Gets an exception when the loop has failed for good; the process then ends and is restarted."""
        self._relay = OutboxRelay(
            store,
            publisher,
            telemetry,
            lambda: self.liveness,
            self._stop_after_failed_publish,
            backoff,
            at_failpoint,
            output_topic,
        )

    @property
    def is_publishing(self) -> bool:
        """Whether saved records are not acknowledged yet."""
        return self._relay.is_publishing

    @property
    def assigned(self) -> Mapping[TopicPartition, Position]:
        """The assigned partitions, with their stored positions."""
        return self._assigned.positions

    def assign(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Replace the assignment."""
        self._assigned.assign(positions)
        self.fenced.clear()

    async def release(self) -> Mapping[TopicPartition, Position]:
        """Finish and publish the current batch, then release all partitions; returns their last positions.

        Finishing and publishing may each take `FINISH_S`. The rest is left to the next worker.
        """
        try:
            async with asyncio.timeout(FINISH_S):
                await self._lock.acquire()
        except TimeoutError:
            # Without an assignment, a batch that is being retried ends at its next attempt.
            return self._assigned.clear()
        try:
            released = self._assigned.clear()
            await self._relay.finish(FINISH_S)
            return released
        finally:
            self._lock.release()

    async def flush(self) -> None:
        """Publish all saved records and drop them from the outbox."""
        await self._relay.flush()

    def fail(self, error: BaseException) -> None:
        """Stop for good; only the first error is reported."""
        log.error("loop failed", exc_info=error)
        if not self.failed.done():
            self.failed.set_exception(error)

    async def on_batch(self, records: Sequence[Record]) -> None:
        """Handle records in order. Returns when they are saved and publishing has started."""
        async with self._lock:
            unhandled = self._assigned.unhandled(records)
            if unhandled:
                with self._telemetry.batch(len(unhandled)):
                    await self._retry_until_done(unhandled)

    async def fire_timers(self) -> None:
        """Publish the records of due timers. Takes the lock only when a timer is due."""
        partitions = self._assigned.numbers
        if not partitions or not await self._store.any_due(partitions):
            return
        async with self._lock:
            # The assignment may have changed meanwhile.
            partitions = self._assigned.numbers
            try:
                fired = await self._store.fire(partitions, self._assigned.claims(partitions))
            except Exception:
                # The save may have succeeded. Acquiring the partitions again publishes whatever is in
                # the outbox.
                self.fenced.set()
                raise
            if fired.ids:
                await self._publish(fired.ids, fired.outputs)

    async def check_for_stale_outbox_rows(self) -> None:
        """Have the partitions acquired again, which publishes the outbox, if it has stale rows.

        A database crash may have undone the deletion of published rows.
        """
        partitions = self._assigned.numbers
        if not partitions or self.is_publishing:
            return
        if await self._store.has_stale(partitions, STALE_S):
            log.warning("stale outbox rows will be published again")
            self.fenced.set()

    async def _retry_until_done(self, records: Sequence[Record]) -> None:
        """Retry these records until they are saved, dead-lettered or assigned to another worker."""
        poison: dict[Where, Unreadable] = {}
        attempts = Attempts(single_record=len(records) == 1)
        backoff = self._backoff()
        # The assignment may change during the back-off.
        while unhandled := self._assigned.unhandled(records):
            self.liveness.mark_alive()
            try:
                with self.liveness.suspended():
                    await self._handle(unhandled, poison)
                return
            except Fenced:
                # Another worker acquired the partitions, or an earlier commit took effect although it failed.
                log.warning("fenced", records=len(records))
                self._assigned.clear()
                self.fenced.set()
                return
            except Exception as error:
                await self._record_failure(error, attempts)
                if attempts.are_exhausted(error) and await self._isolate(records, error, poison):
                    return
                await backoff.wait()

    async def _record_failure(self, error: Exception, attempts: Attempts) -> None:
        """Log and count a failed attempt, with a trial save if needed."""
        self._telemetry.retried(error)
        attempts.record_failure(error)
        if is_transient(error):
            log.warning("batch will be retried", error=kind_of(error))
        else:
            kind, count = kind_of(error), attempts.permanent
            log.error("batch failed", kind=kind, attempt=count, exc_info=error)
        if attempts.needs_trial(error):
            attempts.record_trial(await self._trial_save())

    async def _trial_save(self) -> bool:
        """Save the unchanged positions; returns whether the database can save now."""
        claims = self._assigned.claims(self._assigned.numbers)
        try:
            async with asyncio.timeout(TRIAL_S), self._store.session() as session:
                await session.save(Changes(claims), Writes())
        except Exception as error:
            log.warning("trial save failed", error=kind_of(error))
            return False
        return True

    async def _isolate(
        self, records: Sequence[Record], error: Exception, poison: dict[Where, Unreadable]
    ) -> bool:
        """Find the record on which the batch fails. True when all records were handled one by one."""
        if isinstance(error, HandlerFailed):
            poison[error.where] = Unreadable(error.reason, error.kind)
            return False
        if len(records) == 1:
            if where_of(records[0]) not in poison:
                poison[where_of(records[0])] = Unreadable("save_failed", kind_of(error))
            elif not is_transient(error):
                # Even its dead letter cannot be saved, so the record is not the cause.
                raise error
            return False
        for record in records:
            # Fencing clears the assignment, which skips the remaining records.
            if self._assigned.unhandled([record]):
                await self._retry_until_done([record])
        return True

    async def _handle(self, records: Sequence[Record], poison: Mapping[Where, Unreadable]) -> None:
        batch = BatchResult()
        messages = self._processor.parse(records, poison, batch)
        claims = self._assigned.claims({r.partition for r in records}, records)
        async with self._store.session() as session:
            work = await self._handler.load(session.db, messages)
            self.at_failpoint(Failpoint.BEFORE_DECIDE)
            with self._telemetry.deciding():
                self._processor.handle(messages, work, batch)
            self.at_failpoint(Failpoint.AFTER_DECIDE)
            with self._telemetry.transaction():
                ids = await self._save(session, batch, self._writes(work), claims)
        self.at_failpoint(Failpoint.AFTER_COMMIT)
        self._assigned.advance(claims)
        self._telemetry.progressed()
        self._telemetry.dead_lettered(batch.dead)
        await self._publish(ids, batch.outputs)

    def _writes(self, work: W) -> Writes:
        """Collect the service's statements. Raises SavingFailed if its code raises."""
        writes = Writes()
        try:
            self._handler.save(work, writes)
        except Exception as error:
            # `save` does no I/O, so not even an OSError is transient.
            raise SavingFailed(kind_of(error)) from error
        return writes

    async def _save(
        self, session: Session, batch: BatchResult, writes: Writes, claims: Sequence[Claim]
    ) -> Sequence[int]:
        """Save this batch and drop published outbox rows; returns the ids of the new rows."""
        # In recovery the claims advance the output topic's offset, so published rows are not dropped here.
        reads_output = self._output_topic in {c.topic for c in claims}
        with nullcontext(()) if reads_output else self._relay.to_drop() as published:
            if published:
                self.at_failpoint(Failpoint.BEFORE_DROP)
            ids = await session.save(
                Changes(
                    *(claims, batch.outputs, batch.timers, batch.cancelled, published),
                    batch.audited,
                ),
                writes,
                lambda: self.at_failpoint(Failpoint.BEFORE_COMMIT),
            )
            if published:
                self.at_failpoint(Failpoint.AFTER_DROP)
            return ids

    async def _publish(self, ids: Sequence[int], outputs: Mapping[int, Sequence[Outgoing]]) -> None:
        """Start publishing once the previous batch is published."""
        await self._relay.wait_published()
        if self.failed.done():
            # The outbox keeps both batches, and the next process publishes them in order.
            self._assigned.clear()
            return
        self._relay.start(ids, outputs)

    def _stop_after_failed_publish(self, error: BaseException) -> None:
        # Later records must not be published first: without an assignment nothing more is decided.
        self._assigned.clear()
        self.fail(error)
