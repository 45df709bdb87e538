"""Checks a service's stored offsets against Kafka."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module

import asyncpg

from cli.console import UserError
from runtime.consistency import cluster
from runtime.consistency.cluster import ClusterCheck, ServiceTopics
from runtime.dsn import database_dsn
from runtime.kafka.global_table import read_table
from runtime.loop.inputs import Inputs
from runtime.postgres.connection import Connection
from runtime.postgres.sessions import OPERATOR_SESSION
from schemas.records.directory import System
from schemas.topics import DIRECTORY_SYSTEMS

_HAS_STARTED = "select to_regclass('progress') is not null"


@dataclass(frozen=True)
class ServiceProgress:
    """The cluster check of one service."""

    service: str
    check: ClusterCheck

    @property
    def fits(self) -> bool:
        """Whether it can run."""
        return not self.check.misfits


async def check_progress(kafka: str, db: Connection, service: str) -> ServiceProgress:
    """Check a service's database against Kafka.

    Raises:
        UserError: the service has never started.
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: a server is unavailable or refuses.
    """
    if not await db.fetchval(_HAS_STARTED):
        raise UserError("The service has never started: it has no stored offsets yet.")
    handlers = import_module(f"services.{service}.handlers")
    systems = await read_table(kafka, DIRECTORY_SYSTEMS, System)
    inputs = Inputs(handlers.INPUTS, systems).topics
    topics = ServiceTopics(inputs, getattr(handlers, "OUTPUT_TOPIC", None))
    return ServiceProgress(service, await cluster.check_cluster(kafka, db, topics))


@asynccontextmanager
async def database(postgres: str, service: str) -> AsyncIterator[Connection]:
    """Connect to a service's database as administrator."""
    db = await asyncpg.connect(
        database_dsn(postgres, service),
        timeout=10,
        server_settings=OPERATOR_SESSION | {"application_name": "progress"},
    )
    try:
        yield db
    finally:
        await db.close()
