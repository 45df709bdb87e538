"""A service's HTTP API without servers: the production app over parts in memory."""

import math
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack
from uuid import uuid4

import httpx
from aiokafka import TopicPartition
from pydantic import SecretStr

from deploy.local.issuer.people import TokenScope, claims_of
from runtime.app import create_app
from runtime.audit.chain import AuditKey
from runtime.audit.entry import Entry
from runtime.errors import KafkaUnavailable
from runtime.http.access import Verifier
from runtime.http.problems import unavailable
from runtime.http.tokens import Verified
from runtime.issuers import Issuer
from runtime.kafka.producer import NotPublished
from runtime.kafka.topic_pages import Page
from runtime.keyring import Keyring
from runtime.messages.message import Outgoing
from runtime.observability.metrics import Telemetry
from runtime.postgres import rate_limits
from runtime.postgres.audit import ChainWriter
from runtime.resources import Connections, Resources
from runtime.service import Service
from runtime.settings import Settings
from samples.callers import Permitted
from schemas.access import Claims, Party
from schemas.base import Body
from schemas.records.access import AccessRevoked, ProxyGrant

AN_ISSUER = Issuer("https://login.example.org", "https://login.example.org/jwks", "herhaal")

AN_AUDIT_KEY = SecretStr("ab" * 32)

Answer = Callable[..., Sequence[Mapping[str, Any]]]
"""Returns the rows of a statement for its arguments."""


@dataclass
class FakeConnections:
    """Gives connections that answer a statement by `answers`, or raises `fails`; every request is admitted."""

    answers: dict[str, Answer] = field(default_factory=dict)
    fails: Exception | None = None
    outbox_age_s: float = 0.0

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["FakeConnections"]:
        if self.fails:
            raise self.fails
        yield self

    async def fetch(self, statement: str, *arguments: Any) -> Sequence[Mapping[str, Any]]:
        if statement == rate_limits.COUNT:
            return [
                {"key": key, "admitted": n, "busy_s": 0.0}
                for key, n, *_ in zip(*arguments, strict=True)
            ]
        return self.answers[statement](*arguments)

    async def fetchrow(self, statement: str, *arguments: Any) -> Mapping[str, Any] | None:
        rows = await self.fetch(statement, *arguments)
        return rows[0] if rows else None

    @asynccontextmanager
    async def transaction(self, **_: bool) -> AsyncIterator[None]:
        yield

    async def fetchval(self, statement: str) -> object:
        """Answer the health checks: the ping, and the age of the oldest outbox row in seconds."""
        return 1 if statement == "select 1" else self.outbox_age_s


@dataclass
class FakeDatabase:
    """The API's and the checks' pools of a service."""

    api: Connections = field(default_factory=FakeConnections)
    checks: Connections = field(default_factory=FakeConnections)

    async def close(self) -> None:
        """Do nothing."""


@dataclass
class FakeSender:
    """Keeps the records that were sent; with `away`, Kafka does not answer."""

    sent: list[Outgoing] = field(default_factory=list)
    away: bool = False

    async def start(self) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Do nothing."""

    async def ping(self) -> None:
        if self.away:
            raise NotPublished("away")

    async def send(self, record: Outgoing) -> None:
        await self.ping()
        self.sent.append(record)


@dataclass
class FakeAudit:
    """Keeps the entries that were written, with `fails` as a database that is away."""

    entries: list[Entry] = field(default_factory=list)
    fails: Exception | None = None
    chain: ChainWriter = field(default_factory=lambda: ChainWriter(uuid4(), AuditKey(bytes(32))))

    async def write(self, entries: Sequence[Entry]) -> None:
        if self.fails and entries:
            raise self.fails
        self.entries += entries

    async def append(self, db: Any, entries: Sequence[Entry]) -> None:
        await self.write(entries)

    async def announce(self, connections: Any, sender: Any) -> None:
        """Do nothing."""


class FakeTable:
    """A directory without entries."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}

    async def caught_up(self) -> None:
        """Do nothing."""

    async def follow(self) -> None:
        """Do nothing."""


class NoPages:
    """A page reader without Kafka."""

    async def read(self, topic: str, offset: int, at_most: int) -> Page:
        raise unavailable("There is no Kafka here.")

    async def exists(self, topic: str) -> bool:
        raise unavailable("There is no Kafka here.")

    async def ranges(
        self, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, tuple[int, int]]:
        raise KafkaUnavailable

    async def stop(self) -> None:
        """Do nothing."""


@dataclass
class FakeWorker:
    """A worker with the given problems."""

    wrong: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        return self.wrong

    async def stop(self) -> None:
        """Do nothing."""


def claimed(role: Party, **scope: Unpack[TokenScope]) -> str:
    """A token that `Believing` believes: the claims, unsigned."""
    return claims_of(role, **scope).model_dump_json()


class Believing:
    """Believes what a token says."""

    async def verify(self, token: str) -> Verified:
        return Verified(
            Claims.model_validate_json(token), issued_at=time.time(), expires_at=math.inf
        )


@dataclass
class Served:
    """A service and its parts, as after its start."""

    service: Service[Any]
    api: FakeConnections = field(default_factory=FakeConnections)
    checks: FakeConnections = field(default_factory=FakeConnections)
    sender: FakeSender = field(default_factory=FakeSender)
    verifier: Verifier = field(default_factory=Believing)
    audit: FakeAudit = field(default_factory=FakeAudit)
    tokens: httpx.Auth | None = field(default_factory=lambda: Permitted(claimed))
    """Makes the token of a request that has none: of somebody who may send it. With None there is none."""

    def __post_init__(self) -> None:
        followed: list[type[Body]] = [*self.service.tables, AccessRevoked, ProxyGrant]
        self.tables = {body: FakeTable() for body in followed}
        self.resources = Resources(
            _settings(self.service),
            Telemetry(self.service.name),
            self.sender,
            self.tables,
            NoPages(),
            self.verifier,
            self.audit,
            FakeDatabase(self.api, self.checks),
            waiting_for="",
        )
        self.app = create_app(self.service, self.resources)

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request to the service's app."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test", auth=self.tokens
        ) as client:
            return await client.request(method, path, **request)


def _settings(service: Service[Any]) -> Settings:
    own: dict[str, Any] = {}
    if "people_keys" in service.settings.model_fields:
        secret = Keyring(()).with_new_pair().to_json()
        own = {"people_keys": Path("/nowhere"), "people_secret": secret}
    return service.settings(
        database=SecretStr("postgresql://nobody@127.0.0.1:1/none"),
        issuers=(AN_ISSUER,),
        audit_key=AN_AUDIT_KEY,
        **own,
    )
