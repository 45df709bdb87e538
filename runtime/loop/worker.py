"""The worker of a service: one FastStream subscriber on all its input topics, feeding the loop.

All topics keyed by patient have the same partitions and the range assignor gives one worker the same
numbers of each, so that one patient's records meet in one place.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from runtime.backoff import Backoff
from runtime.errors import Fenced, is_transient
from runtime.kafka.admin import TopicsMissing, partitions_of, require_topics
from runtime.kafka.client_id import client_id
from runtime.kafka.clients import closed
from runtime.kafka.producer import Producer
from runtime.loop.assignment import Assignment
from runtime.loop.failpoints import Failpoint
from runtime.loop.loop import FINISH_S, Loop
from runtime.loop.polling import Fetched, subscribe
from runtime.loop.ports import Store
from runtime.loop.watchdog import EndOffsetsClient, Watchdog
from runtime.messages.positions import Position
from runtime.observability.metrics import Telemetry
from schemas.topics import Topic

log = structlog.get_logger()

REQUEST_TIMEOUT_MS = 15_000
"""Longer than a rebalance, in which a paused worker is waited for until its session has ended."""

_COMMIT_EVERY_S = 1.0
_TIMERS_EVERY_S = 0.5


@dataclass(frozen=True)
class WorkerOptions:
    """How a worker reads. `session_timeout_ms` is how long Kafka waits for a silent worker, `patience_s`
    how long records may wait while nothing moves.

    `output_topic` is the topic with what the service decided, None when its inputs alone lead to the same again.
    `gather_ms` is how long Kafka may keep records until there are `GATHERED_BYTES` of them; 0 is not at all.
    """

    bootstrap: str
    group: str
    topics: tuple[Topic, ...]
    output_topic: Topic | None = None
    gather_ms: int = 0
    max_records: int = 1000
    session_timeout_ms: int = 10_000
    patience_s: float = 30.0

    @property
    def needed(self) -> tuple[Topic, ...]:
        """The topics that must be there."""
        return (*self.topics, self.output_topic) if self.output_topic else self.topics


class Wedged(Exception):
    """This worker has work to do and gives no sign of life: only another process can go on."""


class Worker(ConsumerRebalanceListener):  # type: ignore[misc]
    """Takes partitions when Kafka assigns them, and runs the loop over what they hold."""

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
        self._telemetry = telemetry
        self._takes = Assignment(
            options.bootstrap,
            options.topics,
            options.output_topic,
            loop,
            store,
            publisher,
            options.max_records,
        )
        self._compacted = {topic.name for topic in options.topics if topic.compacted}
        self._assigned: set[TopicPartition] = set()
        self._taking: asyncio.Task[None] | None = None
        self._chores: list[asyncio.Task[None]] = []
        self._joined = False
        self._watchdog = Watchdog(
            EndOffsetsClient(options.bootstrap),
            partitions_of(options.topics),
            stored,
            lambda: loop.assigned,
            self._is_busy,
            telemetry,
            options.patience_s,
        )
        loop.pulse = self._watchdog.pulse
        self._broker = KafkaBroker(
            # A list: FastStream takes one text for one address, commas and all.
            options.bootstrap.split(","),
            apply_types=False,
            client_id=client_id(options.group),
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            logger=logging.getLogger("faststream"),
        )
        self._subscriber = subscribe(
            self._broker,
            options.topics,
            self._on_fetched,
            self,
            group=options.group,
            gather_ms=options.gather_ms,
            max_records=options.max_records,
            session_timeout_ms=options.session_timeout_ms,
        )

    @property
    def loop(self) -> Loop[Any]:
        """The loop, for those who ask how far it is."""
        return self._loop

    def problems(self) -> list[str]:
        """Why this worker is not healthy."""
        if not self._joined:
            return ["the worker has not joined its group"]
        if self._assigned and not self._loop.assigned:
            return ["the worker has not taken its partitions"]
        return [str(standing) for standing in self._watchdog.standing]

    async def start(self) -> None:
        """Ask for a place in the group, however long Kafka or its topics stay away."""
        backoff = Backoff()
        while True:
            try:
                await require_topics(self._options.bootstrap, self._options.needed)
                await self._broker.start()
                break
            except (TopicsMissing, KafkaError, OSError) as error:
                log.warning("waiting for Kafka", error=type(error).__name__)
                await closed(self._broker.stop())
                await backoff.wait()
        self._chores = [
            asyncio.create_task(self._guarded(self._fire_timers())),
            asyncio.create_task(self._guarded(self._commit_now_and_then())),
            asyncio.create_task(self._guarded(self._retake_when_fenced())),
        ]

    async def watch(self) -> NoReturn:
        """Wait until this worker cannot go on.

        Raises:
            Wedged: it moves no more.
            Exception: what ended its loop.
        """
        wedged = asyncio.create_task(self._watchdog.until_wedged())
        ends: set[asyncio.Future[Any]] = {wedged, self._loop.failed}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self._loop.failed.done():
                self._loop.failed.result()
            raise Wedged(wedged.result())
        finally:
            wedged.cancel()

    async def stop(self) -> None:
        """Finish the batch in hand, publish it, and leave the group."""
        for chore in (*self._chores, *([self._taking] if self._taking else [])):
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self._commit(await self._loop.release())
        await self._broker.stop()
        await self._publisher.stop()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Another worker may take these: finish what is in hand first."""
        self._loop.pulse.beat()
        self._joined, self._assigned = False, set()
        await self._stop_taking()
        if revoked:
            await self._commit(await self._loop.release())

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Take them in the background, as the database may be away; nothing is read until then."""
        # No await before this: a fetch must not slip in between assignment and pause.
        self._consumer.pause(*assigned)
        self._assigned = set(assigned)
        self._joined = True
        self._loop.pulse.beat()
        await self._stop_taking()
        if assigned:
            self._taking = asyncio.create_task(self._guarded(self._take(set(assigned))))

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        consumer = self._subscriber.consumer
        assert consumer is not None, "the subscriber is started"
        return consumer

    async def _on_fetched(self, fetched: Fetched) -> None:
        self._loop.reached(Failpoint.AFTER_POLL)
        try:
            records = await fetched.current(self._consumer, self._loop.assigned, self._compacted)
            await self._loop.on_batch(records)
            self._loop.reached(Failpoint.BEFORE_POLL)
        except Exception as error:
            # FastStream would log this and go on to the next batch, which loses this one.
            self._loop.fail(error)
            await asyncio.Event().wait()

    async def _take(self, assigned: set[TopicPartition]) -> None:
        backoff = Backoff()
        while True:
            try:
                with self._loop.pulse.excused():
                    positions = await self._takes.take(assigned)
                break
            except Exception as error:
                if not (is_transient(error) or isinstance(error, Fenced)):
                    raise
                log.warning("cannot take partitions yet", error=type(error).__name__)
                self._loop.pulse.beat()
                await backoff.wait()
        for tp, position in positions.items():
            self._consumer.seek(tp, position.next_offset)
        self._consumer.resume(*assigned)

    async def _retake_when_fenced(self) -> None:
        while True:
            await self._loop.fenced.wait()
            # A worker that Kafka has put out learns of it within a heartbeat; one still in takes again.
            await asyncio.sleep(self._options.session_timeout_ms / 1000 / 4)
            if self._loop.fenced.is_set() and self._assigned and not self._is_taking():
                await self._loop.published()
                self._consumer.pause(*self._assigned)
                await self._take(set(self._assigned))

    def _is_busy(self) -> bool:
        taken = bool(self._loop.assigned) or not self._assigned
        return not self._joined or not taken or self._loop.is_publishing

    def _is_taking(self) -> bool:
        return self._taking is not None and not self._taking.done()

    async def _stop_taking(self) -> None:
        taking, self._taking = self._taking, None
        if taking is not None:
            taking.cancel()
            # It only unwinds from here on, which may take as long as a database that does not answer.
            await asyncio.wait({taking}, timeout=FINISH_S)

    async def _fire_timers(self) -> None:
        while True:
            await asyncio.sleep(_TIMERS_EVERY_S)
            try:
                await self._loop.fire_timers()
                await self._loop.look_for_leftovers()
            except Fenced:
                self._loop.fenced.set()
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("timers will be looked at again", error=type(error).__name__)
                self._loop.pulse.beat()

    async def _commit_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_COMMIT_EVERY_S)
            await self._commit(self._loop.assigned)

    async def _commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Tell Kafka how far we are, which serves lag displays only: the database decides."""
        offsets = {tp: position.next_offset for tp, position in positions.items()}
        if offsets:
            try:
                self._loop.reached(Failpoint.BEFORE_KAFKA_COMMIT)
                await self._consumer.commit(offsets)
                self._loop.reached(Failpoint.AFTER_KAFKA_COMMIT)
            except (KafkaError, OSError) as error:
                log.info("offsets not committed", error=type(error).__name__)

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except Exception as error:
            self._loop.fail(error)
