"""A pause of the running service's saves ends in time, and says why."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from runtime.postgres import migrations
from runtime.rebuild import shadow


@pytest.fixture
async def gate(scratch: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to a database with progress."""
    db = await asyncpg.connect(scratch)
    await migrations.migrate(db, migrations.read("runtime", migrations.RUNTIME))
    yield db
    await db.close()


async def test_a_server_that_is_silent_in_a_pause_is_not_taken_for_a_pause_that_is_too_long(
    gate: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    """Given Kafka's own time-out inside the pause; then it is raised as it is, and the pause ends."""
    with pytest.raises(TimeoutError):
        async with shadow.paused(gate):
            raise TimeoutError
    assert not gate.is_in_transaction()
