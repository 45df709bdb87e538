"""The pause of the running service's saves."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from runtime.postgres import migrations
from runtime.rebuild import shadow


@pytest.fixture
async def gate(scratch: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to a database with the loop's tables."""
    db = await asyncpg.connect(scratch)
    await migrations.migrate(db, migrations.read("runtime", migrations.RUNTIME))
    yield db
    await db.close()


async def test_a_servers_time_out_in_a_pause_is_not_a_pause_that_took_too_long(
    gate: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    """A TimeoutError inside the pause is raised unchanged, and the pause ends."""
    with pytest.raises(TimeoutError):
        async with shadow.paused(gate):
            raise TimeoutError
    assert not gate.is_in_transaction()
