"""A loop with two assigned partitions, and fakes for everything it uses."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiokafka import TopicPartition

from runtime.loop.loop import Loop
from runtime.messages.message import Outgoing, Timer
from runtime.messages.parser import Parser
from runtime.messages.partitioner import partition_of
from runtime.observability.metrics import Telemetry
from schemas.topics import ORDERS_REQUESTS
from tests.harness.made import an_order
from tests.harness.records import Delivered, delivered
from tests.unit.runtime.fakes import Noted, NoWait, Remarks, Wire
from tests.unit.runtime.memory_store import Failure, MemoryStore, acquired

ANNA = "pat_anna0001"
HOME = partition_of(ANNA.encode(), ORDERS_REQUESTS.partitions)
HERE = TopicPartition(ORDERS_REQUESTS.name, HOME)
TWIN = TopicPartition("medication.status", HOME)
SOON_S = 10
"""Time-out, so that a loop that retries without end fails its test."""

LETTERS = "ordering.dead-letters"
TIMER = Timer(
    str(UUID(int=7)),
    datetime(2026, 11, 23, tzinfo=UTC),
    Outgoing("orders.reviews", b"k", b"due", []),
)


@dataclass
class Bench:
    """A loop with the same partition number of two topics assigned, and its fakes."""

    loop: Loop[Noted]
    store: MemoryStore
    wire: Wire
    handler: Remarks
    telemetry: Telemetry

    async def run(self, records: Iterable[Delivered]) -> None:
        """Handle one batch, and wait until it is published and dropped from the outbox."""
        async with asyncio.timeout(SOON_S):
            await self.loop.on_batch([*records])
            await self.loop.flush()

    async def until_at(self, next_offset: int) -> None:
        """Wait until the stored offset is `next_offset`."""
        async with asyncio.timeout(SOON_S):
            while self.next_offset < next_offset:
                await asyncio.sleep(0)

    async def until_published(self, records: int) -> None:
        """Wait until this number of records is published."""
        async with asyncio.timeout(SOON_S):
            while len(self.wire.published) < records:
                await asyncio.sleep(0)

    @property
    def next_offset(self) -> int:
        """The stored offset."""
        return self.store.state.progress[HERE].next_offset

    @property
    def saved(self) -> list[str]:
        """The remarks of the saved orders."""
        return self.store.state.tables.get("saved", [])

    @property
    def dead_lettered(self) -> list[str | None]:
        """The reasons of all published dead letters."""
        letters = [dict(r.headers) for r in self.wire.published if r.topic == LETTERS]
        return [(letter["dl_reason"] or b"").decode() for letter in letters]

    def dead_letters(self, reason: str) -> float | None:
        """The metric of dead letters with this reason."""
        labels = {"service": "ordering", "reason": reason}
        return self.telemetry.registry.get_sample_value("herhaal_dead_letters_total", labels)


def a_bench(service: str = "ordering") -> Bench:
    """Make a new bench."""
    store, wire, handler, telemetry = MemoryStore(), Wire(), Remarks(TIMER), Telemetry(service)
    parser = Parser.of([ORDERS_REQUESTS])
    fakes: Any = (handler, store, wire, telemetry, NoWait)
    loop: Loop[Noted] = Loop(service, parser, *fakes)
    loop.assign(acquired(store, HERE, TWIN))
    return Bench(loop, store, wire, handler, telemetry)


def orders(*remarks: str, first: int = 0) -> list[Delivered]:
    """Make orders with these remarks, at offsets from `first` on."""
    return [
        delivered(ORDERS_REQUESTS, an_order(ANNA, remark=remark), offset=offset)
        for offset, remark in enumerate(remarks, start=first)
    ]


def raising(error: Exception) -> Failure:
    """Make a commit fail with this error."""
    return lambda: error
