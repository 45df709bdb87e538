"""The parts of a running service, made in one place, so that a test can give others."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from aiokafka import TopicPartition

from runtime.errors import NotReady
from runtime.kafka.global_table import GlobalTable
from runtime.kafka.producer import Producer
from runtime.kafka.topic_pages import Page, TopicPages
from runtime.messages.message import Outgoing
from runtime.observability.metrics import Telemetry
from runtime.settings import Settings
from schemas.base import Body
from schemas.topics import Topic

T = TypeVar("T", bound=Body)
Row = TypeVar("Row", bound=Body, covariant=True)


class Sender(Protocol):
    """Sends what HTTP takes in: one record at a time, each acknowledged."""

    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Disconnect."""

    async def ping(self) -> None:
        """Raises a transient failure when Kafka does not answer."""

    async def send(self, record: Outgoing) -> None:
        """Returns once Kafka has the record. Raises NotPublished when it may not have it."""


class PageReader(Protocol):
    """Reads a topic page by page."""

    async def read(self, tp: TopicPartition, offset: int, at_most: int) -> Page:
        """The next records from `offset` on. Raises KafkaUnavailable while Kafka does not answer."""

    async def stop(self) -> None:
        """Disconnect."""


class GlobalTableRows(Protocol[Row]):
    """A compacted topic in memory."""

    @property
    def rows(self) -> Mapping[str, Row]:
        """The newest body of each key; always this same mapping, kept up to date."""

    async def caught_up(self) -> None:
        """Wait until everything that was on the topic at the start has been read."""

    async def follow(self) -> None:
        """Keep the rows up to date until cancelled."""


class Connections(Protocol):
    """Connections to the service's database."""

    def acquire(self) -> AbstractAsyncContextManager[Any]:
        """One of them. Raises a transient failure when none is free in time."""


class Working(Protocol):
    """A worker that runs beside the API."""

    def problems(self) -> list[str]:
        """Why it is not healthy."""

    async def stop(self) -> None:
        """Finish what is in hand, and leave the group."""


class Database(Protocol):
    """The pools of a service's database, by who uses them."""

    @property
    def api(self) -> Connections:
        """Those that requests use, with PostgreSQL's ordinary planning."""

    @property
    def checks(self) -> Connections:
        """Those of readiness and metrics, which requests cannot exhaust."""

    async def close(self) -> None:
        """Close all."""


@dataclass
class Resources:
    """What a running service has; `database` is None until it was first reachable."""

    settings: Settings
    telemetry: Telemetry
    sender: Sender
    tables: Mapping[type[Body], GlobalTableRows[Any]]
    pages: PageReader
    database: Database | None = None
    worker: Working | None = None
    waiting_for: str = "starting"
    """What the start is waiting for; empty once it is complete."""

    @property
    def api_pool(self) -> Connections:
        """The API's connections. Raises NotReady until the database was first reachable."""
        if self.database is None:
            raise NotReady
        return self.database.api

    def table(self, body: type[T]) -> GlobalTableRows[T]:
        """The in-memory copy of the compacted topic that carries `body`."""
        return self.tables[body]


def connect(service: str, settings: Settings, tables: Mapping[type[Body], Topic]) -> Resources:
    """The parts of a service on its servers, each connected once they can be reached."""
    return Resources(
        settings,
        Telemetry(service),
        Producer(settings.kafka, f"{service}-api"),
        {body: GlobalTable(settings.kafka, topic, body) for body, topic in tables.items()},
        TopicPages(settings.kafka),
    )
