"""Whether a worker moves: asked of Kafka over a connection of the watchdog's own.

A consumer that is wedged sees no new record, so what it says of its lag is no measure of it.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.clients import closed, start_reader
from runtime.failures import is_transient
from runtime.ledger import Position
from runtime.pulse import Pulse
from runtime.stall import Stall
from runtime.telemetry import Telemetry

log = structlog.get_logger()

LOOK_EVERY_S = 2.0

ANSWER_S = 5.0
"""How long Kafka may take to answer; while it does not, nobody can move, and nothing is held against us."""


class Ends(Protocol):
    """Tells where partitions end. Raises a transient failure while Kafka does not answer."""

    async def ends(self, partitions: Mapping[TopicPartition, Any]) -> Mapping[TopicPartition, int]:
        """Where each of these ends; Kafka is asked also when there are none."""

    async def forget(self) -> None:
        """Disconnect."""


class Watchdog:
    """Looks at what waits in the partitions that `owned` tells of, until it finds the worker wedged.

    `busy` tells of other work that must end: joining the group, taking partitions, publishing.
    `patience_s` is how long there may be work to do with no sign of life.
    """

    def __init__(
        self,
        kafka: Ends,
        owned: Callable[[], Mapping[TopicPartition, Position]],
        busy: Callable[[], bool],
        telemetry: Telemetry,
        patience_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience_s = patience_s
        self.pulse = Pulse(clock)
        """Is to beat whenever the worker begins, fails at or finishes something."""
        self._kafka = kafka
        self._owned = owned
        self._busy = busy
        self._telemetry = telemetry
        self._clock = clock
        self._stall = Stall()

    @property
    def stalled_s(self) -> float:
        """How long the longest-waiting record has waited without its partition moving."""
        return self._stall.seconds(self._clock())

    @property
    def wedged(self) -> bool:
        """Whether there is work to do, and no sign of life."""
        idle = not self._busy() and self.stalled_s <= self._patience_s
        return not idle and self.pulse.silent_s > self._patience_s

    async def until_wedged(self) -> None:
        """Look again and again; returns when the worker moves no more, though Kafka answers."""
        try:
            while not self.wedged:
                await asyncio.sleep(LOOK_EVERY_S)
                await self.look()
        finally:
            await self._kafka.forget()

    async def look(self) -> None:
        """Note what waits now."""
        owned = self._owned()
        try:
            async with asyncio.timeout(ANSWER_S):
                ends = await self._kafka.ends(owned)
        except Exception as error:
            if not is_transient(error):
                raise
            log.info("Kafka does not tell what waits", error=type(error).__name__)
            await self._kafka.forget()
            self._stall = Stall()
            self.pulse.beat()
            return
        lags = {tp: max(0, ends[tp] - position.next_offset) for tp, position in owned.items()}
        for tp, lag in lags.items():
            self._telemetry.lag(tp.topic, tp.partition, lag)
        waiting = {tp: owned[tp].next_offset for tp, lag in lags.items() if lag}
        self._stall.note(waiting, self._clock())


class OwnConnection:
    """Asks Kafka through a client of its own, made when it is needed."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._reader: AIOKafkaConsumer | None = None

    async def ends(self, partitions: Mapping[TopicPartition, Any]) -> Mapping[TopicPartition, int]:
        """Where each of these ends."""
        if self._reader is None:
            self._reader = await start_reader(
                self._bootstrap, request_timeout_ms=int(ANSWER_S * 1000)
            )
        if not partitions:
            await self._reader.topics()
            return {}
        ends: dict[TopicPartition, int] = await self._reader.end_offsets([*partitions])
        return ends

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
