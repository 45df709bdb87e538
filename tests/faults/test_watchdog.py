"""A wedged worker ends its process, and the supervisor starts another; one that only looks wedged goes on."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local import LocalStack
from deploy.local.processes.services import readyz_probe
from deploy.local.processes.supervisor import Child
from runtime.kafka_address import client_options
from schemas import topics
from schemas.records.orders import OrderPlace
from tests.faults.load import Load
from tests.faults.rows import Judge
from tests.faults.steady import until_steady
from tests.faults.watch import now, watching
from tests.harness.kafka import send, sent
from tests.harness.made import a_patient, an_import, an_order

PER_S = 30.0
PATIENCE_S = 8
SHORT_PATIENCE_S = 5
STARTS_WITHIN_S = 90.0
BATCHES = 20


@pytest.mark.timeout(300)
async def test_a_consumer_that_stops_to_fetch_ends_its_process_and_another_goes_on(
    disturbed: LocalStack, judge: Judge, load: Load, tmp_path: Path
) -> None:
    """Given a load; when the consumer stops fetching; then the process ends and a new one takes over.

    Recovery counts from the moment at which the consumer is wedged.
    """
    wedged = tmp_path / "wedged"
    async with watching(disturbed) as watch, load.running(PER_S):
        await disturbed.stop("ordering")
        service = _wedging(disturbed, wedged)
        await service.start()
        try:
            await service.ready(STARTS_WITHIN_S)
            pid = service.pid
            await _until_there(wedged)
            recovery_s = await watch.recovery(now())
            assert service.pid != pid
            assert service.restarts == 1
            await until_steady(disturbed)
        finally:
            await service.stop(8)
            await disturbed.start("ordering")
    row = await judge.judge(load, "a consumer that stops to fetch", "ordering", recovery_s)
    assert row.clean
    assert recovery_s > PATIENCE_S - 3, "it was not wedged at all"
    assert "no sign of life for" in service.program.log.read_text()


@pytest.mark.soak_only
@pytest.mark.timeout(300)
async def test_the_end_of_a_transaction_ends_no_process(disturbed: LocalStack) -> None:
    """Given a record sent in a transaction, whose commit marker takes an offset; then no record waits."""
    patient = a_patient()
    order, after = an_order(patient), an_order(patient)
    await disturbed.stop("ordering")
    service = _impatient(disturbed)
    await service.start()
    try:
        await service.ready(STARTS_WITHIN_S)
        pid = service.pid
        async with watching(disturbed) as watch:
            overview = sent(topics.MEDICATION_CHANGES.name, an_import(patient))
            await send(disturbed.kafka, [overview])
            await _send_in_transaction(disturbed.kafka, order)
            await watch.all_decided([order.order_id], 30)
            await asyncio.sleep(3 * SHORT_PATIENCE_S)
            await until_steady(disturbed, within_s=1)
            # A record after the marker moves the position past it, so that the stack comes to rest.
            await send(disturbed.kafka, [sent(topics.ORDERS_REQUESTS.name, after)])
            await watch.all_decided([after.order_id], 30)
        assert service.pid == pid
    finally:
        await service.stop(8)
        await disturbed.start("ordering")


async def _send_in_transaction(kafka: str, order: OrderPlace) -> None:
    record = sent(topics.ORDERS_REQUESTS.name, order)
    producer = AIOKafkaProducer(**client_options(kafka), transactional_id="a portal's")
    await producer.start()
    try:
        async with producer.transaction():
            await producer.send(
                record.topic, key=record.key, value=record.value, headers=list(record.headers)
            )
    finally:
        await producer.stop()


def _impatient(stack: LocalStack) -> Child:
    program = stack.process("ordering").program
    env = {**program.env, "HERHAAL_PATIENCE_S": str(SHORT_PATIENCE_S)}
    probe = readyz_probe(stack.ports.services["ordering"])
    return Child(replace(program, env=env), probe, stack.report)


async def _until_there(file: Path) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(file.exists):
            await asyncio.sleep(0.1)


def _wedging(stack: LocalStack, once: Path) -> Child:
    program = stack.process("ordering").program
    module = [sys.executable, "-m", "tests.faults.wedged_service"]
    log = program.log.with_name("ordering-wedged.log")
    wedging = replace(
        program,
        argv=[*module, "ordering", str(BATCHES), str(once)],
        log=log,
        env={**program.env, "HERHAAL_PATIENCE_S": str(PATIENCE_S)},
    )
    return Child(wedging, readyz_probe(stack.ports.services["ordering"]), stack.report)
