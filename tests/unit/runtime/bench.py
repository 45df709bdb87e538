"""A loop that has taken two partitions, with everything it touches in memory."""

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
from tests.unit.runtime.memory_store import Failure, MemoryStore, taken

ANNA = "pat_anna0001"
HOME = partition_of(ANNA.encode(), ORDERS_REQUESTS.partitions)
HERE = TopicPartition(ORDERS_REQUESTS.name, HOME)
TWIN = TopicPartition("medication.status", HOME)
SOON_S = 10
"""What takes longer never ends: a loop that tries again for ever fails its test instead."""

LETTERS = "ordering.dead-letters"
TIMER = Timer(
    str(UUID(int=7)),
    datetime(2026, 11, 23, tzinfo=UTC),
    Outgoing("orders.reviews", b"k", b"due", []),
)


@dataclass
class Bench:
    """A loop that has taken one partition of two topics, and all that it touches."""

    loop: Loop[Noted]
    store: MemoryStore
    wire: Wire
    handler: Remarks
    telemetry: Telemetry

    async def run(self, records: Iterable[Delivered]) -> None:
        """One batch, until it is published."""
        async with asyncio.timeout(SOON_S):
            await self.loop.on_batch([*records])
            await self.loop.published()

    async def until_at(self, next_offset: int) -> None:
        """Wait until the database says that everything before this offset is done."""
        async with asyncio.timeout(SOON_S):
            while self.next_offset < next_offset:
                await asyncio.sleep(0)

    async def until_published(self, records: int) -> None:
        """Wait until Kafka has so many records."""
        async with asyncio.timeout(SOON_S):
            while len(self.wire.published) < records:
                await asyncio.sleep(0)

    @property
    def next_offset(self) -> int:
        """What the database says."""
        return self.store.state.progress[HERE].next_offset

    @property
    def saved(self) -> list[str]:
        """The remarks of the orders that the handler saved."""
        return self.store.state.tables.get("saved", [])

    @property
    def buried(self) -> list[str | None]:
        """The reasons of all dead letters published."""
        letters = [dict(r.headers) for r in self.wire.published if r.topic == LETTERS]
        return [(letter["dl_reason"] or b"").decode() for letter in letters]

    def dead_letters(self, reason: str) -> float | None:
        """How many Prometheus sees."""
        labels = {"service": "ordering", "reason": reason}
        return self.telemetry.registry.get_sample_value("herhaal_dead_letters_total", labels)


def a_bench() -> Bench:
    """Everything new."""
    store, wire, handler, telemetry = MemoryStore(), Wire(), Remarks(TIMER), Telemetry("ordering")
    parser = Parser.of([ORDERS_REQUESTS])
    fakes: Any = (handler, store, wire, telemetry, NoWait)
    loop: Loop[Noted] = Loop("ordering", parser, *fakes)
    loop.assign(taken(store, HERE, TWIN))
    return Bench(loop, store, wire, handler, telemetry)


def orders(*remarks: str, first: int = 0) -> list[Delivered]:
    """Orders with these remarks, at offsets from `first` on."""
    return [
        delivered(ORDERS_REQUESTS, an_order(ANNA, remark=remark), offset=offset)
        for offset, remark in enumerate(remarks, start=first)
    ]


def raising(error: Exception) -> Failure:
    """A commit that fails with this error."""
    return lambda: error
