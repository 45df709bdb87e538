"""Whether a worker, and each partition of its service, moves: asked of Kafka over a connection of its own.

A consumer that is wedged sees no new record, so what it says of its lag is no measure of it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.errors import is_transient
from runtime.kafka.clients import closed, start_reader
from runtime.loop.pulse import Pulse
from runtime.loop.stall import Stall, Standstill
from runtime.messages.positions import Position
from runtime.observability.metrics import Telemetry

log = structlog.get_logger()

T = TypeVar("T")

Positions = Mapping[TopicPartition, Position]

Ranges = Mapping[TopicPartition, tuple[int, int]]
"""Offsets of partitions: from the first up to, not including, the second."""

LOOK_EVERY_S = 2.0

ANSWER_S = 5.0
"""How long Kafka may take to answer; while it does not, nobody can move, and nothing is held against us."""

SLEPT_S = 15.0
"""Looks that are further apart than planned by so much mean that this whole process stood still."""


_FETCH_BYTES = 16 * 1024
"""Kafka gives one record at least, however large."""


class Ends(Protocol):
    """Tells where partitions end. Raises a transient failure while Kafka does not answer."""

    async def ends(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Where each of these ends; Kafka is asked also when there are none."""

    async def empty(self, ranges: Ranges) -> Collection[TopicPartition]:
        """Those of these ranges that hold no record: the end of a transaction takes an offset too."""

    async def forget(self) -> None:
        """Disconnect."""


class Watchdog:
    """Looks at what waits in the service's `inputs`, until it finds its own worker wedged.

    `stored` reads the service's positions from its database, whoever has the partitions; `owned` are those
    that this worker has. `busy` tells of other work that must end: joining the group, taking partitions,
    publishing. `patience_s` is how long there may be work to do with no sign of life.
    """

    def __init__(
        self,
        kafka: Ends,
        inputs: Sequence[TopicPartition],
        stored: Callable[[], Awaitable[Positions]],
        owned: Callable[[], Positions],
        busy: Callable[[], bool],
        telemetry: Telemetry,
        patience_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience_s = patience_s
        self.pulse = Pulse(clock)
        """Is to beat whenever the worker begins, fails at or finishes something."""
        self._kafka = kafka
        self._inputs = inputs
        self._stored = stored
        self._owned = owned
        self._busy = busy
        self._telemetry = telemetry
        self._clock = clock
        self._looked_s = clock()
        self._own = Stall()
        self._all = Stall()
        self._empty: dict[TopicPartition, tuple[int, int]] = {}
        """Ranges between a position and an end in which there is no record."""
        self._full: dict[TopicPartition, int] = {}
        """Positions after which there is one."""

    @property
    def standing(self) -> list[Standstill]:
        """The partitions, whoever has them, in which records have waited for longer than `patience_s`."""
        standing = self._all.standing(self._clock())
        return [one for one in standing if one.seconds > self._patience_s]

    @property
    def stalled_s(self) -> float:
        """How long the longest-waiting record of this worker has waited without its partition moving."""
        return self._own.seconds(self._clock())

    @property
    def wedged(self) -> bool:
        """Whether there is work to do, and no sign of life."""
        idle = not self._busy() and self.stalled_s <= self._patience_s
        return not idle and self.pulse.silent_s > self._patience_s

    async def until_wedged(self) -> str:
        """Look again and again; returns why, once the worker moves no more though Kafka answers."""
        # The worker was made earlier, and may have waited long for Kafka before it began.
        self._looked_s = self._clock()
        self.pulse.beat()
        try:
            while not self.wedged:
                await asyncio.sleep(LOOK_EVERY_S)
                await self.look()
        finally:
            await self._kafka.forget()
        return self._why()

    async def look(self) -> None:
        """Note what waits now."""
        self._excuse_sleep()
        owned = self._owned()
        ends = await self._answer("Kafka", self._kafka.ends({*self._inputs, *owned}))
        if ends is None:
            await self._kafka.forget()
            self._own, self._all = Stall(), Stall()
            self.pulse.beat()
            return
        self._own.note(self._waiting(_offsets(owned), ends), self._clock())
        stored = await self._answer("PostgreSQL", self._stored())
        if stored is not None:
            self._note_all(stored, ends)
        await self._look_for_records()

    def _note_all(self, stored: Positions, ends: Mapping[TopicPartition, int]) -> None:
        # Nobody has taken a partition that is not stored.
        offsets = dict.fromkeys(self._inputs, 0) | _offsets(stored)
        waiting = self._waiting({tp: offsets[tp] for tp in self._inputs}, ends)
        self._all.note(waiting, self._clock())
        for tp in self._inputs:
            begin, end = waiting.get(tp, (0, 0))
            self._telemetry.lag(tp.topic, tp.partition, end - begin)

    def _waiting(
        self, offsets: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> Ranges:
        """What waits in each partition, as far as anything does."""
        ranges = {tp: (next_offset, ends[tp]) for tp, next_offset in offsets.items()}
        return {
            tp: (begin, end)
            for tp, (begin, end) in ranges.items()
            if begin < end and self._empty.get(tp) != (begin, end)
        }

    async def _look_for_records(self) -> None:
        """Look into partitions that begin to stand still, whether what waits there is a record at all."""
        now_s = self._clock()
        unknown = {
            one.partition: one.offsets
            for one in (*self._own.standing(now_s), *self._all.standing(now_s))
            if one.seconds > self._patience_s / 2
            and self._full.get(one.partition) != one.offsets[0]
        }
        if not unknown:
            return
        empty = await self._answer("Kafka", self._kafka.empty(unknown))
        if empty is not None:
            self._empty |= {tp: unknown[tp] for tp in empty}
            self._full |= {tp: unknown[tp][0] for tp in unknown.keys() - set(empty)}

    def _excuse_sleep(self) -> None:
        """Hold nothing against a worker whose process was stopped, and could not give signs of life."""
        slept_s = self._clock() - self._looked_s - LOOK_EVERY_S
        self._looked_s = self._clock()
        if slept_s > SLEPT_S:
            log.warning("this process stood still", seconds=round(slept_s))
            self._own, self._all = Stall(), Stall()
            self.pulse.beat()

    async def _answer(self, server: str, asked: Awaitable[T]) -> T | None:
        """What a server answers; None when it does not."""
        try:
            async with asyncio.timeout(ANSWER_S):
                return await asked
        except Exception as error:
            if not is_transient(error):
                raise
            log.info("cannot see what waits", server=server, error=type(error).__name__)
            return None

    def _why(self) -> str:
        standing = self._own.standing(self._clock())
        waits = "; ".join(map(str, standing)) or "it joins its group, takes partitions or publishes"
        return f"no sign of life for {self.pulse.silent_s:.0f} s, with work to do: {waits}"


def _offsets(positions: Positions) -> dict[TopicPartition, int]:
    return {tp: position.next_offset for tp, position in positions.items()}


async def _empty(reader: AIOKafkaConsumer, ranges: Ranges) -> set[TopicPartition]:
    for tp, (begin, _) in ranges.items():
        reader.seek(tp, begin)
    empty: set[TopicPartition] = set()
    left = set(ranges)
    while left:
        left -= (await reader.getmany(*left, timeout_ms=500)).keys()
        empty |= {tp for tp in left if await reader.position(tp) >= ranges[tp][1]}
        left -= empty
    return empty


class EndOffsetsClient:
    """Asks Kafka through a client of its own, made when it is needed."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._reader: AIOKafkaConsumer | None = None

    async def ends(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Where each of these ends."""
        if self._reader is None:
            self._reader = await start_reader(
                self._bootstrap,
                request_timeout_ms=int(ANSWER_S * 1000),
                partition_bytes=_FETCH_BYTES,
            )
        if not partitions:
            await self._reader.topics()
            return {}
        ends: dict[TopicPartition, int] = await self._reader.end_offsets([*partitions])
        return ends

    async def empty(self, ranges: Ranges) -> Collection[TopicPartition]:
        """Those of these ranges that hold no record."""
        reader = self._reader
        assert reader is not None, "the ends were asked for"
        reader.assign([*ranges])
        try:
            return await _empty(reader, ranges)
        finally:
            reader.unsubscribe()

    async def forget(self) -> None:
        """Disconnect, or leave a client that does not."""
        reader, self._reader = self._reader, None
        if reader is None:
            return
        try:
            async with asyncio.timeout(1.0):
                await closed(reader.stop())
        except Exception as error:
            if not is_transient(error):
                raise
            log.info("the watchdog's client did not close", error=type(error).__name__)
