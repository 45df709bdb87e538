"""Outside systems beside running services: added, judged by what they serve, and removed, without a restart."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError

from deploy.local import LocalStack
from runtime.kafka_address import client_options
from samples.codes import practice_code
from schemas import topics
from schemas.access import Party
from schemas.topic_lookup import of_system
from tests.harness.kafka import eventually, header, records_of, send, sent
from tests.harness.made import PHARMACY, PRACTICE, a_patient, an_import, an_order
from tests.integration.access.test_kafka import added
from tests.integration.operator import herhaal

CUT_OFF_S = 5.0
"""How soon a removed system may do nothing, also over an open connection."""

ELSEWHERE = practice_code(999)


@dataclass(frozen=True)
class Added:
    """A system that was added while the services ran: its name, and Kafka's address for it."""

    name: str
    kafka: str


@pytest.fixture(scope="module")
async def portal(stack: LocalStack) -> Added:
    """A portal that serves one practice."""
    name = f"p-{uuid4().hex[:12]}"
    return Added(name, await added(stack, name, "--kind", "portal", "--practice", PRACTICE))


@pytest.fixture(scope="module")
async def practice_system(stack: LocalStack) -> Added:
    """A practice system that serves the same practice."""
    name = f"h-{uuid4().hex[:12]}"
    options = ("--kind", "practice-system", "--practice", PRACTICE)
    return Added(name, await added(stack, name, *options))


async def reasons(stack: LocalStack, service: str, key: str) -> list[str | None]:
    """The reasons of the dead letters with this key."""
    letters = topics.dead_letters(service).name
    return [header(r, "dl_reason") for r in await records_of(stack.kafka, letters, [key], 1)]


async def until_denied(attempt: Callable[[], Awaitable[object]]) -> None:
    """Attempt again until Kafka denies it."""
    denied = False
    while not denied:
        try:
            await attempt()
        except (TopicAuthorizationFailedError, GroupAuthorizationFailedError):
            denied = True


async def test_new_systems_are_read_without_a_restart(
    stack: LocalStack, portal: Added, practice_system: Added
) -> None:
    """Given running services; when a practice system and a portal are added; then what they send is handled."""
    patient = a_patient()
    pids = stack.pids
    overview = sent(
        of_system(topics.MEDICATION_CHANGES, practice_system.name).name, an_import(patient)
    )
    await send(practice_system.kafka, [overview])
    await records_of(stack.kafka, topics.MEDICATION_STATUS.name, [patient], 1)
    order = an_order(patient)
    await send(portal.kafka, [sent(of_system(topics.ORDERS_REQUESTS, portal.name).name, order)])
    (event, *_) = await records_of(stack.kafka, topics.ORDERS_EVENTS.name, [patient], 1)
    assert header(event, "ce_subject") == str(order.order_id)
    assert stack.pids == pids


async def test_what_a_system_does_not_serve_is_a_dead_letter(
    stack: LocalStack, portal: Added, practice_system: Added
) -> None:
    patient, other = a_patient(), a_patient()
    order = an_order(patient, practice=ELSEWHERE)
    await send(portal.kafka, [sent(of_system(topics.ORDERS_REQUESTS, portal.name).name, order)])
    overview = an_import(other, practice=ELSEWHERE)
    await send(
        practice_system.kafka,
        [sent(of_system(topics.MEDICATION_CHANGES, practice_system.name).name, overview)],
    )
    assert await reasons(stack, "ordering", patient) == ["not_served"]
    assert await reasons(stack, "medication", other) == ["not_served"]


async def test_a_removed_system_loses_what_it_has_open(stack: LocalStack) -> None:
    """Given a pharmacy system with a producer, a consumer and a token in use; when it is removed; then each is
    refused within 5 s, though nothing was closed.
    """
    name = f"a-{uuid4().hex[:12]}"
    kafka = await added(stack, name, "--kind", "pharmacy-system", "--pharmacy", PHARMACY)
    report = of_system(topics.DISPENSE_REPORTS, name).name
    feed = f"{stack.endpoints['ordering']}/pharmacies/{PHARMACY}/prescriptions"
    token = stack.token(Party.PHARMACY_SYSTEM, sub=name)
    producer = AIOKafkaProducer(**client_options(kafka))
    consumer = AIOKafkaConsumer(
        topics.prescriptions(PHARMACY).name,
        group_id=f"{name}.1",
        auto_offset_reset="earliest",
        **client_options(kafka),
    )
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}) as http:
        await eventually(lambda: http.get(feed), lambda answer: answer.status_code == 200)
        await producer.start()
        await consumer.start()
        try:
            await producer.send_and_wait(report, b"x", key=b"k")
            await consumer.getmany(timeout_ms=200)
            assert (await herhaal(stack, "systems", "remove", name)).code == 0
            async with asyncio.timeout(CUT_OFF_S):
                await eventually(lambda: http.get(feed), lambda answer: answer.status_code == 401)
                await until_denied(lambda: producer.send_and_wait(report, b"x", key=b"k"))
                await until_denied(lambda: consumer.getmany(timeout_ms=200))
        finally:
            await consumer.stop()
            await producer.stop()
    again = await herhaal(stack, "systems", "add", name)
    assert (again.code, "its name stays taken" in str(again.error)) == (1, True)
