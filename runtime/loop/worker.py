"""The worker of a service: a consumer group member that reads all input topics and feeds the loop.

All topics keyed by patient have the same number of partitions, and the range assignor assigns the same
partition numbers of each topic to one worker. So one worker handles all records of a patient.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from runtime.backoff import Backoff
from runtime.errors import Fenced, is_transient
from runtime.kafka.admin import TopicsMissing, partitions_of, require_topics, waiting_reason
from runtime.kafka.clients import closed
from runtime.kafka.producer import Producer
from runtime.loop.assignment import Assignment
from runtime.loop.end_offsets import EndOffsetsClient
from runtime.loop.failpoints import Failpoint
from runtime.loop.inputs import Inputs
from runtime.loop.loop import FINISH_S, Loop
from runtime.loop.polling import Fetched, create_broker, subscribe
from runtime.loop.ports import Store
from runtime.loop.watchdog import Watchdog
from runtime.messages.positions import Position
from runtime.observability.metrics import Telemetry
from schemas.topics import Topic

log = structlog.get_logger()

_COMMIT_EVERY_S = 1.0
_TIMERS_EVERY_S = 0.5
_INPUTS_EVERY_S = 0.5


@dataclass(frozen=True)
class WorkerOptions:
    """How a worker reads.

    `output_topic` is the topic from which the service recovers after a restore; None if handling its inputs
    again gives the same result. The broker may hold a fetch for `fetch_wait_ms` until `MIN_FETCH_BYTES` have
    arrived; 0 disables this. A partition may be stalled for `patience_s` before it is reported.
    """

    bootstrap: str = field(repr=False)
    group: str
    inputs: Inputs
    output_topic: Topic | None = None
    fetch_wait_ms: int = 0
    max_records: int = 1000
    session_timeout_ms: int = 10_000
    patience_s: float = 30.0

    @property
    def required_topics(self) -> tuple[Topic, ...]:
        """The topics that must exist."""
        inputs = self.inputs.topics
        return (*inputs, self.output_topic) if self.output_topic else inputs


class Wedged(Exception):
    """This worker has work and shows no sign of life: its process must end."""


class Worker(ConsumerRebalanceListener):  # type: ignore[misc]
    """Acquires partitions when Kafka assigns them, and runs the loop over their records."""

    def __init__(
        self,
        options: WorkerOptions,
        loop: Loop[Any],
        store: Store,
        stored: Callable[[], Awaitable[Mapping[TopicPartition, Position]]],
        publisher: Producer,
        telemetry: Telemetry,
    ) -> None:
        self._options = options
        self._loop = loop
        self._publisher = publisher
        self._assignment = Assignment(
            options.bootstrap,
            options.inputs.compacted,
            options.output_topic,
            loop,
            store,
            publisher,
            options.max_records,
        )
        self._assigned: set[TopicPartition] = set()
        self._subscribed = options.inputs.topics
        self._acquiring: asyncio.Task[None] | None = None
        self._background: list[asyncio.Task[None]] = []
        self._joined = False
        self._watchdog = Watchdog(
            EndOffsetsClient(options.bootstrap),
            lambda: partitions_of(options.inputs.topics),
            stored,
            lambda: loop.assigned,
            self._is_busy,
            telemetry,
            options.patience_s,
        )
        loop.liveness = self._watchdog.liveness
        self._broker = create_broker(options.bootstrap, options.group)
        self._subscriber = subscribe(
            self._broker,
            self._subscribed,
            self._on_fetched,
            self,
            group=options.group,
            fetch_wait_ms=options.fetch_wait_ms,
            max_records=options.max_records,
            session_timeout_ms=options.session_timeout_ms,
        )

    def problems(self) -> list[str]:
        """Reasons why this worker is not ready; empty when it is."""
        if not self._joined:
            return ["the worker has not joined its group"]
        if self._assigned and not self._loop.assigned:
            return ["the worker has not acquired its partitions"]
        return [str(stalled) for stalled in self._watchdog.stalled]

    async def start(self) -> None:
        """Join the group. Retries while Kafka or the topics are missing."""
        backoff = Backoff()
        while True:
            try:
                await require_topics(self._options.bootstrap, self._options.required_topics)
                await self._broker.start()
                break
            except (TopicsMissing, KafkaError, OSError) as error:
                log.warning("waiting for Kafka", error=waiting_reason(error))
                await closed(self._broker.stop())
                await backoff.wait()
        self._background = [
            asyncio.create_task(self._fail_loop_on_error(self._fire_timers())),
            asyncio.create_task(self._fail_loop_on_error(self._commit_periodically())),
            asyncio.create_task(self._fail_loop_on_error(self._reacquire_when_fenced())),
            asyncio.create_task(self._fail_loop_on_error(self._follow_inputs())),
        ]

    async def watch(self) -> NoReturn:
        """Wait until the worker is wedged or its loop fails.

        Raises:
            Wedged: the worker is wedged.
            Exception: the error on which the loop failed.
        """
        wedged = asyncio.create_task(self._watchdog.wait_until_wedged())
        ends: set[asyncio.Future[Any]] = {wedged, self._loop.failed}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self._loop.failed.done():
                self._loop.failed.result()
            raise Wedged(wedged.result())
        finally:
            wedged.cancel()

    async def stop(self) -> None:
        """Finish and publish the current batch, then leave the group."""
        for task in (*self._background, *([self._acquiring] if self._acquiring else [])):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._commit(await self._loop.release())
        await self._broker.stop()
        await self._publisher.stop()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Finish the current batch and release all partitions, as another worker may get them."""
        self._loop.liveness.mark_alive()
        self._joined, self._assigned = False, set()
        await self._stop_acquiring()
        if revoked:
            await self._commit(await self._loop.release())

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Pause the partitions, and acquire them in the background: the database may be unavailable."""
        # No await before the pause, or records could be fetched in between.
        self._consumer.pause(*assigned)
        self._assigned = set(assigned)
        self._joined = True
        self._loop.liveness.mark_alive()
        await self._stop_acquiring()
        if assigned:
            self._acquiring = asyncio.create_task(
                self._fail_loop_on_error(self._acquire(set(assigned)))
            )

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        consumer = self._subscriber.consumer
        assert consumer is not None, "the subscriber is not started"
        return consumer

    async def _on_fetched(self, fetched: Fetched) -> None:
        self._loop.at_failpoint(Failpoint.AFTER_POLL)
        try:
            records = await fetched.drop_outdated(
                self._consumer, self._loop.assigned, self._options.inputs.compacted
            )
            await self._loop.on_batch(records)
            self._loop.at_failpoint(Failpoint.BEFORE_POLL)
        except Exception as error:
            # FastStream would log the error and continue with the next batch, which would skip this one.
            self._loop.fail(error)
            await asyncio.Event().wait()

    async def _acquire(self, assigned: set[TopicPartition]) -> None:
        backoff = Backoff()
        while True:
            try:
                with self._loop.liveness.suspended():
                    positions = await self._assignment.acquire(assigned)
                break
            except Exception as error:
                if not (is_transient(error) or isinstance(error, Fenced)):
                    raise
                log.warning("partitions not acquired yet", error=type(error).__name__)
                self._loop.liveness.mark_alive()
                await backoff.wait()
        for tp, position in positions.items():
            self._consumer.seek(tp, position.next_offset)
        self._consumer.resume(*assigned)

    async def _reacquire_when_fenced(self) -> None:
        while True:
            await self._loop.fenced.wait()
            # If Kafka has removed this member, a heartbeat reveals it, and the rebalance acquires instead.
            await asyncio.sleep(self._options.session_timeout_ms / 1000 / 4)
            if self._loop.fenced.is_set() and self._assigned and not self._is_acquiring():
                await self._loop.flush()
                self._consumer.pause(*self._assigned)
                await self._acquire(set(self._assigned))

    async def _follow_inputs(self) -> None:
        """Join the group again with the topics of new systems, soon after the directory names them."""
        while True:
            topics = self._options.inputs.topics
            if topics != self._subscribed:
                try:
                    await require_topics(self._options.bootstrap, topics)
                except (TopicsMissing, KafkaError, OSError) as error:
                    log.warning("waiting for a system's topic", error=waiting_reason(error))
                else:
                    self._consumer.subscribe([topic.name for topic in topics], listener=self)
                    self._subscribed = topics
                    log.info("input topics changed", topics=len(topics))
            await asyncio.sleep(_INPUTS_EVERY_S)

    def _is_busy(self) -> bool:
        acquired = bool(self._loop.assigned) or not self._assigned
        return not self._joined or not acquired or self._loop.is_publishing

    def _is_acquiring(self) -> bool:
        return self._acquiring is not None and not self._acquiring.done()

    async def _stop_acquiring(self) -> None:
        acquiring, self._acquiring = self._acquiring, None
        if acquiring is not None:
            acquiring.cancel()
            # Cancelling a statement may take long if the database does not answer.
            await asyncio.wait({acquiring}, timeout=FINISH_S)

    async def _fire_timers(self) -> None:
        while True:
            await asyncio.sleep(_TIMERS_EVERY_S)
            try:
                await self._loop.fire_timers()
                await self._loop.check_for_stale_outbox_rows()
            except Fenced:
                self._loop.fenced.set()
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("timer check will be retried", error=type(error).__name__)
                self._loop.liveness.mark_alive()

    async def _commit_periodically(self) -> None:
        while True:
            await asyncio.sleep(_COMMIT_EVERY_S)
            await self._commit(self._loop.assigned)

    async def _commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Commit offsets to Kafka, for lag displays only: the stored positions count."""
        offsets = {tp: position.next_offset for tp, position in positions.items()}
        if offsets:
            try:
                self._loop.at_failpoint(Failpoint.BEFORE_KAFKA_COMMIT)
                await self._consumer.commit(offsets)
                self._loop.at_failpoint(Failpoint.AFTER_KAFKA_COMMIT)
            except (KafkaError, OSError) as error:
                log.info("offsets not committed", error=type(error).__name__)

    async def _fail_loop_on_error(self, work: Any) -> None:
        try:
            await work
        except Exception as error:
            self._loop.fail(error)
