"""Records into the tables that are being built: the service's loop without anything that goes out."""

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.errors import CannotRun
from runtime.kafka.record_reader import Delivered
from runtime.loop.batch import Batch, Deciding, HandlerFailed, Where, where_of
from runtime.loop.handler import W
from runtime.messages.parser import Parser, Unreadable
from runtime.messages.positions import Claim
from runtime.postgres import progress
from runtime.postgres.connection import Connection
from runtime.rebuild import shadow
from runtime.rebuild.declared import Builder, Rebuild
from runtime.rebuild.reading import Stretch, Stretches, records

FAILURES = 100
"""With more records than this on which the code fails, it is the code that needs mending."""

_COLLECT_EVERY = 100
"""Batches between looks for cycles, of which there are few: each look costs as much as a batch."""


class CodeFails(CannotRun):
    """The service's own code raises on many records."""


@dataclass
class Building(Generic[W]):
    """Builds on the tables of one connection; `skipped` records are passed over."""

    rebuild: Rebuild[W]
    builder: Builder[W]
    client: AIOKafkaConsumer
    db: Connection
    epoch: int
    skipped: frozenset[Where] = frozenset()
    told: Callable[[int], None] = lambda _: None
    """Called with the number of records of each batch once it is built."""
    refused: Counter[str] = field(default_factory=Counter)
    """What the service has buried, or would, by reason."""

    def __post_init__(self) -> None:
        parser = Parser.of(self.rebuild.inputs)
        self._deciding = Deciding(self.rebuild.service, parser, self.builder)
        self._poison: dict[Where, Unreadable] = {}

    async def up_to(self, targets: Mapping[TopicPartition, int]) -> None:
        """Build on, from where the tables are, until these offsets, in transactions of one batch.

        Raises:
            TimeoutError, KafkaError: Kafka is silent, or away.
            CodeFails: the service's code raises on more than `FAILURES` records.
            Fenced: another rebuild has begun.
        """
        done = await shadow.built(self.db)
        stretches = {tp: Stretch(done[tp], end) for tp, end in targets.items() if done[tp] < end}
        with _few_collections() as built:
            async for batch in records(self.client, stretches):
                if batch:
                    await self._build(batch, done)
                    built()
                self.told(len(batch))
        await self._finish(stretches, done)

    async def _build(self, batch: Sequence[Delivered], done: dict[TopicPartition, int]) -> None:
        while True:
            try:
                await self._transact(batch, done)
                return
            except HandlerFailed as error:
                # Pure code fails again on the same: the service has buried it after three attempts.
                self._poison[error.where] = Unreadable(error.reason, error.kind)
                if len(self._poison) > FAILURES:
                    raise CodeFails(
                        f"the code fails on more than {FAILURES} records ({error.kind})"
                    ) from error

    async def _transact(self, batch: Sequence[Delivered], done: dict[TopicPartition, int]) -> None:
        decided = Batch()
        taken = [r for r in batch if where_of(r) not in self.skipped] if self.skipped else batch
        messages = self._deciding.parse(taken, self._poison, decided)
        work = await self.builder.load(self.db, messages)
        self._deciding.handle(messages, work, decided)
        last = {(r.topic, r.partition): r.offset for r in batch}
        after = {TopicPartition(*where): offset + 1 for where, offset in last.items()}
        async with self.db.transaction():
            await progress.advance(self.db, self._claims(done, after), {})
            await self.builder.write(self.db, work)
        done.update(after)
        self.refused.update(decided.dead)

    async def _finish(self, stretches: Stretches, done: Mapping[TopicPartition, int]) -> None:
        """Be past what compaction took from the ends, and hold nothing back."""
        ends = {tp: stretch.end for tp, stretch in stretches.items()}
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
def _few_collections() -> Iterator[Callable[[], None]]:
    """Looks for cycles only once in `_COLLECT_EVERY` calls of what is given."""
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
