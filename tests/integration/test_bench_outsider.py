"""The benchmark's outsider on a real Kafka: which records it reads and counts."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest
from confluent_kafka import Producer

from bench.arena import Arena, arena
from bench.data.patients import Population
from bench.data.records import InputRecord
from bench.data.region import directory
from bench.kafka import Output, committed, ends, fill, read
from deploy.local.report import PlainReport
from runtime.messages.partitioner import partition_of
from schemas import topics
from schemas.topics import PATIENT_PARTITIONS

STATUS = topics.MEDICATION_STATUS.name
EVENTS = topics.ORDERS_EVENTS.name


@pytest.fixture(scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Arena]:
    async with arena(tmp_path_factory.mktemp("arena"), PlainReport(), timed=False) as found:
        yield found


@pytest.fixture
async def place(servers: Arena) -> Arena:
    """Reset the servers: no records but the directory."""
    await servers.reset(directory(review_everything=True))
    return servers


async def all_of(place: Arena, *names: str) -> list[Output]:
    return await asyncio.to_thread(lambda: list(read(place.stack.kafka, names)))


async def test_what_was_written_is_read_once_with_the_brokers_time(place: Arena) -> None:
    given = list(Population(200).records())
    assert await fill(place.stack.kafka, STATUS, given) == 200
    found = await all_of(place, STATUS)
    assert sorted((o.key, o.value) for o in found) == sorted((g.key, g.value) for g in given)
    assert {o.partition for o in found} == {partition_of(g.key, PATIENT_PARTITIONS) for g in given}
    assert all(o.headers["ce_id"] for o in found)
    assert sum((await ends(place.stack.kafka, [STATUS])).values()) == 200


async def test_only_what_came_since_is_read_when_asked(place: Arena) -> None:
    first, second = list(Population(10).records()), list(Population(30).records())[10:]
    await fill(place.stack.kafka, STATUS, first)
    since = await ends(place.stack.kafka, [STATUS])
    await fill(place.stack.kafka, STATUS, second)
    found = await asyncio.to_thread(lambda: list(read(place.stack.kafka, [STATUS], since)))
    assert {o.key for o in found} == {g.key for g in second}


async def test_a_transaction_that_was_aborted_is_not_counted(place: Arena) -> None:
    """Given an aborted and a committed transaction; then only the committed records are read."""
    kept, thrown_away = list(Population(5).records()), list(Population(9).records())[5:]
    await asyncio.to_thread(_in_transactions, place.stack.kafka, kept, thrown_away)
    assert {o.key for o in await all_of(place, EVENTS)} == {g.key for g in kept}
    assert sum((await ends(place.stack.kafka, [EVENTS])).values()) > 5 + 4


def _in_transactions(
    kafka: str, kept: Iterable[InputRecord], thrown_away: Iterable[InputRecord]
) -> None:
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": "bench-test"})
    producer.init_transactions(30)
    for records, finish in (
        (thrown_away, producer.abort_transaction),
        (kept, producer.commit_transaction),
    ):
        producer.begin_transaction()
        for key, value, headers in records:
            producer.produce(EVENTS, value, key, headers=headers)
        producer.flush(30)
        finish(30)


async def test_a_group_that_has_said_nothing_stands_nowhere(place: Arena) -> None:
    """Given a group without committed offsets; then the result is empty."""
    assert await committed(place.stack.kafka, "nobody") == {}


async def test_servers_as_new_hold_nothing_of_the_run_before(place: Arena) -> None:
    await fill(place.stack.kafka, STATUS, Population(10).records())
    await place.reset(directory(review_everything=True))
    assert await all_of(place, STATUS) == []
    assert len(await all_of(place, topics.DIRECTORY_PHARMACIES.name)) == 50
