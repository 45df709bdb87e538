"""Rate limits on a real PostgreSQL: GCRA as one upsert, for all sessions together."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from runtime.limits import Limit, Use
from runtime.postgres.connection import Connection
from runtime.postgres.rate_limits import count, remove_free
from tests.harness.database import ServiceDatabase, connected

TEN = Limit(10, 100)
"""Ten at once, and one more in each 10 seconds."""

ANNA, BERT = Use(b"anna", "person", TEN), Use(b"bert", "person", TEN)


@pytest.fixture
async def db(migrated: ServiceDatabase) -> AsyncIterator[Connection]:
    """A session of the service's role."""
    async with connected(migrated.runtime) as session:
        yield session


async def admitted(db: Connection, use: Use, requests: int) -> int:
    """Count so many requests at once; return how many are admitted."""
    return (await count(db, {use: requests}))[use.key].admitted


async def wait(db: Connection, seconds: float) -> None:
    """Let time pass, as the database's clock sees it: all that was is longer ago."""
    await db.execute("update rate_limits set free_at = free_at - $1::float8", seconds)


async def test_a_quota_can_be_used_at_once_and_is_free_again_step_by_step(db: Connection) -> None:
    assert await admitted(db, ANNA, 7) == 7
    assert await admitted(db, ANNA, 7) == 3
    assert await admitted(db, ANNA, 1) == 0
    await wait(db, 10)
    assert [await admitted(db, ANNA, 1) for _ in range(2)] == [1, 0]
    await wait(db, 35)
    assert await admitted(db, ANNA, 9) == 3


async def test_who_was_quiet_for_long_has_one_quota_and_no_more(db: Connection) -> None:
    await admitted(db, ANNA, 10)
    await wait(db, 10_000)
    assert await admitted(db, ANNA, 30) == 10


async def test_refused_requests_do_not_make_the_wait_longer(db: Connection) -> None:
    await admitted(db, ANNA, 10)
    for _ in range(50):
        assert await admitted(db, ANNA, 5) == 0
    await wait(db, 10)
    assert await admitted(db, ANNA, 1) == 1


async def test_one_statement_counts_for_several(db: Connection) -> None:
    await admitted(db, ANNA, 8)
    found = await count(db, {ANNA: 5, BERT: 5})
    assert (found[b"anna"].admitted, found[b"bert"].admitted) == (2, 5)
    assert found[b"anna"].busy_s == pytest.approx(100, abs=1)
    assert found[b"bert"].busy_s == pytest.approx(50, abs=1)


async def test_sessions_that_count_at_the_same_time_admit_one_quota_together(
    migrated: ServiceDatabase,
) -> None:
    async def session() -> int:
        async with connected(migrated.runtime) as db:
            found = [await count(db, {ANNA: 1, BERT: 2}) for _ in range(20)]
        return sum(one[b"anna"].admitted for one in found)

    assert sum(await asyncio.gather(*(session() for _ in range(5)))) == 10


async def test_a_limit_that_is_changed_holds_for_the_next_request(db: Connection) -> None:
    await admitted(db, ANNA, 10)
    assert await admitted(db, Use(b"anna", "person", Limit(40, 200)), 30) == 20


async def test_only_rows_that_say_nothing_any_more_are_removed(db: Connection) -> None:
    await count(db, {ANNA: 1, BERT: 5})
    await wait(db, 20)
    await remove_free(db)
    assert await db.fetchval("select array_agg(key) from rate_limits") == [b"bert"]


async def test_a_row_that_another_session_counts_is_left_for_the_next_time(
    migrated: ServiceDatabase, db: Connection
) -> None:
    await admitted(db, ANNA, 1)
    await wait(db, 20)
    async with connected(migrated.runtime) as other, other.transaction():
        await admitted(other, ANNA, 1)
        async with asyncio.timeout(2):
            await remove_free(db)
    assert await db.fetchval("select count(*) from rate_limits") == 1


async def test_counting_writes_no_log_so_a_crash_of_the_server_forgets_the_counts(
    db: Connection,
) -> None:
    kind = await db.fetchval("select relpersistence from pg_class where relname = 'rate_limits'")
    assert kind == b"u", "unlogged"
