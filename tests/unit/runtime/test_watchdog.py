"""A worker is wedged when there is work to do and it gives no sign of life; never while Kafka is away."""

from collections.abc import Mapping
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from runtime.positions import Position
from runtime.telemetry import Telemetry
from runtime.watchdog import Ends, Watchdog

WEDGED_S = 30.0
TP = TopicPartition("orders.requests", 3)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Kafka:
    """Tells where the partition ends, or does not answer."""

    def __init__(self) -> None:
        self.end = 10
        self.away = False

    async def ends(self, partitions: Mapping[TopicPartition, Any]) -> dict[TopicPartition, int]:
        if self.away:
            raise KafkaConnectionError
        return dict.fromkeys(partitions, self.end)

    async def forget(self) -> None:
        pass


class Bench:
    """A watchdog, and what it looks at."""

    def __init__(self) -> None:
        self.clock, self.kafka = Clock(), Kafka()
        self.at, self.busy = 10, False
        self.telemetry = Telemetry("ordering")
        ends: Ends = self.kafka
        self.watchdog = Watchdog(
            ends,
            lambda: {TP: Position(self.at, 1)},
            lambda: self.busy,
            self.telemetry,
            WEDGED_S,
            self.clock,
        )

    async def pass_time(self, seconds: float) -> None:
        """It looks every two seconds meanwhile."""
        for _ in range(int(seconds / 2)):
            self.clock.now_s += 2
            await self.watchdog.look()


@pytest.fixture
def bench() -> Bench:
    return Bench()


LONG_S = WEDGED_S + 6


async def test_a_worker_with_nothing_to_do_may_be_silent_for_ever(bench: Bench) -> None:
    await bench.pass_time(10 * LONG_S)
    assert not bench.watchdog.wedged


async def test_records_that_wait_while_nothing_moves_mean_that_it_is_wedged(bench: Bench) -> None:
    bench.kafka.end = 12
    await bench.pass_time(WEDGED_S)
    assert not bench.watchdog.wedged
    await bench.pass_time(6)
    assert bench.watchdog.wedged
    assert bench.watchdog.stalled_s > WEDGED_S


async def test_a_worker_that_tries_again_and_again_is_not_wedged(bench: Bench) -> None:
    """The database is away: making the clients of Kafka anew would not help."""
    bench.kafka.end = 12
    for _ in range(10):
        await bench.pass_time(LONG_S / 3)
        bench.watchdog.pulse.beat()
    assert not bench.watchdog.wedged
    assert bench.watchdog.stalled_s > WEDGED_S


async def test_a_worker_that_gets_on_slowly_is_not_wedged(bench: Bench) -> None:
    bench.kafka.end = 1000
    for _ in range(10):
        await bench.pass_time(LONG_S / 2)
        bench.at += 1
        bench.watchdog.pulse.beat()
    assert not bench.watchdog.wedged


async def test_work_that_must_end_and_does_not_means_that_it_is_wedged(bench: Bench) -> None:
    """It never gets its partitions, or what it publishes is never acknowledged."""
    bench.busy = True
    await bench.pass_time(LONG_S)
    assert bench.watchdog.wedged


async def test_nothing_is_held_against_a_worker_while_kafka_is_away(bench: Bench) -> None:
    bench.kafka.end, bench.busy = 12, True
    await bench.pass_time(WEDGED_S - 4)
    bench.kafka.away = True
    await bench.pass_time(10 * LONG_S)
    assert not bench.watchdog.wedged
    bench.kafka.away = False
    await bench.pass_time(WEDGED_S - 4)
    assert not bench.watchdog.wedged
    await bench.pass_time(10)
    assert bench.watchdog.wedged


async def test_what_waits_is_the_lag_that_prometheus_sees(bench: Bench) -> None:
    bench.kafka.end = 17
    await bench.pass_time(2)
    labels = {"service": "ordering", "topic": TP.topic, "partition": "3"}
    lag = bench.telemetry.registry.get_sample_value("herhaal_consumer_lag_records", labels)
    assert lag == 7
