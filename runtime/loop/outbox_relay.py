"""The outbox relay: publishes saved records, one batch after another, while the next one is decided.

Published rows are dropped from the outbox together with a later batch; when none comes soon, by themselves.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import structlog

from runtime.backoff import Backoff
from runtime.errors import is_transient
from runtime.kafka.producer import Producer
from runtime.loop.batch import kind_of
from runtime.loop.failpoints import Failpoint, Reached
from runtime.loop.ports import Outbox
from runtime.loop.pulse import Pulse
from runtime.messages.message import Outgoing
from runtime.messages.positions import Published, about
from runtime.observability.metrics import Telemetry

log = structlog.get_logger()

DROP_AFTER_S = 0.1
"""How long a published row stays in the outbox for the next batch to drop it."""


class OutboxRelay:
    """Publishes, never two batches at a time, and remembers which outbox rows are published.

    Acknowledgements of `output_topic` move its stored offset; `failed` is called once when it cannot go on.
    """

    def __init__(
        self,
        outbox: Outbox,
        publisher: Producer,
        telemetry: Telemetry,
        pulse: Callable[[], Pulse],
        failed: Callable[[BaseException], None],
        backoff: Callable[[], Backoff],
        reached: Reached,
        output_topic: str | None,
    ) -> None:
        self._outbox = outbox
        self._publisher = publisher
        self._telemetry = telemetry
        self._pulse = pulse
        self._failed = failed
        self._backoff = backoff
        self._reached = reached
        self._output_topic = output_topic
        self._under_way: asyncio.Task[None] | None = None
        self._dropping: asyncio.Task[None] | None = None
        self._published: list[Published] = []
        self._no_batch_follows = asyncio.Event()

    @property
    def is_under_way(self) -> bool:
        """Whether a batch waits for Kafka's acknowledgement."""
        return self._under_way is not None and not self._under_way.done()

    @contextmanager
    def to_drop(self) -> Iterator[Sequence[Published]]:
        """Published rows that the body drops from the outbox; when it raises, they are dropped later.

        Nobody else drops these meanwhile: two that do would lock the same rows in different orders.
        """
        to_drop, self._published = self._published, []
        try:
            yield to_drop
        except BaseException:
            self._keep(to_drop + self._published)
            raise

    def begin(self, ids: Sequence[int], outputs: Mapping[int, Sequence[Outgoing]]) -> None:
        """Publish these outbox rows, once the batch before them is `done`."""
        assert not self.is_under_way, "one batch at a time, or they would overtake each other"
        records = [record for output in outputs.values() for record in output]
        if records:
            self._under_way = self._started(self._publish(ids, records))

    async def done(self) -> None:
        """Wait until every saved batch is published, or cannot be."""
        if self._under_way is not None:
            await asyncio.wait({self._under_way})

    async def settled(self) -> None:
        """Wait until its rows are dropped from the outbox as well, without waiting for a later batch."""
        self._no_batch_follows.set()
        try:
            await self.done()
            if self._dropping is not None:
                await asyncio.wait({self._dropping})
        finally:
            self._no_batch_follows.clear()

    async def finish(self, within_s: float) -> None:
        """Publish and drop all rows, or stop in time and leave the rest to the next worker."""
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
        self._reached(Failpoint.BEFORE_PUBLISH)
        acknowledged = await self._publisher.publish(records)
        self._pulse().beat()
        self._reached(Failpoint.AFTER_PUBLISH)
        self._telemetry.published(len(records))
        self._keep([*self._published, Published(ids, about(acknowledged, self._output_topic))])

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
                with self.to_drop() as published:
                    self._reached(Failpoint.BEFORE_DROP)
                    await self._outbox.drop(published)
                    self._reached(Failpoint.AFTER_DROP)
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("published rows will be dropped later", error=kind_of(error))
                self._pulse().beat()
                await backoff.wait()
