"""The service's loop for a rebuild: handles records and writes the new tables, publishes nothing."""

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.errors import CannotRun
from runtime.kafka.record_reader import Delivered
from runtime.loop.batch import BatchProcessor, BatchResult, HandlerFailed, Where, where_of
from runtime.loop.handler import W
from runtime.messages.parser import Parser, Unreadable
from runtime.messages.positions import Claim
from runtime.postgres import progress
from runtime.postgres.connection import Connection
from runtime.rebuild import shadow
from runtime.rebuild.declaration import Builder, Rebuild
from runtime.rebuild.reading import OffsetRange, OffsetRanges, records

MAX_FAILURES = 100
"""A rebuild whose handler fails on more records than this is stopped: the code needs a fix."""

_COLLECT_EVERY = 100
"""Batches between garbage collections: there are few cycles, and a collection costs as much as a batch."""


class TooManyFailures(CannotRun):
    """The service's handler raises on more than `MAX_FAILURES` records."""


@dataclass
class BuildLoop(Generic[W]):
    """Writes the new tables over one connection; records at the `skipped` positions are not handled."""

    rebuild: Rebuild[W]
    builder: Builder[W]
    client: AIOKafkaConsumer
    db: Connection
    epoch: int
    skipped: frozenset[Where] = frozenset()
    on_built: Callable[[int], None] = lambda _: None
    """Called with the number of records of each batch after its transaction."""
    refused: Counter[str] = field(default_factory=Counter)
    """How many records the service makes dead letters, by reason."""

    def __post_init__(self) -> None:
        parser = Parser.of(self.rebuild.inputs)
        self._processor = BatchProcessor(self.rebuild.service, parser, self.builder)
        self._poison: dict[Where, Unreadable] = {}

    async def up_to(self, targets: Mapping[TopicPartition, int]) -> None:
        """Build from the stored offsets up to these, each batch in one transaction.

        Raises:
            TimeoutError, KafkaError: Kafka sends no records or cannot be reached.
            TooManyFailures: the handler raises on more than `MAX_FAILURES` records.
            Fenced: another rebuild has started.
        """
        done = await shadow.built_offsets(self.db)
        ranges = {tp: OffsetRange(done[tp], end) for tp, end in targets.items() if done[tp] < end}
        with _rare_collections() as built:
            async for batch in records(self.client, ranges):
                if batch:
                    await self._build(batch, done)
                    built()
                self.on_built(len(batch))
        await self._finish(ranges, done)

    async def _build(self, batch: Sequence[Delivered], done: dict[TopicPartition, int]) -> None:
        while True:
            try:
                await self._transact(batch, done)
                return
            except HandlerFailed as error:
                # The handler is pure and would fail again: handle the record as the dead letter that it is.
                self._poison[error.where] = Unreadable(error.reason, error.kind)
                if len(self._poison) > MAX_FAILURES:
                    raise TooManyFailures(
                        f"the code fails on more than {MAX_FAILURES} records ({error.kind})"
                    ) from error

    async def _transact(self, batch: Sequence[Delivered], done: dict[TopicPartition, int]) -> None:
        result = BatchResult()
        handled = [r for r in batch if where_of(r) not in self.skipped] if self.skipped else batch
        messages = self._processor.parse(handled, self._poison, result)
        work = await self.builder.load(self.db, messages)
        self._processor.handle(messages, work, result)
        last = {(r.topic, r.partition): r.offset for r in batch}
        after = {TopicPartition(*where): offset + 1 for where, offset in last.items()}
        async with self.db.transaction():
            await progress.advance(self.db, self._claims(done, after), {})
            await self.builder.write(self.db, work)
        done.update(after)
        self.refused.update(result.dead)

    async def _finish(self, ranges: OffsetRanges, done: Mapping[TopicPartition, int]) -> None:
        """Store the end offsets, also past compacted records, and write the held-back states."""
        ends = {tp: range_.end for tp, range_ in ranges.items()}
        async with self.db.transaction():
            await progress.advance(self.db, self._claims(done, ends), {})
            await self.builder.settle(self.db)

    def _claims(
        self, done: Mapping[TopicPartition, int], after: Mapping[TopicPartition, int]
    ) -> list[Claim]:
        return [
            Claim(tp.topic, tp.partition, done[tp], offset, self.epoch)
            for tp, offset in after.items()
        ]


@contextmanager
def _rare_collections() -> Iterator[Callable[[], None]]:
    """Collect garbage only in every `_COLLECT_EVERY`th call of the yielded function."""
    batches, was_on = 0, gc.isenabled()

    def built() -> None:
        nonlocal batches
        batches += 1
        if batches % _COLLECT_EVERY == 0:
            gc.collect()

    gc.disable()
    try:
        yield built
    finally:
        if was_on:
            gc.enable()
