"""What is decided on its way to Kafka: one batch after another, while the next one is decided.

What Kafka has is dropped from the outbox in the trip of a later batch; when none comes soon, by itself.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import asyncpg
import structlog

from runtime import ledger
from runtime.backoff import Backoff
from runtime.batch import kind_of
from runtime.failures import is_transient
from runtime.ledger import Published
from runtime.publisher import Publisher
from runtime.pulse import Pulse
from runtime.records import Outgoing
from runtime.steps import Reached, Step
from runtime.telemetry import Telemetry

log = structlog.get_logger()

DROP_AFTER_S = 0.1
"""How long what is published waits in the outbox for the next batch to take it along."""


class Publishing:
    """Publishes, never two batches at a time, and remembers what the outbox need not keep.

    `own` is the service's own topic; `failed` is called once when it cannot go on.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[Any]",
        publisher: Publisher,
        telemetry: Telemetry,
        pulse: Callable[[], Pulse],
        failed: Callable[[BaseException], None],
        backoff: Callable[[], Backoff],
        reached: Reached,
        own: str | None,
    ) -> None:
        self._pool = pool
        self._publisher = publisher
        self._telemetry = telemetry
        self._pulse = pulse
        self._failed = failed
        self._backoff = backoff
        self._reached = reached
        self._own = own
        self._under_way: asyncio.Task[None] | None = None
        self._dropping: asyncio.Task[None] | None = None
        self._published: list[Published] = []
        self._no_batch_follows = asyncio.Event()

    @property
    def is_under_way(self) -> bool:
        """Whether what was decided is not yet known to be in Kafka."""
        return self._under_way is not None and not self._under_way.done()

    @contextmanager
    def taken(self) -> Iterator[Sequence[Published]]:
        """What Kafka has and the outbox still keeps, to be dropped within; it is left when that fails.

        Nobody else drops these meanwhile: two that do would lock the same rows, each in its order.
        """
        taken, self._published = self._published, []
        try:
            yield taken
        except BaseException:
            self._keep(taken + self._published)
            raise

    def begin(self, ids: Sequence[int], outputs: Mapping[int, Sequence[Outgoing]]) -> None:
        """Publish these outbox rows, once what was before them is `done`."""
        assert not self.is_under_way, "one batch at a time, or they would overtake each other"
        records = [record for output in outputs.values() for record in output]
        if records:
            self._under_way = self._started(self._publish(ids, records))

    async def done(self) -> None:
        """Wait until everything decided so far is published, or cannot be."""
        if self._under_way is not None:
            await asyncio.wait({self._under_way})

    async def settled(self) -> None:
        """Wait until it is dropped from the outbox as well, for which no batch is waited for any more."""
        self._no_batch_follows.set()
        try:
            await self.done()
            if self._dropping is not None:
                await asyncio.wait({self._dropping})
        finally:
            self._no_batch_follows.clear()

    async def finish(self, within_s: float) -> None:
        """Publish and drop what there is, or give up and leave it to the next owner."""
        try:
            async with asyncio.timeout(within_s):
                await self.settled()
        except TimeoutError:
            for task in (self._under_way, self._dropping):
                if task is not None:
                    task.cancel()

    def _started(self, work: Any) -> "asyncio.Task[None]":
        task: asyncio.Task[None] = asyncio.create_task(work)
        task.add_done_callback(self._note_failure)
        return task

    def _note_failure(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed(error)

    async def _publish(self, ids: Sequence[int], records: Sequence[Outgoing]) -> None:
        self._reached(Step.BEFORE_PUBLISH)
        told = await self._publisher.publish(records)
        self._pulse().beat()
        self._reached(Step.AFTER_PUBLISH)
        self._telemetry.published(len(records))
        self._keep([*self._published, Published(ids, ledger.about(told, self._own))])

    def _keep(self, published: list[Published]) -> None:
        self._published = published
        if published and (self._dropping is None or self._dropping.done()):
            self._dropping = self._started(self._drop_when_idle())

    async def _drop_when_idle(self) -> None:
        while self._published:
            oldest = self._published[0]
            with suppress(TimeoutError):
                async with asyncio.timeout(DROP_AFTER_S):
                    await self._no_batch_follows.wait()
            if oldest in self._published:
                await self._drop()

    async def _drop(self) -> None:
        backoff = self._backoff()
        while self._published:
            try:
                async with self._pool.acquire() as db:
                    with self.taken() as published:
                        self._reached(Step.BEFORE_DROP)
                        await ledger.drop(db, published)
                        self._reached(Step.AFTER_DROP)
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("outbox will be emptied later", error=kind_of(error))
                self._pulse().beat()
                await backoff.wait()
