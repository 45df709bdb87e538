"""Given a record that cannot be handled between two good ones, it becomes a dead letter
and the good ones are decided."""

from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from deploy.local import LocalStack
from runtime.kafka_address import client_options
from runtime.messages.partitioner import partition_of
from schemas import topics
from schemas.records.orders import OrderDecided
from tests.harness.kafka import eventually, header, read_all, records_of, send, sent
from tests.harness.made import Sent, a_cancellation, a_patient, an_order
from tests.harness.odd import send_with_odd_header_name
from tests.harness.poison import SPOILT

TOPIC = topics.ORDERS_REQUESTS.name


@pytest.mark.parametrize("what", SPOILT)
async def test_a_bad_record_is_kept_and_its_neighbours_are_decided(
    stack: LocalStack, what: str
) -> None:
    reason, spoil = SPOILT[what]
    patient = a_patient()
    before, after = an_order(patient), an_order(patient)
    bad = spoil(sent(TOPIC, an_order(patient), **{"x-mark": patient}))
    # All three on one partition, so that the bad record is between the good ones.
    home = partition_of(patient.encode(), topics.ORDERS_REQUESTS.partitions)
    await send(stack.kafka, [sent(TOPIC, before), replace(bad, partition=home), sent(TOPIC, after)])
    events = await records_of(stack.kafka, topics.ORDERS_EVENTS.name, [patient], at_least=2)
    decided = [OrderDecided.model_validate_json(e.value).order_id for e in events]
    assert decided == [before.order_id, after.order_id]
    letter = await _letter_of(stack, patient)
    _is_as_it_was(letter, bad)
    assert header(letter, "dl_reason") == reason
    assert header(letter, "dl_topic") == TOPIC
    assert header(letter, "dl_partition") == str(home)
    assert header(letter, "dl_service") == "ordering"
    assert int(header(letter, "dl_offset") or -1) >= 0
    assert patient not in (header(letter, "dl_detail") or "")


async def test_a_cancellation_of_an_unknown_order_is_kept(stack: LocalStack) -> None:
    patient = a_patient()
    cancel = a_cancellation(an_order(patient))
    await send(stack.kafka, [sent(TOPIC, cancel, **{"x-mark": patient})])
    letter = await _letter_of(stack, patient)
    assert header(letter, "dl_reason") == "unknown_order"


async def test_another_order_under_the_same_id_is_kept_and_changes_nothing(
    stack: LocalStack,
) -> None:
    patient = a_patient()
    first = an_order(patient)
    other = an_order(patient, quantity=30, order_id=first.order_id)
    again = sent(TOPIC, first)
    await send(stack.kafka, [sent(TOPIC, first), again, sent(TOPIC, other, **{"x-mark": patient})])
    letter = await _letter_of(stack, patient)
    assert header(letter, "dl_reason") == "order_conflict"
    events = await records_of(stack.kafka, topics.ORDERS_EVENTS.name, [patient], at_least=1)
    assert [OrderDecided.model_validate_json(e.value).lines[0].quantity for e in events] == [90]


async def test_an_order_on_another_partition_than_its_keys_is_moved_and_decided_once(
    stack: LocalStack,
) -> None:
    """Given a record from a producer with another partitioner than Kafka's own; then it is not lost."""
    patient = a_patient()
    order = an_order(patient)
    home = partition_of(patient.encode(), topics.ORDERS_REQUESTS.partitions)
    elsewhere = (home + 1) % topics.ORDERS_REQUESTS.partitions
    await send(stack.kafka, [replace(sent(TOPIC, order), partition=elsewhere)])
    events = await records_of(stack.kafka, topics.ORDERS_EVENTS.name, [patient], at_least=1)
    assert [(e.partition, header(e, "ce_subject")) for e in events] == [(home, str(order.order_id))]


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
async def test_whatever_a_portal_compresses_with_is_read(
    stack: LocalStack, compression: str
) -> None:
    patient = a_patient()
    order = sent(TOPIC, an_order(patient))
    client = AIOKafkaProducer(**client_options(stack.kafka), compression_type=compression)
    await client.start()
    try:
        await client.send_and_wait(
            TOPIC, key=order.key, value=order.value, headers=list(order.headers)
        )
    finally:
        await client.stop()
    assert await records_of(stack.kafka, topics.ORDERS_EVENTS.name, [patient], at_least=1)


async def test_a_header_name_that_is_not_utf8_stops_nobody(stack: LocalStack) -> None:
    """Given a header name that is not UTF-8; then the record and those after it are decided.

    aiokafka by itself fails every poll of the partition from that record on.
    """
    patient = a_patient()
    odd, after = an_order(patient), an_order(patient)
    await send_with_odd_header_name(stack.kafka, sent(TOPIC, odd))
    await send(stack.kafka, [sent(TOPIC, after)])
    events = await records_of(stack.kafka, topics.ORDERS_EVENTS.name, [patient], at_least=2)
    assert [header(e, "ce_subject") for e in events] == [str(odd.order_id), str(after.order_id)]


async def _letter_of(stack: LocalStack, mark: str) -> ConsumerRecord:
    topic = topics.dead_letters("ordering").name

    async def look() -> list[ConsumerRecord]:
        return [r for r in await read_all(stack.kafka, topic) if header(r, "x-mark") == mark]

    letters = await eventually(look, lambda found: len(found) >= 1)
    assert len(letters) == 1
    letter: ConsumerRecord = letters[0]
    return letter


def _is_as_it_was(letter: ConsumerRecord, bad: Sent) -> None:
    assert letter.key == bad.key
    assert letter.value == bad.value
    assert tuple(letter.headers)[: len(bad.headers)] == bad.headers
