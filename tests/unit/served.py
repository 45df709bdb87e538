"""A service's HTTP without servers: the app that it has in production, over parts that keep all in memory."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiokafka import TopicPartition

from runtime.app import create_app
from runtime.http.problems import unavailable
from runtime.kafka.producer import NotPublished
from runtime.kafka.topic_pages import Page
from runtime.messages.message import Outgoing
from runtime.observability.metrics import Telemetry
from runtime.resources import Connections, Resources
from runtime.service import Service
from runtime.settings import Settings

Answer = Callable[..., Sequence[Mapping[str, Any]]]
"""The rows that a statement gives for its arguments."""


@dataclass
class FakeConnections:
    """Gives connections that answer statements by `answers`, unless `fails`."""

    answers: dict[str, Answer] = field(default_factory=dict)
    fails: Exception | None = None
    outbox_age_s: float = 0.0

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["FakeConnections"]:
        if self.fails:
            raise self.fails
        yield self

    async def fetch(self, statement: str, *arguments: Any) -> Sequence[Mapping[str, Any]]:
        return self.answers[statement](*arguments)

    async def fetchrow(self, statement: str, *arguments: Any) -> Mapping[str, Any] | None:
        rows = await self.fetch(statement, *arguments)
        return rows[0] if rows else None

    async def fetchval(self, statement: str) -> object:
        """What health asks: whether the server answers, and the age of the oldest outbox row."""
        return 1 if statement == "select 1" else self.outbox_age_s


@dataclass
class FakeDatabase:
    """The pools of a service."""

    api: Connections = field(default_factory=FakeConnections)
    checks: Connections = field(default_factory=FakeConnections)

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class FakeSender:
    """Keeps what was sent; `away` is a Kafka that does not answer."""

    sent: list[Outgoing] = field(default_factory=list)
    away: bool = False

    async def start(self) -> None:
        """It is connected."""

    async def stop(self) -> None:
        """It is not connected to anything."""

    async def ping(self) -> None:
        if self.away:
            raise NotPublished("away")

    async def send(self, record: Outgoing) -> None:
        await self.ping()
        self.sent.append(record)


class NoPages:
    """Topics that cannot be read."""

    async def read(self, tp: TopicPartition, offset: int, at_most: int) -> Page:
        raise unavailable("There is no Kafka here.")

    async def stop(self) -> None:
        """Nothing is open."""


@dataclass
class FakeWorker:
    """A worker with these problems."""

    wrong: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        return self.wrong

    async def stop(self) -> None:
        """It does not run."""


@dataclass
class Served:
    """A service and its parts, as they are once it has started."""

    service: Service[Any]
    api: FakeConnections = field(default_factory=FakeConnections)
    checks: FakeConnections = field(default_factory=FakeConnections)
    sender: FakeSender = field(default_factory=FakeSender)

    def __post_init__(self) -> None:
        self.resources = Resources(
            Settings(database="postgresql://nowhere"),
            Telemetry(self.service.name),
            self.sender,
            {},
            NoPages(),
            FakeDatabase(self.api, self.checks),
            waiting_for="",
        )

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """What the service answers to a request."""
        transport = httpx.ASGITransport(
            create_app(self.service, self.resources), raise_app_exceptions=False
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, **request)
