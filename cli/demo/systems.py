"""The outside systems of the demo: each sends on its own topics, with its own password."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from deploy.local import LocalStack
from runtime.kafka.access_control import set_password
from runtime.kafka.clients import closed, start_producer
from runtime.kafka_address import Address
from runtime.messages.encoding import encode
from schemas.access import Party
from schemas.base import Body
from schemas.records.directory import Directory
from schemas.records.medication import MedicationImport
from schemas.records.orders import OrderPlace
from schemas.topic_lookup import of_system
from schemas.topics import MEDICATION_CHANGES, ORDERS_REQUESTS


@dataclass(frozen=True)
class OutsideSystems:
    """The portal and the practice systems of a directory, each with its connection to Kafka."""

    portal: str
    of_practice: Mapping[str, str]
    """The name of each practice's own system."""
    connections: Mapping[str, AIOKafkaProducer]

    async def order(self, order: OrderPlace) -> None:
        """Send an order as the portal."""
        topic = of_system(ORDERS_REQUESTS, self.portal).name
        await _produce(self.connections[self.portal], topic, order)

    async def send_overview(self, command: MedicationImport) -> None:
        """Send an overview as the system of the patient's practice."""
        system = self.of_practice[command.practice]
        topic = of_system(MEDICATION_CHANGES, system).name
        await _produce(self.connections[system], topic, command)


@asynccontextmanager
async def outside_systems(stack: LocalStack, directory: Directory) -> AsyncIterator[OutsideSystems]:
    """Give the directory's portal and practice systems passwords, and connect as each of them."""
    portal = next(s.name for s in directory.systems if s.kind == Party.PORTAL)
    of_practice = {
        practice: system.name
        for system in directory.systems
        if system.kind == Party.PRACTICE_SYSTEM
        for practice in system.practices
    }
    async with AsyncExitStack() as open_connections:
        connections = {
            name: await open_connections.enter_async_context(_connected(stack, name))
            for name in (portal, *of_practice.values())
        }
        yield OutsideSystems(portal, of_practice, connections)


@asynccontextmanager
async def _connected(stack: LocalStack, system: str) -> AsyncIterator[AIOKafkaProducer]:
    password = secrets.token_urlsafe(24)
    await set_password(stack.kafka, system, password)
    address = replace(Address.parse(stack.kafka), user=system, password=password)
    producer = await start_producer(address.full, client_id=system)
    try:
        yield producer
    finally:
        await closed(producer.stop())


async def _produce(kafka: AIOKafkaProducer, topic: str, body: Body) -> None:
    """Send one record as any Kafka client does, and wait for its acknowledgement."""
    key: str = getattr(body, body.KEY)
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_type": body.ce_type(),
        "ce_source": "nl.herhaal/demo-portal",
        "content-type": "application/json",
    }
    await kafka.send_and_wait(
        topic,
        key=key.encode(),
        value=encode(body),
        headers=[(name, text.encode()) for name, text in headers.items()],
    )
