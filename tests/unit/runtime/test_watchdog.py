"""A worker is wedged when there is work to do and it gives no sign of life; never while it is starved."""

from collections.abc import Collection

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from runtime.loop.watchdog import Ends, Ranges, Watchdog
from runtime.messages.positions import Position
from runtime.observability.metrics import Telemetry

WEDGED_S = 30.0
TP = TopicPartition("orders.requests", 3)
OTHERS = TopicPartition("orders.requests", 4)
"""Another worker of the service has this one."""


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
        self.others_end = 0
        self.away = False
        self.holds_none = False
        """What is at the end is that of a transaction, and no record."""

    async def empty(self, ranges: Ranges) -> Collection[TopicPartition]:
        return [*ranges] if self.holds_none else []

    async def ends(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        if self.away:
            raise KafkaConnectionError
        return dict.fromkeys(partitions, self.end) | {OTHERS: self.others_end}

    async def forget(self) -> None:
        pass


class Bench:
    """A watchdog, and what it looks at."""

    def __init__(self) -> None:
        self.clock, self.kafka = Clock(), Kafka()
        self.at, self.busy = 10, False
        self.database_away = False
        self.telemetry = Telemetry("ordering")
        ends: Ends = self.kafka
        self.watchdog = Watchdog(
            ends,
            [TP, OTHERS],
            self._stored,
            lambda: {TP: Position(self.at, 1)},
            lambda: self.busy,
            self.telemetry,
            WEDGED_S,
            self.clock,
        )

    async def _stored(self) -> dict[TopicPartition, Position]:
        if self.database_away:
            raise asyncpg.ConnectionDoesNotExistError
        return {TP: Position(self.at, 1)}

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


async def test_waiting_for_a_database_that_bounds_its_answers_is_being_starved(
    bench: Bench,
) -> None:
    """A statement that waits for a lock is given up by the server; until then nothing is held against us."""
    bench.kafka.end = 12
    with bench.watchdog.pulse.excused():
        await bench.pass_time(2 * WEDGED_S)
        assert not bench.watchdog.wedged
    await bench.pass_time(WEDGED_S - 4)
    assert not bench.watchdog.wedged
    await bench.pass_time(8)
    assert bench.watchdog.wedged


async def test_nobody_waits_for_a_database_for_ever(bench: Bench) -> None:
    bench.kafka.end = 12
    with bench.watchdog.pulse.excused(at_most_s=60):
        await bench.pass_time(60 + WEDGED_S)
        assert not bench.watchdog.wedged
        await bench.pass_time(6)
        assert bench.watchdog.wedged


async def test_a_sign_of_life_of_another_task_does_not_end_the_excuse(bench: Bench) -> None:
    bench.kafka.end = 12
    with bench.watchdog.pulse.excused():
        with bench.watchdog.pulse.excused():
            bench.watchdog.pulse.beat()
        await bench.pass_time(2 * WEDGED_S)
        assert not bench.watchdog.wedged


async def test_a_process_that_stood_still_itself_is_not_wedged(bench: Bench) -> None:
    """Given records that wait; when the process is stopped for three minutes; then it is not blamed."""
    bench.kafka.end = 12
    await bench.pass_time(WEDGED_S - 4)
    bench.clock.now_s += 180
    await bench.pass_time(WEDGED_S - 4)
    assert not bench.watchdog.wedged
    assert bench.watchdog.standing == []
    await bench.pass_time(10)
    assert bench.watchdog.wedged


async def test_a_partition_of_another_worker_that_stands_still_is_told_and_not_ours_to_die_for(
    bench: Bench,
) -> None:
    bench.kafka.others_end = 1418
    await bench.pass_time(LONG_S)
    (standing,) = bench.watchdog.standing
    assert (standing.partition, standing.records) == (OTHERS, 1418)
    assert standing.seconds > WEDGED_S
    await bench.pass_time(10 * LONG_S)
    assert not bench.watchdog.wedged


async def test_a_partition_that_waits_for_a_short_while_is_not_told(bench: Bench) -> None:
    bench.kafka.others_end = 1418
    await bench.pass_time(WEDGED_S - 4)
    assert bench.watchdog.standing == []


async def test_a_database_that_is_away_leaves_what_is_known_of_standing_still(bench: Bench) -> None:
    bench.kafka.others_end = 1
    await bench.pass_time(WEDGED_S - 4)
    bench.database_away = True
    await bench.pass_time(10)
    assert [standing.partition for standing in bench.watchdog.standing] == [OTHERS]


async def test_the_end_of_a_transaction_is_no_record_that_waits(bench: Bench) -> None:
    """It takes an offset, which nobody ever handles; a record after it waits again."""
    bench.kafka.end, bench.kafka.others_end, bench.kafka.holds_none = 12, 1, True
    await bench.pass_time(10 * LONG_S)
    assert not bench.watchdog.wedged
    assert bench.watchdog.standing == []
    bench.kafka.end, bench.kafka.holds_none = 13, False
    await bench.pass_time(LONG_S)
    assert bench.watchdog.wedged
    assert [standing.partition for standing in bench.watchdog.standing] == [TP]


async def test_the_lag_of_partitions_that_another_worker_has_is_seen_too(bench: Bench) -> None:
    bench.kafka.others_end = 7
    await bench.pass_time(2)
    labels = {"service": "ordering", "topic": OTHERS.topic, "partition": "4"}
    lag = bench.telemetry.registry.get_sample_value("herhaal_consumer_lag_records", labels)
    assert lag == 7


async def test_what_waits_is_the_lag_that_prometheus_sees(bench: Bench) -> None:
    bench.kafka.end = 17
    await bench.pass_time(2)
    labels = {"service": "ordering", "topic": TP.topic, "partition": "3"}
    lag = bench.telemetry.registry.get_sample_value("herhaal_consumer_lag_records", labels)
    assert lag == 7
