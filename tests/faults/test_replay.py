"""The inputs of a run, replayed twice on new stacks: both give the same results, byte for byte.

A replay keeps each record's partition, order and append time. Kafka keeps no order between topics, and an order
that comes before its overview waits for it. A replay therefore sends the directory first, then all changes, all
requests and all reviews, and waits after each topic until the system is at rest. Batches and assignments may
differ between replays, as they do in practice.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from aiokafka import ConsumerRecord
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from cli.topics.commands import prepare
from deploy.local import LocalStack, StackOptions
from deploy.local.ports import free_ports
from runtime.kafka.admin import Plan, apply_topics, plan_topics
from runtime.kafka.clients import admin
from schemas import topics
from tests.faults.load import Load
from tests.faults.rows import REST_S, Judge
from tests.faults.watch import watching
from tests.harness.kafka import eventually, producer, read_all, sent
from tests.harness.made import Sent, an_order
from tests.harness.poison import SPOILT
from verify.at_rest import wait_until_at_rest
from verify.checker import check, compare
from verify.dump import Dump
from verify.gather import take_dump
from verify.rows import KafkaRecord

PER_S = 60.0
INPUTS = (topics.MEDICATION_CHANGES, topics.ORDERS_REQUESTS, topics.ORDERS_REVIEWS)
"""In the order in which a replay sends them."""

DIRECTORY = (topics.DIRECTORY_PRACTICES, topics.DIRECTORY_PHARMACIES)

Inputs = Mapping[str, Sequence[ConsumerRecord]]
"""Records by topic; those of one partition are in order."""


async def test_two_replays_of_the_same_inputs_lead_to_the_same(
    disturbed: LocalStack, judge: Judge, load: Load, tmp_path: Path, soak: bool
) -> None:
    async with AsyncExitStack() as seeing:
        seen = {
            topic.name: await seeing.enter_async_context(watching(disturbed, topic.name))
            for topic in INPUTS
        }
        async with load.running(PER_S):
            await load.clients.connected.wait()
            await load.clients.burst([(None, _poison(load, kind)) for kind in SPOILT])
            await asyncio.sleep(60 if soak else 4)
        row = await judge.judge(load, "a run that is then replayed twice", "all")
        inputs = {name: watch.records for name, watch in seen.items()}
        inputs |= {topic.name: await read_all(disturbed.kafka, topic.name) for topic in DIRECTORY}
    assert row.clean
    # Without a fault every client gets through the door, in its role.
    through = {op.f for op in load.operations() if (op.via, op.outcome) == ("http", "ok")}
    assert through == {"place", "cancel", "import", "set_status"}
    one, other = await asyncio.gather(
        _replayed(tmp_path / "one", inputs, workers=1, at_once=1000),
        _replayed(tmp_path / "other", inputs, workers=2, at_once=7),
    )
    assert len(one.ordering.orders) > 50
    assert one.ordering.overviews
    assert any(record.topic == topics.dead_letters("ordering").name for record in one.records)
    assert compare(one, other) == []


def _poison(load: Load, kind: str) -> Sent:
    _, spoil = SPOILT[kind]
    return spoil(sent(topics.ORDERS_REQUESTS.name, an_order(load.patients[0])))


async def _replayed(folder: Path, inputs: Inputs, workers: int, at_once: int) -> Dump:
    """Replay the inputs on a new stack, and return its dump.

    ordering has `workers` workers; records are sent `at_once` at a time.
    """
    async with LocalStack(StackOptions.at(folder, free_ports())) as stack:
        await stack.start_servers()
        await _make_topics(stack, inputs)
        for topic in DIRECTORY:
            await _send(stack, inputs[topic.name], at_once)
        await stack.start_services()
        for number in range(1, workers):
            await stack.add_service(
                "ordering", instance=f"ordering-{number}", port=free_ports().base, only="worker"
            )
        await stack.services_ready()
        for topic in INPUTS:
            await _send(stack, inputs[topic.name], at_once)
            left = await wait_until_at_rest(stack.kafka, stack.postgres, REST_S)
            assert not left, left
        dump = await take_dump(stack.kafka, stack.postgres)
    # No API took these commands, so no trail has them.
    assert {violation.rule for violation in check(None, dump).violations} <= {"audit_missing"}
    for topic in INPUTS:
        taken = (record for record in dump.records if record.topic == topic.name)
        assert _in_order(taken) == _in_order(inputs[topic.name])
    return dump


async def _make_topics(stack: LocalStack, inputs: Inputs) -> None:
    """Create every topic; input topics keep the producer's timestamps: the append times of the first run."""
    pharmacies = {r.key.decode() for r in inputs[topics.DIRECTORY_PHARMACIES.name]}
    await prepare(stack.kafka, 1)
    await apply_topics(stack.kafka, map(topics.prescriptions, pharmacies), 1)
    async with admin(stack.kafka) as client:
        await client.alter_configs(
            [
                ConfigResource(
                    ConfigResourceType.TOPIC,
                    topic.name,
                    topic.config | {"message.timestamp.type": "CreateTime"},
                )
                for topic in INPUTS
            ]
        )

    async def look() -> Plan:
        return await plan_topics(stack.kafka, INPUTS)

    await eventually(look, lambda plan: len(plan.configure) == len(INPUTS))


async def _send(stack: LocalStack, records: Sequence[ConsumerRecord], at_once: int) -> None:
    async with producer(stack.kafka) as client:
        for start in range(0, len(records), at_once):
            sending = [
                await client.send(
                    r.topic,
                    key=r.key,
                    value=r.value,
                    headers=list(r.headers),
                    partition=r.partition,
                    timestamp_ms=r.timestamp,
                )
                for r in records[start : start + at_once]
            ]
            await asyncio.gather(*sending)


def _in_order(
    records: Iterable[ConsumerRecord | KafkaRecord],
) -> dict[int, list[tuple[int, bytes | None]]]:
    """Timestamp and value of each partition's records, in order."""
    found: dict[int, list[tuple[int, bytes | None]]] = defaultdict(list)
    for record in sorted(records, key=lambda r: (r.partition, r.offset)):
        found[record.partition].append((record.timestamp, record.value))
    return found
