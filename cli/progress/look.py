"""Where a service stands in each partition, held against what Kafka has."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module

import asyncpg

from cli.console import UserError
from runtime.consistency import cluster
from runtime.consistency.cluster import Belonging, Reads
from runtime.postgres.connection import Connection
from verify.gather import database_dsn

_HAS_STARTED = "select to_regclass('progress') is not null"


@dataclass(frozen=True)
class Found:
    """How a service stands."""

    service: str
    belonging: Belonging

    @property
    def fits(self) -> bool:
        """Whether it can run."""
        return not self.belonging.misfits


async def look(kafka: str, db: Connection, service: str) -> Found:
    """Hold a service's database against Kafka.

    Raises:
        UserError: it has never started.
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: a server is away, or refuses.
    """
    if not await db.fetchval(_HAS_STARTED):
        raise UserError("The service has never started: it has no stored offsets yet.")
    handlers = import_module(f"services.{service}.handlers")
    reads = Reads(handlers.INPUTS, getattr(handlers, "OUTPUT_TOPIC", None))
    return Found(service, await cluster.look(kafka, db, reads))


@asynccontextmanager
async def database(postgres: str, service: str) -> AsyncIterator[Connection]:
    """A service's own database, as an administrator."""
    db = await asyncpg.connect(
        database_dsn(postgres, service),
        timeout=10,
        server_settings={"application_name": "progress"},
    )
    try:
        yield db
    finally:
        await db.close()
