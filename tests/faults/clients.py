"""Clients of the system (portal, practice system, reviewer) that record every operation in a history."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from runtime.kafka_address import client_options
from schemas.topics import Topic
from tests.harness.kafka import sent
from tests.harness.made import Sent
from verify.history import Action, History

KAFKA_TIMEOUT_S = 20.0
CONNECT_EVERY_S = 0.2

TURNED_AWAY = (401, 403)
"""HTTP answers of a service that does not believe a token, or lets its bearer do nothing of the kind."""


@dataclass(frozen=True)
class Answer:
    """The HTTP answer to a write; `status` is None when there was none. Times are monotonic seconds."""

    sent_s: float
    ended_s: float
    status: int | None
    retry_after: str | None = None


class Clients(AbstractAsyncContextManager["Clients"]):
    """Send operations over HTTP or Kafka; each method returns when its operation has ended."""

    def __init__(
        self,
        endpoints: Mapping[str, str],
        tokens: httpx.Auth,
        history: Path,
        http_timeout_s: float = 8.0,
    ) -> None:
        self.answers: list[Answer] = []
        self.turned_away: Counter[str] = Counter()
        """Answers of 401 and 403, to reads too: no fault makes a good token worthless."""
        self.connected = asyncio.Event()
        """Set once the producer is connected to Kafka."""
        self._endpoints = endpoints
        self._history = History(history)
        self._http = httpx.AsyncClient(
            timeout=http_timeout_s, auth=tokens, event_hooks={"response": [self._at_the_door]}
        )
        self._kafka: AIOKafkaProducer | None = None
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._running.enter_context(self._history)
        await self._running.enter_async_context(self._http)
        connecting = asyncio.create_task(self._connect())
        self._running.push_async_callback(self._disconnect, connecting)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._running.aclose()

    async def over_http(
        self, f: Action, named: UUID, method: str, service: str, path: str, body: Mapping[str, Any]
    ) -> bool:
        """Send a write to a service; return whether the answer is a 2xx."""
        invoked = await self._history.invoke(f, "http", named)
        sent_s = time.monotonic()
        try:
            answer = await self._http.request(
                method, f"{self._endpoints[service]}{path}", json=body
            )
        except httpx.ConnectError:
            self.answers.append(Answer(sent_s, time.monotonic(), None))
            await invoked.failed()
            return False
        except httpx.HTTPError:
            self.answers.append(Answer(sent_s, time.monotonic(), None))
            await invoked.unknown()
            return False
        retry_after = answer.headers.get("retry-after")
        self.answers.append(Answer(sent_s, time.monotonic(), answer.status_code, retry_after))
        await invoked.answered(answer.status_code)
        return answer.is_success

    async def over_kafka(self, f: Action, named: UUID, topic: Topic, body: Any) -> bool:
        """Send a body's record to its topic; return whether Kafka acknowledged it."""
        return await self.record(f, named, sent(topic.name, body))

    async def record(
        self, f: Action, named: UUID, record: Sent, made_at: datetime | None = None
    ) -> bool:
        """Send a record as it is; return whether Kafka acknowledged it. `made_at` is its timestamp."""
        invoked = await self._history.invoke(f, "kafka", named)
        if self._kafka is None:
            await invoked.failed()
            return False
        try:
            taken = await (await self._start(record, made_at))
        except KafkaError:
            await invoked.unknown()
            return False
        await invoked.acknowledged(taken.partition, taken.offset)
        return True

    async def burst(self, records: Sequence[tuple[UUID | None, Sent]]) -> float:
        """Send these as fast as Kafka takes them; return when the first was sent (monotonic seconds).

        An order comes with its id and is recorded in the history; a record without an id is not.
        Raises KafkaError when a record is not acknowledged.
        """
        assert self._kafka is not None, "Kafka has answered"
        noted = await asyncio.gather(
            *(self._history.invoke("place", "kafka", named) for named, _ in records if named)
        )
        began_s = time.monotonic()
        sending = [await self._start(record) for _, record in records]
        taken = await asyncio.gather(*sending)
        orders = [where for where, (named, _) in zip(taken, records, strict=True) if named]
        await asyncio.gather(
            *(
                invoked.acknowledged(where.partition, where.offset)
                for invoked, where in zip(noted, orders, strict=True)
            )
        )
        return began_s

    async def _start(
        self, record: Sent, made_at: datetime | None = None
    ) -> "asyncio.Future[RecordMetadata]":
        assert self._kafka is not None, "Kafka has answered"
        sending: asyncio.Future[RecordMetadata] = await self._kafka.send(
            record.topic,
            key=record.key,
            value=record.value,
            headers=list(record.headers),
            partition=record.partition,
            timestamp_ms=None if made_at is None else int(made_at.timestamp() * 1000),
        )
        return sending

    async def order_state(self, order_id: UUID) -> str | None:
        """An order's state as a reviewer sees it; None when it cannot be read."""
        try:
            answer = await self._http.get(f"{self._endpoints['ordering']}/orders/{order_id}")
        except httpx.HTTPError:
            return None
        return str(answer.json()["state"]) if answer.is_success else None

    async def _at_the_door(self, answer: httpx.Response) -> None:
        if answer.status_code in TURNED_AWAY:
            why = answer.headers.get("www-authenticate", "")
            request = answer.request
            self.turned_away[f"{answer.status_code} {request.method} {request.url} {why}"] += 1

    async def _connect(self) -> None:
        while self._kafka is None:
            client = AIOKafkaProducer(
                **client_options(self._endpoints["kafka"]),
                acks="all",
                enable_idempotence=True,
                request_timeout_ms=int(KAFKA_TIMEOUT_S * 1000),
            )
            try:
                await client.start()
            except KafkaError:
                await client.stop()
                await asyncio.sleep(CONNECT_EVERY_S)
            else:
                self._kafka = client
        self.connected.set()

    async def _disconnect(self, connecting: "asyncio.Task[None]") -> None:
        connecting.cancel()
        await asyncio.wait({connecting})
        if self._kafka is not None:
            await self._kafka.stop()
        if not connecting.cancelled():
            connecting.result()
