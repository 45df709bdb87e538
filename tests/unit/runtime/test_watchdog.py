"""A worker is wedged when it has work and shows no sign of life, but not while it waits for a server."""

from collections.abc import Collection

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from runtime.loop.end_offsets import Ranges
from runtime.loop.watchdog import EndOffsets, Watchdog
from runtime.messages.positions import Position
from runtime.observability.metrics import Telemetry

WEDGED_S = 30.0
TP = TopicPartition("orders.requests", 3)
OTHERS = TopicPartition("orders.requests", 4)
"""A partition of another worker of the service."""


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Kafka:
    """Gives end offsets, or does not answer."""

    def __init__(self) -> None:
        self.end = 10
        self.others_end = 0
        self.unavailable = False
        self.markers_only = False
        """Whether the ranges hold transaction markers only."""

    async def without_records(self, ranges: Ranges) -> Collection[TopicPartition]:
        return [*ranges] if self.markers_only else []

    async def end_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        if self.unavailable:
            raise KafkaConnectionError
        return dict.fromkeys(partitions, self.end) | {OTHERS: self.others_end}

    async def disconnect(self) -> None:
        pass


class Bench:
    """A watchdog and its fakes."""

    def __init__(self) -> None:
        self.clock, self.kafka = Clock(), Kafka()
        self.at, self.busy = 10, False
        self.database_unavailable = False
        self.telemetry = Telemetry("ordering")
        end_offsets: EndOffsets = self.kafka
        self.watchdog = Watchdog(
            end_offsets,
            lambda: [TP, OTHERS],
            self._stored,
            lambda: {TP: Position(self.at, 1)},
            lambda: self.busy,
            self.telemetry,
            WEDGED_S,
            self.clock,
        )

    async def _stored(self) -> dict[TopicPartition, Position]:
        if self.database_unavailable:
            raise asyncpg.ConnectionDoesNotExistError
        return {TP: Position(self.at, 1)}

    async def pass_time(self, seconds: float) -> None:
        """Advance the clock, with a check every two seconds."""
        for _ in range(int(seconds / 2)):
            self.clock.now_s += 2
            await self.watchdog.check()


@pytest.fixture
def bench() -> Bench:
    return Bench()


LONG_S = WEDGED_S + 6


async def test_a_worker_without_work_is_never_wedged(bench: Bench) -> None:
    await bench.pass_time(10 * LONG_S)
    assert not bench.watchdog.wedged


async def test_a_silent_worker_with_a_stalled_partition_is_wedged(bench: Bench) -> None:
    bench.kafka.end = 12
    await bench.pass_time(WEDGED_S)
    assert not bench.watchdog.wedged
    await bench.pass_time(6)
    assert bench.watchdog.wedged
    assert bench.watchdog.stalled_s > WEDGED_S


async def test_a_worker_that_retries_is_not_wedged(bench: Bench) -> None:
    """The database is unavailable: a new process would not help."""
    bench.kafka.end = 12
    for _ in range(10):
        await bench.pass_time(LONG_S / 3)
        bench.watchdog.liveness.mark_alive()
    assert not bench.watchdog.wedged
    assert bench.watchdog.stalled_s > WEDGED_S


async def test_a_slow_worker_is_not_wedged(bench: Bench) -> None:
    bench.kafka.end = 1000
    for _ in range(10):
        await bench.pass_time(LONG_S / 2)
        bench.at += 1
        bench.watchdog.liveness.mark_alive()
    assert not bench.watchdog.wedged


async def test_other_work_that_does_not_end_means_that_it_is_wedged(bench: Bench) -> None:
    """It never acquires its partitions, or its records are never acknowledged."""
    bench.busy = True
    await bench.pass_time(LONG_S)
    assert bench.watchdog.wedged


async def test_silence_does_not_count_while_kafka_is_unavailable(bench: Bench) -> None:
    bench.kafka.end, bench.busy = 12, True
    await bench.pass_time(WEDGED_S - 4)
    bench.kafka.unavailable = True
    await bench.pass_time(10 * LONG_S)
    assert not bench.watchdog.wedged
    bench.kafka.unavailable = False
    await bench.pass_time(WEDGED_S - 4)
    assert not bench.watchdog.wedged
    await bench.pass_time(10)
    assert bench.watchdog.wedged


async def test_silence_does_not_count_while_the_worker_waits_for_the_database(
    bench: Bench,
) -> None:
    """For example for a lock, until the server's time-out."""
    bench.kafka.end = 12
    with bench.watchdog.liveness.suspended():
        await bench.pass_time(2 * WEDGED_S)
        assert not bench.watchdog.wedged
    await bench.pass_time(WEDGED_S - 4)
    assert not bench.watchdog.wedged
    await bench.pass_time(8)
    assert bench.watchdog.wedged


async def test_waiting_for_the_database_is_bounded(bench: Bench) -> None:
    bench.kafka.end = 12
    with bench.watchdog.liveness.suspended(at_most_s=60):
        await bench.pass_time(60 + WEDGED_S)
        assert not bench.watchdog.wedged
        await bench.pass_time(6)
        assert bench.watchdog.wedged


async def test_a_sign_of_life_of_another_task_does_not_end_the_suspension(bench: Bench) -> None:
    bench.kafka.end = 12
    with bench.watchdog.liveness.suspended():
        with bench.watchdog.liveness.suspended():
            bench.watchdog.liveness.mark_alive()
        await bench.pass_time(2 * WEDGED_S)
        assert not bench.watchdog.wedged


async def test_a_process_that_was_frozen_is_not_wedged(bench: Bench) -> None:
    """Given lag; when the process is stopped for three minutes; then measuring restarts."""
    bench.kafka.end = 12
    await bench.pass_time(WEDGED_S - 4)
    bench.clock.now_s += 180
    await bench.pass_time(WEDGED_S - 4)
    assert not bench.watchdog.wedged
    assert bench.watchdog.stalled == []
    await bench.pass_time(10)
    assert bench.watchdog.wedged


async def test_a_stalled_partition_of_another_worker_is_reported_and_does_not_end_this_worker(
    bench: Bench,
) -> None:
    bench.kafka.others_end = 1418
    await bench.pass_time(LONG_S)
    (stalled,) = bench.watchdog.stalled
    assert (stalled.partition, stalled.lag) == (OTHERS, 1418)
    assert stalled.seconds > WEDGED_S
    await bench.pass_time(10 * LONG_S)
    assert not bench.watchdog.wedged


async def test_a_short_stall_is_not_reported(bench: Bench) -> None:
    bench.kafka.others_end = 1418
    await bench.pass_time(WEDGED_S - 4)
    assert bench.watchdog.stalled == []


async def test_stalls_are_still_reported_while_the_database_is_unavailable(bench: Bench) -> None:
    bench.kafka.others_end = 1
    await bench.pass_time(WEDGED_S - 4)
    bench.database_unavailable = True
    await bench.pass_time(10)
    assert [stalled.partition for stalled in bench.watchdog.stalled] == [OTHERS]


async def test_a_transaction_marker_is_no_lag(bench: Bench) -> None:
    """It takes an offset that is never handled. A record after it is lag again."""
    bench.kafka.end, bench.kafka.others_end, bench.kafka.markers_only = 12, 1, True
    await bench.pass_time(10 * LONG_S)
    assert not bench.watchdog.wedged
    assert bench.watchdog.stalled == []
    bench.kafka.end, bench.kafka.markers_only = 13, False
    await bench.pass_time(LONG_S)
    assert bench.watchdog.wedged
    assert [stalled.partition for stalled in bench.watchdog.stalled] == [TP]


async def test_the_lag_metric_includes_partitions_of_other_workers(bench: Bench) -> None:
    bench.kafka.others_end = 7
    await bench.pass_time(2)
    labels = {"service": "ordering", "topic": OTHERS.topic, "partition": "4"}
    lag = bench.telemetry.registry.get_sample_value("herhaal_consumer_lag_records", labels)
    assert lag == 7


async def test_lag_is_exported_as_a_metric(bench: Bench) -> None:
    bench.kafka.end = 17
    await bench.pass_time(2)
    labels = {"service": "ordering", "topic": TP.topic, "partition": "3"}
    lag = bench.telemetry.registry.get_sample_value("herhaal_consumer_lag_records", labels)
    assert lag == 7
