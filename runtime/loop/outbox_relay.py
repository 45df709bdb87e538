"""The outbox relay: publishes saved records in order, one batch at a time, while the next batch is decided.

Published rows are dropped from the outbox with the next batch, or on their own if none comes soon.
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
from runtime.loop.failpoints import Failpoint, FailpointHook
from runtime.loop.liveness import Liveness
from runtime.loop.ports import Outbox
from runtime.messages.message import Outgoing
from runtime.messages.positions import Published, of_topic
from runtime.observability.metrics import Telemetry

log = structlog.get_logger()

DROP_AFTER_S = 0.1
"""How long a published row waits for the next batch to drop it."""


class OutboxRelay:
    """Publishes one batch at a time, and tracks which outbox rows are published but not yet dropped.

    Acknowledgements on `output_topic` advance its stored offset. `on_failure` is called when publishing fails
    permanently.
    """

    def __init__(
        self,
        outbox: Outbox,
        publisher: Producer,
        telemetry: Telemetry,
        liveness: Callable[[], Liveness],
        on_failure: Callable[[BaseException], None],
        backoff: Callable[[], Backoff],
        at_failpoint: FailpointHook,
        output_topic: str | None,
    ) -> None:
        self._outbox = outbox
        self._publisher = publisher
        self._telemetry = telemetry
        self._liveness = liveness
        self._on_failure = on_failure
        self._backoff = backoff
        self._at_failpoint = at_failpoint
        self._output_topic = output_topic
        self._publishing: asyncio.Task[None] | None = None
        self._dropping: asyncio.Task[None] | None = None
        self._published: list[Published] = []
        self._flushing = asyncio.Event()

    @property
    def is_publishing(self) -> bool:
        """Whether a batch is not acknowledged yet."""
        return self._publishing is not None and not self._publishing.done()

    @contextmanager
    def to_drop(self) -> Iterator[Sequence[Published]]:
        """Hand the published rows to the body, which drops them. If it raises, they are dropped later.

        No other task drops them meanwhile: two tasks could lock the same rows in different orders.
        """
        to_drop, self._published = self._published, []
        try:
            yield to_drop
        except BaseException:
            self._set_published(to_drop + self._published)
            raise

    def start(self, ids: Sequence[int], outputs: Mapping[int, Sequence[Outgoing]]) -> None:
        """Start publishing these outbox rows. The previous batch must be published."""
        assert not self.is_publishing, "publishing two batches at once could reorder them"
        records = [record for output in outputs.values() for record in output]
        if records:
            self._publishing = self._start_task(self._publish(ids, records))

    async def wait_published(self) -> None:
        """Wait until the current batch is published or has failed."""
        if self._publishing is not None:
            await asyncio.wait({self._publishing})

    async def flush(self) -> None:
        """Wait until the current batch is published, and drop its rows without waiting for the next batch."""
        self._flushing.set()
        try:
            await self.wait_published()
            if self._dropping is not None:
                await asyncio.wait({self._dropping})
        finally:
            self._flushing.clear()

    async def finish(self, within_s: float) -> None:
        """Flush, or cancel after this many seconds and leave the rest to the next worker."""
        try:
            async with asyncio.timeout(within_s):
                await self.flush()
        except TimeoutError:
            for task in (self._publishing, self._dropping):
                if task is not None:
                    task.cancel()

    def _start_task(self, work: Any) -> "asyncio.Task[None]":
        task: asyncio.Task[None] = asyncio.create_task(work)
        task.add_done_callback(self._report_failure)
        return task

    def _report_failure(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._on_failure(error)

    async def _publish(self, ids: Sequence[int], records: Sequence[Outgoing]) -> None:
        self._at_failpoint(Failpoint.BEFORE_PUBLISH)
        acknowledged = await self._publisher.publish(records)
        self._liveness().mark_alive()
        self._at_failpoint(Failpoint.AFTER_PUBLISH)
        self._telemetry.published(len(records))
        self._set_published(
            [*self._published, Published(ids, of_topic(acknowledged, self._output_topic))]
        )

    def _set_published(self, published: list[Published]) -> None:
        self._published = published
        if published and (self._dropping is None or self._dropping.done()):
            self._dropping = self._start_task(self._drop_when_idle())

    async def _drop_when_idle(self) -> None:
        while self._published:
            oldest = self._published[0]
            with suppress(TimeoutError):
                async with asyncio.timeout(DROP_AFTER_S):
                    await self._flushing.wait()
            if oldest in self._published:
                await self._drop()

    async def _drop(self) -> None:
        backoff = self._backoff()
        while self._published:
            try:
                with self.to_drop() as published:
                    self._at_failpoint(Failpoint.BEFORE_DROP)
                    await self._outbox.drop(published)
                    self._at_failpoint(Failpoint.AFTER_DROP)
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("published rows will be dropped later", error=kind_of(error))
                self._liveness().mark_alive()
                await backoff.wait()
