"""Orders, sent over HTTP and Kafka at a steady pace while something goes wrong; every step in a history."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from cli.verify.history import History, Operation, read_history
from runtime.records import encode
from schemas import topics
from schemas.orders import OrderPlace
from tests.harness.kafka import sent
from tests.harness.made import METFORMINE, OMEPRAZOL, a_patient, an_import, an_order, entry

HTTP_TIMEOUT_S = 8.0
KAFKA_TIMEOUT_S = 20.0


class Load:
    """Sends orders of its own patients, every second one over HTTP."""

    def __init__(self, kafka: str, ordering: str, history: Path) -> None:
        self._kafka = kafka
        self._ordering = ordering
        self._path = history
        self.patients = [a_patient() for _ in range(30)]

    def operations(self) -> list[Operation]:
        """What the clients know of each order they placed."""
        return [op for op in read_history(self._path) if op.f == "place"]

    @asynccontextmanager
    async def running(self, per_s: float) -> AsyncIterator[None]:
        """So many orders a second for as long as the body runs; then every answer is waited for."""
        client = AIOKafkaProducer(
            bootstrap_servers=self._kafka,
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=int(KAFKA_TIMEOUT_S * 1000),
        )
        await client.start()
        stop = asyncio.Event()
        try:
            async with httpx.AsyncClient(timeout=HTTP_TIMEOUT_S) as http:
                with History(self._path) as history:
                    await self._imports(client)
                    sending = asyncio.create_task(self._send(http, client, history, per_s, stop))
                    try:
                        yield
                    finally:
                        stop.set()
                        await sending
        finally:
            await client.stop()

    async def _imports(self, client: AIOKafkaProducer) -> None:
        for patient in self.patients:
            record = sent(
                topics.MEDICATION_CHANGES.name,
                an_import(patient, entry(METFORMINE), entry(OMEPRAZOL)),
            )
            await client.send_and_wait(
                record.topic, key=record.key, value=record.value, headers=list(record.headers)
            )

    async def _send(
        self,
        http: httpx.AsyncClient,
        client: AIOKafkaProducer,
        history: History,
        per_s: float,
        stop: asyncio.Event,
    ) -> None:
        began_s, number = time.monotonic(), 0
        async with asyncio.TaskGroup() as sending:
            while not stop.is_set():
                order = an_order(self.patients[number % len(self.patients)], METFORMINE, OMEPRAZOL)
                if number % 2:
                    sending.create_task(self._over_kafka(client, history, order))
                else:
                    sending.create_task(self._over_http(http, history, order))
                number += 1
                await asyncio.sleep(max(0.0, began_s + number / per_s - time.monotonic()))

    async def _over_http(
        self, http: httpx.AsyncClient, history: History, order: OrderPlace
    ) -> None:
        invoked = await history.invoke("place", "http", order.order_id)
        try:
            answer = await http.post(
                f"{self._ordering}/orders",
                content=encode(order),
                headers={"content-type": "application/json"},
            )
        except httpx.ConnectError:
            await invoked.failed()
        except httpx.HTTPError:
            await invoked.unknown()
        else:
            await invoked.answered(answer.status_code)

    async def _over_kafka(
        self, client: AIOKafkaProducer, history: History, order: OrderPlace
    ) -> None:
        record = sent(topics.ORDERS_REQUESTS.name, order)
        invoked = await history.invoke("place", "kafka", order.order_id)
        try:
            taken = await client.send_and_wait(
                record.topic, key=record.key, value=record.value, headers=list(record.headers)
            )
        except KafkaError:
            await invoked.unknown()
        else:
            await invoked.taken(taken.partition, taken.offset)
