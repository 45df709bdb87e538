"""Who may do what in Kafka: every principal, every topic, reading and writing, asked of a real broker."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from cli.topics.commands import prepare
from deploy.local import LocalStack, StackOptions, free_ports
from runtime.kafka.access_control import apply_access, plan_access
from runtime.kafka.admin import apply_topics
from runtime.kafka.global_table import read_table
from runtime.kafka_address import Address, client_options
from schemas.access import Party
from schemas.grants import Grant, Operation, Resource, grants
from schemas.records.directory import System
from schemas.topic_lookup import of_system
from schemas.topics import (
    ALL,
    DIRECTORY_SYSTEMS,
    DISPENSE_REPORTS,
    MEDICATION_CHANGES,
    ORDERS_REQUESTS,
    SERVICES,
    Topic,
    prescriptions,
)
from tests.harness.kafka import eventually
from tests.integration.access.cells import Cell, Cells
from tests.integration.access.kafka import may_join, may_read, may_write
from tests.integration.operator import herhaal

PORTAL, HIS, APO, NEIGHBOUR = "mijnzorg", "linde-his", "apo", "apo-noord"
SYSTEMS = {
    PORTAL: ("--kind", "portal", "--practice", "01999001"),
    HIS: ("--kind", "practice-system", "--practice", "01999001"),
    APO: ("--kind", "pharmacy-system", "--pharmacy", "02999001"),
    NEIGHBOUR: ("--kind", "pharmacy-system", "--pharmacy", "02999002"),
}
PHARMACIES = tuple(map(prescriptions, ("02999001", "02999002")))
OWN = {
    PORTAL: of_system(ORDERS_REQUESTS, PORTAL),
    HIS: of_system(MEDICATION_CHANGES, HIS),
    APO: of_system(DISPENSE_REPORTS, APO),
    NEIGHBOUR: of_system(DISPENSE_REPORTS, NEIGHBOUR),
}
TOPICS: tuple[Topic, ...] = (*ALL, *PHARMACIES, *OWN.values())
READS = {APO: {PHARMACIES[0].name}, NEIGHBOUR: {PHARMACIES[1].name}}


@pytest.fixture(scope="module")
async def alone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """A Kafka without services, with every topic and one record in each."""
    options = StackOptions.at(tmp_path_factory.mktemp("alone"), free_ports())
    async with LocalStack(options) as stack:
        await stack.start_kafka()
        await prepare(stack.kafka, 1)
        await apply_topics(stack.kafka, PHARMACIES, 1)
        yield stack


@pytest.fixture(scope="module")
async def addresses(alone: LocalStack) -> dict[str, str]:
    """Kafka's address for each principal; the systems are added as an operator does it."""
    made = {service: alone.kafka_as(service) for service in SERVICES}
    for name, options in SYSTEMS.items():
        made[name] = await added(alone, name, *options)
    assert all((await may_write(alone.kafka, [topic.name for topic in TOPICS])).values())
    return made | {"operator": alone.kafka}


async def added(stack: LocalStack, name: str, *options: str) -> str:
    """Add a system; return Kafka's address for it, with the password that is shown once."""
    said = await herhaal(stack, "systems", "add", name, *options, "--contact", "Beheer")
    assert said.code == 0, said
    return as_system(stack, name, shown_password(said.text))


def shown_password(text: str) -> str:
    """The password that a command printed."""
    found = re.search(r"password +(\S+)", text)
    assert found, text
    return found[1]


def as_system(stack: LocalStack, name: str, password: str) -> str:
    """Kafka's address for a system."""
    return replace(Address.parse(stack.kafka), user=name, password=password).full


def expected(principal: str, topic: Topic) -> tuple[bool, bool]:
    """Whether this principal may (read, write): by the registry for us, by the lists above for systems."""
    if principal == "operator":
        return True, True
    if principal in SERVICES:
        writes = principal in topic.writers
        return writes or principal in topic.readers, writes
    own = OWN.get(principal)
    return topic.name in READS.get(principal, ()), own is not None and topic.name == own.name


async def test_every_principal_reads_and_writes_what_it_should_and_nothing_else(
    addresses: dict[str, str], cells: Cells
) -> None:
    """Given four services, four systems and the operator; then every topic answers each, also by denying."""
    names = [topic.name for topic in TOPICS]
    asked: list[Cell] = []
    for principal, kafka in addresses.items():
        reads, writes = await may_read(kafka, names), await may_write(kafka, names)
        for topic in TOPICS:
            wanted = expected(principal, topic)
            answers = zip(("read", "write"), wanted, (reads, writes), strict=True)
            asked += [
                cells.add(_cell(principal, how, topic, said, may[topic.name]))
                for how, said, may in answers
            ]
    assert [cell for cell in asked if cell.got != cell.expected] == []
    assert len(asked) == 2 * len(addresses) * len(TOPICS)


def _cell(principal: str, how: str, topic: Topic, expected: bool, got: bool) -> Cell:
    words = {True: "allowed", False: "denied"}
    return Cell(principal, "", "kafka", how, topic.name, words[expected], words[got])


@pytest.mark.parametrize(
    ("principal", "group", "allowed"),
    [
        (APO, "apo.1", True),
        (APO, "apo", False),
        (APO, "apo-noord.1", False),
        (APO, "apo-noord-1", False),
        (APO, "ordering", False),
        (NEIGHBOUR, "apo.1", False),
        (NEIGHBOUR, "apo-noord.1", True),
    ],
)
async def test_a_pharmacy_system_joins_groups_of_its_own_name_only(
    addresses: dict[str, str], principal: str, group: str, *, allowed: bool
) -> None:
    (topic,) = READS[principal]
    assert await may_join(addresses[principal], group, topic) is allowed


async def test_the_plan_is_empty_after_systems_are_added(
    alone: LocalStack, addresses: dict[str, str]
) -> None:
    assert addresses
    systems = await read_table(alone.kafka, DIRECTORY_SYSTEMS, System)
    assert {s.name: s.kind for s in systems.values()} == {
        PORTAL: Party.PORTAL,
        HIS: Party.PRACTICE_SYSTEM,
        APO: Party.PHARMACY_SYSTEM,
        NEIGHBOUR: Party.PHARMACY_SYSTEM,
    }
    assert (await plan_access(alone.kafka, grants(systems.values()))).empty
    said = await herhaal(alone, "topics", "plan")
    assert (said.code, "0 access lists missing, 0 left over" in said.text) == (0, True)


async def test_what_is_left_over_is_named_and_removed_only_with_prune(
    alone: LocalStack, addresses: dict[str, str]
) -> None:
    """Given an access list that nothing asks for; then it is named, stays, and goes with --prune."""
    assert addresses
    stray = Grant("stranger", Resource.TOPIC, "orders.", Operation.READ, prefix=True)
    await apply_access(alone.kafka, {stray}, prune=False)

    async def planned() -> str:
        return (await herhaal(alone, "topics", "plan")).text

    line = "user:stranger: allow read topic orders.*"
    await eventually(planned, lambda text: f"left over; --prune removes it: {line}" in text)
    assert line in (await herhaal(alone, "topics", "apply")).text
    assert line in await planned()
    said = await herhaal(alone, "topics", "apply", "--prune")
    assert f"access list removed: {line}" in said.text
    await eventually(planned, lambda text: "0 left over" in text)


@pytest.mark.parametrize("name", ["", "*", "apo.noord", "ordering", "broker", "operator", "APO"])
async def test_a_name_that_could_reach_into_anothers_is_refused(
    alone: LocalStack, name: str
) -> None:
    options = ("--kind", "portal", "--practice", "01999001", "--contact", "x")
    said = await herhaal(alone, "systems", "add", name, *options)
    assert said.code != 0
    assert name not in await read_table(alone.kafka, DIRECTORY_SYSTEMS, System)


async def test_a_wrong_password_does_not_log_in(alone: LocalStack) -> None:
    for user in ("ordering", "nobody"):
        client = AIOKafkaProducer(**client_options(as_system(alone, user, "guess")))
        with pytest.raises(KafkaConnectionError):
            await client.start()
        await client.stop()


async def test_rotated_credentials_replace_the_old_ones(alone: LocalStack) -> None:
    """Given a system; when its credentials are rotated; then the old password logs nobody in."""
    name = "rotates"
    old = await added(alone, name, "--kind", "portal", "--practice", "01999001")
    topic = of_system(ORDERS_REQUESTS, name).name
    assert await may_write(old, [topic]) == {topic: True}
    said = await herhaal(alone, "systems", "rotate", name)
    new = as_system(alone, name, shown_password(said.text))
    assert await may_write(new, [topic]) == {topic: True}
    client = AIOKafkaProducer(**client_options(old))
    with pytest.raises(KafkaConnectionError):
        await client.start()
    await client.stop()
    again = await herhaal(alone, "systems", "add", name)
    assert (again.code, "has credentials already" in str(again.error)) == (1, True)
