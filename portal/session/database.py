"""The portal's own database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from runtime.errors import NotReady
from runtime.postgres import migrations
from runtime.postgres.connection import Connection
from runtime.postgres.pool import Pool, open_api_pool

MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """Connections to the portal's database, once it was reachable."""

    def __init__(self) -> None:
        self._pool: Pool | None = None

    @property
    def ready(self) -> bool:
        """Whether it was reachable since the start."""
        return self._pool is not None

    async def open(self, dsn: str, owner: str | None, connections: int) -> None:
        """Migrate and connect; wait as long as the server or the database is not there."""
        wanted = migrations.read("portal", MIGRATIONS)
        self._pool = await open_api_pool(dsn, owner, wanted, connections)

    async def close(self) -> None:
        """Close all connections."""
        if self._pool is not None:
            await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection. Raises NotReady before the first, and a transient error when none is free."""
        if self._pool is None:
            raise NotReady
        async with self._pool.acquire() as db:
            yield db

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a transaction."""
        async with self.connection() as db, db.transaction():
            yield db
