"""The factory of Kafka clients, on a real Kafka: a client starts, gets its assignment, and is closed."""

from contextlib import suppress

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, ProducerClosed

from deploy.local import LocalStack
from deploy.local.ports import free_ports
from runtime.kafka.clients import admin, closed, open_consumer, start_consumer, start_producer
from runtime.messages.partitioner import partition_of
from schemas.topics import ORDERS_REQUESTS
from tests.harness.kafka import send, sent
from tests.harness.made import a_patient, an_order
from tests.harness.odd import send_with_odd_header_name

TOPIC = ORDERS_REQUESTS.name


async def test_a_reader_reads_the_partitions_that_it_was_given_from_their_beginning(
    stack: LocalStack,
) -> None:
    """Given records on a partition, one with a header name that is not UTF-8; then all of them are read."""
    patient = a_patient()
    home = TopicPartition(TOPIC, partition_of(patient.encode(), ORDERS_REQUESTS.partitions))
    await send(stack.kafka, [sent(TOPIC, an_order(patient))])
    await send_with_odd_header_name(stack.kafka, sent(TOPIC, an_order(patient)))
    async with open_consumer(stack.kafka, [home]) as consumer:
        assert consumer.assignment() == {home}
        end = (await consumer.end_offsets([home]))[home]
        keys = []
        while await consumer.position(home) < end:
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                keys += [record.key for record in batch]
    assert keys.count(patient.encode()) == 2
    assert consumer._closed


async def test_a_reader_is_closed_when_its_block_fails(stack: LocalStack) -> None:
    with suppress(ZeroDivisionError):
        async with open_consumer(stack.kafka) as consumer:
            raise ZeroDivisionError
    assert consumer._closed


async def test_one_that_is_stopped_at_once_does_not_cancel_who_stops_it(stack: LocalStack) -> None:
    """Given a consumer that is stopped right after its start; then the task that stops it is not cancelled."""
    for _ in range(3):
        await closed((await start_consumer(stack.kafka)).stop())


async def test_a_producer_sends_until_it_is_stopped(stack: LocalStack) -> None:
    producer = await start_producer(stack.kafka, client_id="test")
    record = sent(TOPIC, an_order(a_patient()))
    await producer.send_and_wait(TOPIC, record.value, key=record.key, headers=[*record.headers])
    await closed(producer.stop())
    with pytest.raises(ProducerClosed):
        await producer.send(TOPIC, record.value, key=record.key)


async def test_without_a_kafka_each_says_so_and_leaves_nothing_open() -> None:
    """Given no Kafka; then each client raises and is closed: aiokafka's warning of one left open
    would fail the test."""
    nowhere = f"127.0.0.1:{free_ports().base}"
    with pytest.raises(KafkaConnectionError):
        async with open_consumer(nowhere):
            pytest.fail("there is no Kafka")
    with pytest.raises(KafkaConnectionError):
        await start_producer(nowhere, client_id="test")
    with pytest.raises(KafkaConnectionError):
        async with admin(nowhere):
            pytest.fail("there is no Kafka")
