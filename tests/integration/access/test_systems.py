"""Outside systems beside running services: added, judged by what they serve, and removed, without a restart."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError

from cli.directory import apply_directory
from cli.entries.publishing import State
from deploy.local import LocalStack
from runtime.kafka_address import client_options
from samples.codes import practice_code
from schemas import topics
from schemas.access import Party
from schemas.records.directory import Directory, SystemEntry
from schemas.topic_lookup import of_system
from tests.harness.kafka import eventually, header, read_all, records_of, send, sent
from tests.harness.made import PHARMACY, PRACTICE, a_patient, an_import, an_order
from tests.integration.access.kafka import may_read
from tests.integration.access.test_kafka import added
from tests.integration.operator import herhaal, letter_of

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


async def read_by_key(stack: LocalStack, topic: topics.Topic, key: str) -> list[ConsumerRecord]:
    """The records with this key now."""
    return [r for r in await read_all(stack.kafka, topic.name) if r.key == key.encode()]


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


async def test_what_was_not_served_is_handled_by_a_replay_once_it_is(stack: LocalStack) -> None:
    """Given an order for a practice that a portal did not serve yet; when the directory says that it does, and
    the dead letter is replayed; then it is decided.
    """
    name = f"p-{uuid4().hex[:12]}"
    kafka = await added(stack, name, "--kind", "portal", "--practice", ELSEWHERE)
    patient = a_patient()
    order = an_order(patient)
    await send(kafka, [sent(of_system(topics.ORDERS_REQUESTS, name).name, order)])
    assert await reasons(stack, "ordering", patient) == ["not_served"]
    letter = await letter_of(stack, patient)
    await serve(stack, name, Party.PORTAL, practices=(ELSEWHERE, PRACTICE))
    # The order of another patient shows that ordering has read the new entry.
    other = a_patient()
    while not await read_by_key(stack, topics.ORDERS_EVENTS, other):
        await send(kafka, [sent(of_system(topics.ORDERS_REQUESTS, name).name, an_order(other))])
        await asyncio.sleep(0.2)
    assert (await herhaal(stack, "dlq", "replay", "ordering", letter)).code == 0
    (event, *_) = await records_of(stack.kafka, topics.ORDERS_EVENTS.name, [patient], 1)
    assert header(event, "ce_subject") == str(order.order_id)


async def test_a_pharmacy_that_is_not_served_any_more_is_not_read_any_more(
    stack: LocalStack,
) -> None:
    name = f"a-{uuid4().hex[:12]}"
    both = (PHARMACY, "02999002")
    options = [part for agb in both for part in ("--pharmacy", agb)]
    kafka = await added(stack, name, "--kind", "pharmacy-system", *options)
    feeds = [topics.prescriptions(agb).name for agb in both]
    assert await may_read(kafka, feeds) == dict.fromkeys(feeds, True)
    await serve(stack, name, Party.PHARMACY_SYSTEM, pharmacies=both[:1])
    wanted = {feeds[0]: True, feeds[1]: False}
    await eventually(lambda: may_read(kafka, feeds), lambda may: bool(may == wanted), CUT_OFF_S)


async def serve(stack: LocalStack, name: str, kind: Party, **serves: tuple[str, ...]) -> None:
    """Change whom a system serves, as `directory apply` does."""
    entry = SystemEntry.model_validate({"name": name, "kind": kind, "contact": "Beheer", **serves})
    directory = Directory(practices=(), pharmacies=(), systems=(entry,))
    report = await apply_directory(stack.kafka, directory)
    assert report.count(State.CHANGED) == 1


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
