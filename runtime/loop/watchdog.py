"""The watchdog: detects stalled partitions of the service, and whether its own worker is wedged.

It reads end offsets over its own connection: a wedged consumer does not see new records, so its own lag is not
reliable.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeVar

import structlog
from aiokafka import TopicPartition

from runtime.errors import is_transient
from runtime.loop.end_offsets import TIMEOUT_S, Ranges
from runtime.loop.liveness import Liveness
from runtime.loop.stalls import StallDetector, StalledPartition
from runtime.messages.positions import Position
from runtime.observability.metrics import Telemetry

log = structlog.get_logger()

T = TypeVar("T")

Positions = Mapping[TopicPartition, Position]

CHECK_EVERY_S = 2.0

FROZEN_S = 15.0
"""A check that is this much late means that the whole process was stopped."""


class EndOffsets(Protocol):
    """Reads end offsets. All methods raise a transient error while Kafka does not answer."""

    async def end_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """Read the end offsets of these partitions. Without partitions, only check that Kafka answers."""

    async def without_records(self, ranges: Ranges) -> Collection[TopicPartition]:
        """Find the partitions whose range holds no record, only transaction markers."""

    async def disconnect(self) -> None:
        """Disconnect."""


class Watchdog:
    """Checks the lag of the service's `inputs`, as they are at each check, until its own worker is wedged.

    `stored` reads the service's positions from its database, for all workers; `assigned` are the positions of
    this worker. `busy` tells whether the worker does other work that must end: joining the group, acquiring
    partitions, publishing. `patience_s` is the longest time without a sign of life while there is work.
    """

    def __init__(
        self,
        kafka: EndOffsets,
        inputs: Callable[[], Sequence[TopicPartition]],
        stored: Callable[[], Awaitable[Positions]],
        assigned: Callable[[], Positions],
        busy: Callable[[], bool],
        telemetry: Telemetry,
        patience_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience_s = patience_s
        self.liveness = Liveness(clock)
        """The worker marks this alive whenever it starts, fails or finishes something."""
        self._kafka = kafka
        self._inputs = inputs
        self._stored = stored
        self._assigned = assigned
        self._busy = busy
        self._telemetry = telemetry
        self._clock = clock
        self._checked_s = clock()
        self._own = StallDetector()
        self._all = StallDetector()
        self._without_records: dict[TopicPartition, tuple[int, int]] = {}
        """Ranges from position to end offset that hold no record."""
        self._with_records: dict[TopicPartition, int] = {}
        """Positions at or after which there is a record."""

    @property
    def stalled(self) -> list[StalledPartition]:
        """Partitions of all workers that have been stalled for longer than `patience_s`."""
        stalled = self._all.stalled(self._clock())
        return [one for one in stalled if one.seconds > self._patience_s]

    @property
    def stalled_s(self) -> float:
        """Seconds of the longest stall among this worker's partitions."""
        return self._own.longest_s(self._clock())

    @property
    def wedged(self) -> bool:
        """Whether this worker has work and shows no sign of life."""
        idle = not self._busy() and self.stalled_s <= self._patience_s
        return not idle and self.liveness.silent_s > self._patience_s

    async def wait_until_wedged(self) -> str:
        """Check periodically until the worker is wedged; returns why."""
        # The worker may have waited long for Kafka since this was constructed.
        self._checked_s = self._clock()
        self.liveness.mark_alive()
        try:
            while not self.wedged:
                await asyncio.sleep(CHECK_EVERY_S)
                await self.check()
        finally:
            await self._kafka.disconnect()
        return self._why_wedged()

    async def check(self) -> None:
        """Read end offsets and positions, and update stalls and lag."""
        self._reset_after_freeze()
        assigned, inputs = self._assigned(), self._inputs()
        ends = await self._try("Kafka", self._kafka.end_offsets({*inputs, *assigned}))
        if ends is None:
            # Nobody can make progress without Kafka.
            await self._kafka.disconnect()
            self._reset()
            return
        self._own.update(self._lagging(_offsets(assigned), ends), self._clock())
        stored = await self._try("PostgreSQL", self._stored())
        if stored is not None:
            self._update_all(inputs, stored, ends)
        await self._find_ranges_without_records()

    def _update_all(
        self,
        inputs: Sequence[TopicPartition],
        stored: Positions,
        ends: Mapping[TopicPartition, int],
    ) -> None:
        # A partition that was never assigned has no stored position.
        offsets = dict.fromkeys(inputs, 0) | _offsets(stored)
        lagging = self._lagging({tp: offsets[tp] for tp in inputs}, ends)
        self._all.update(lagging, self._clock())
        for tp in inputs:
            begin, end = lagging.get(tp, (0, 0))
            self._telemetry.lag(tp.topic, tp.partition, end - begin)

    def _lagging(
        self, offsets: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> Ranges:
        """Position and end offset of each partition with lag."""
        ranges = {tp: (next_offset, ends[tp]) for tp, next_offset in offsets.items()}
        return {
            tp: (begin, end)
            for tp, (begin, end) in ranges.items()
            if begin < end and self._without_records.get(tp) != (begin, end)
        }

    async def _find_ranges_without_records(self) -> None:
        """Check whether partitions that begin to stall hold a record, or only transaction markers."""
        now_s = self._clock()
        unknown = {
            one.partition: one.offsets
            for one in (*self._own.stalled(now_s), *self._all.stalled(now_s))
            if one.seconds > self._patience_s / 2
            and self._with_records.get(one.partition) != one.offsets[0]
        }
        if not unknown:
            return
        empty = await self._try("Kafka", self._kafka.without_records(unknown))
        if empty is not None:
            self._without_records |= {tp: unknown[tp] for tp in empty}
            self._with_records |= {tp: unknown[tp][0] for tp in unknown.keys() - set(empty)}

    def _reset_after_freeze(self) -> None:
        """Restart all measurements if the whole process was stopped."""
        late_s = self._clock() - self._checked_s - CHECK_EVERY_S
        self._checked_s = self._clock()
        if late_s > FROZEN_S:
            log.warning("process was frozen", seconds=round(late_s))
            self._reset()

    def _reset(self) -> None:
        self._own, self._all = StallDetector(), StallDetector()
        self.liveness.mark_alive()

    async def _try(self, server: str, request: Awaitable[T]) -> T | None:
        """Return the server's answer, or None if it does not answer."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await request
        except Exception as error:
            if not is_transient(error):
                raise
            log.info("lag unknown", server=server, error=type(error).__name__)
            return None

    def _why_wedged(self) -> str:
        stalled = "; ".join(map(str, self._own.stalled(self._clock())))
        work = stalled or "joining the group, acquiring partitions or publishing"
        return f"no sign of life for {self.liveness.silent_s:.0f} s, with work to do: {work}"


def _offsets(positions: Positions) -> dict[TopicPartition, int]:
    return {tp: position.next_offset for tp, position in positions.items()}
