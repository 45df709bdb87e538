"""The resources of a running service. Protocols, so that tests can pass fakes."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from aiokafka import TopicPartition

from runtime.audit.chain import AuditKey
from runtime.audit.entry import Entry
from runtime.audit_log import AuditLog
from runtime.errors import NotReady
from runtime.http.access import Revocations, Verifier
from runtime.http.caller import Proxies
from runtime.http.rate_limits import RateLimits
from runtime.http.tokens import TokenVerifier
from runtime.kafka.global_table import GlobalTable
from runtime.kafka.producer import Producer
from runtime.kafka.topic_pages import Page, TopicPages
from runtime.limits import Counted, Use
from runtime.messages.message import Outgoing
from runtime.messages.recent import Recent
from runtime.observability.metrics import Telemetry
from runtime.postgres import rate_limits
from runtime.postgres.audit import ChainWriter
from runtime.settings import Settings
from schemas.base import Body
from schemas.records.access import AccessRevoked, ProxyGrant
from schemas.topics import ACCESS_PROXIES, ACCESS_REVOCATIONS, Topic

T = TypeVar("T", bound=Body)
Row = TypeVar("Row", bound=Body, covariant=True)


class Sender(Protocol):
    """Publishes records from the HTTP API, one at a time."""

    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Disconnect."""

    async def ping(self) -> None:
        """Check that Kafka answers. Raises a transient error if not."""

    async def send(self, record: Outgoing) -> None:
        """Publish a record and wait until it is acknowledged. Raises NotPublished when it may not be."""


class PageReader(Protocol):
    """Reads a topic page by page."""

    async def read(self, topic: str, offset: int, at_most: int) -> Page:
        """Read records from `offset` on. Raises KafkaUnavailable while Kafka does not answer."""

    async def exists(self, topic: str) -> bool:
        """Ask Kafka whether it has this topic. Raises KafkaUnavailable while Kafka does not answer."""

    async def ranges(
        self, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, tuple[int, int]]:
        """The first and the end offset of each. Raises KafkaUnavailable while Kafka does not answer."""

    async def stop(self) -> None:
        """Disconnect."""


class GlobalTableRows(Protocol[Row]):
    """A global table: a compacted topic in memory."""

    @property
    def rows(self) -> Mapping[str, Row]:
        """The latest body by key. Always the same mapping, updated in place."""

    async def caught_up(self) -> None:
        """Wait until the topic is read up to its end offsets at the start."""

    async def follow(self) -> None:
        """Read the topic and update the rows until cancelled."""


class Connections(Protocol):
    """A connection pool of the service's database."""

    def acquire(self) -> AbstractAsyncContextManager[Any]:
        """Acquire a connection. Raises a transient error when none is free in time."""


class Audit(Protocol):
    """The audit trail of this process."""

    @property
    def chain(self) -> ChainWriter:
        """Appends to this process's chain, for the loop."""

    async def write(self, entries: Sequence[Entry]) -> None:
        """Write entries; they are on the disk when this returns."""

    async def append(self, db: Any, entries: Sequence[Entry]) -> None:
        """Append entries in the transaction of the caller, as its last statement."""

    async def announce(self, connections: Connections, sender: Sender) -> None:
        """Announce the end of the chain to Kafka, if it has grown."""


class RunningWorker(Protocol):
    """A worker that runs beside the API."""

    def problems(self) -> list[str]:
        """Reasons why the worker is not ready; empty when it is."""

    async def stop(self) -> None:
        """Finish the current batch, and leave the group."""


class Database(Protocol):
    """The connection pools of a service's database that the API and health checks use."""

    @property
    def api(self) -> Connections:
        """For requests; PostgreSQL plans queries in its default way."""

    @property
    def checks(self) -> Connections:
        """For readiness and metrics; requests cannot exhaust it."""

    async def close(self) -> None:
        """Close all connections."""


@dataclass
class Resources:
    """Resources of a running service. `database` is None until the first connection."""

    settings: Settings
    telemetry: Telemetry
    sender: Sender
    tables: Mapping[type[Body], GlobalTableRows[Any]]
    pages: PageReader
    verifier: Verifier
    """Verifies the tokens of requests."""
    audit: Audit
    database: Database | None = None
    worker: RunningWorker | None = None
    waiting_for: str = "starting"
    """The server that startup waits for; empty when startup is complete."""
    recent: Recent = field(default_factory=Recent)
    """The newest events of the topic that the service tells of."""
    limits: RateLimits = field(init=False)
    """Counts requests in the service's database."""

    def __post_init__(self) -> None:
        self.limits = RateLimits(self.settings.limits, self._count_requests)

    @property
    def api_pool(self) -> Connections:
        """The API's connection pool. Raises NotReady until the database was first reachable."""
        if self.database is None:
            raise NotReady
        return self.database.api

    @property
    def revocations(self) -> Revocations | None:
        """Whose tokens are refused; None until they are read."""
        return None if self.waiting_for else self.table(AccessRevoked).rows

    @property
    def proxies(self) -> Proxies | None:
        """Who stands in for whom; None until that is read."""
        return None if self.waiting_for else self.table(ProxyGrant).rows

    async def _count_requests(
        self, wanted: Mapping[Use, int], remove_free: bool
    ) -> Mapping[bytes, Counted]:
        async with self.api_pool.acquire() as db:
            if remove_free:
                await rate_limits.remove_free(db)
            return await rate_limits.count(db, wanted)

    def table(self, body: type[T]) -> GlobalTableRows[T]:
        """Return the global table of records with this `body`."""
        return self.tables[body]


def connect(service: str, settings: Settings, tables: Mapping[type[Body], Topic]) -> Resources:
    """Create the resources of a service. Each connects to its server later.

    Beside its own `tables` every service follows the revocations of tokens and the grants of proxies.
    """
    followed: dict[type[Body], Topic] = {
        **tables,
        AccessRevoked: ACCESS_REVOCATIONS,
        ProxyGrant: ACCESS_PROXIES,
    }
    key = AuditKey.read(settings.audit_key.get_secret_value())
    resources = Resources(
        settings,
        Telemetry(service),
        Producer(settings.kafka.get_secret_value(), f"{service}-api"),
        {
            body: GlobalTable(settings.kafka.get_secret_value(), topic, body)
            for body, topic in followed.items()
        },
        TopicPages(settings.kafka.get_secret_value()),
        TokenVerifier(settings.issuers),
        AuditLog(service, key, lambda: resources.api_pool),
    )
    return resources
