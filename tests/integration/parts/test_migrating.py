"""Tables with rows of before are parted by the migration, as a service's owner, and no row is lost."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module

import asyncpg
import pytest

from runtime.postgres.connection import Connection
from runtime.postgres.migrations import RUNTIME, Migration, migrate, read
from runtime.postgres.months import Month
from runtime.postgres.parts import AHEAD
from tests.harness.database import ServiceDatabase, connected, require_roles, start
from tests.integration.parts.orders import DECEMBER, LONG_AGO, NOVEMBER

ORDERS = """
insert into orders (order_id, patient, practice, state, placed_at, digest, body)
select uuidv7(), 'pat_anna0001', '01999001', 'approved', at, 'digest', '{"lines": [1]}'
from unnest($1::timestamptz[]) as at
"""
LINES = """
insert into order_lines (
    order_id, line, practice, pharmacy, patient, prk, outcome, state, due, placed_at
)
select order_id, line, practice, '02999001', patient, '1007', 'review', state, null, placed_at
from orders cross join generate_series(1, 2) as line
"""
MESSAGES = """
insert into messages (message_id, patient, order_id, template, template_version, at, facts)
select uuidv7(), 'pat_anna0001', uuidv7(), 'order-answer', 1, at, '{}' from unnest($1::timestamptz[]) as at
"""
TIMES = [DECEMBER, NOVEMBER, LONG_AGO, NOVEMBER]
ORDER_ROWS = (
    "select order_id, patient, practice, state, placed_at, digest, body from orders order by 1"
)
LINE_ROWS = "select * from order_lines order by order_id, line"
MESSAGE_ROWS = "select * from messages order by id"


def up_to(service: str, name: str) -> Sequence[Migration]:
    """Return a service's migrations before the one with this file name."""
    folder = import_module(f"services.{service}.app").SERVICE.migrations
    before = [m for m in read(service, folder) if m.name < f"{service}/{name}"]
    return [*read("runtime", RUNTIME), *before]


def all_of(service: str) -> Sequence[Migration]:
    """Return a service's migrations."""
    return up_to(service, "9")


async def by_part(db: Connection, table: str) -> dict[str, int]:
    """Return how many rows each part of a table has."""
    query = f"select tableoid::regclass::text as part, count(*) as rows from {table} group by 1"
    return {row["part"]: row["rows"] for row in await db.fetch(query)}


async def test_orders_of_before_are_in_the_parts_of_their_months(scratch: str) -> None:
    async with connected(scratch) as db:
        await migrate(db, up_to("ordering", "0012"))
        await db.execute(ORDERS, TIMES)
        await db.execute(LINES)
        before = [await db.fetch(query) for query in (ORDER_ROWS, LINE_ROWS)]
        await migrate(db, all_of("ordering"))
        assert [await db.fetch(query) for query in (ORDER_ROWS, LINE_ROWS)] == before
        rows = {"2005_03": 1, "2026_11": 2, "2026_12": 1}
        assert await by_part(db, "orders") == {f"orders_{m}": n for m, n in rows.items()}
        assert await by_part(db, "order_lines") == {
            f"order_lines_{m}": 2 * n for m, n in rows.items()
        }
        ids = "select order_id, placed_at from {} order by order_id"
        assert await db.fetch(ids.format("order_ids")) == await db.fetch(ids.format("orders"))


async def test_messages_of_before_keep_their_places_and_new_ones_come_after(scratch: str) -> None:
    async with connected(scratch) as db:
        await migrate(db, up_to("notification", "0006"))
        await db.execute(MESSAGES, TIMES)
        before = await db.fetch(MESSAGE_ROWS)
        await migrate(db, all_of("notification"))
        assert await db.fetch(MESSAGE_ROWS) == before
        assert await by_part(db, "messages") == {
            "messages_2005_03": 1,
            "messages_2026_11": 2,
            "messages_2026_12": 1,
        }
        await db.execute(MESSAGES, [NOVEMBER])
        last = (await db.fetch(MESSAGE_ROWS))[-1]
        assert (last["id"] > before[-1]["id"], last["at"]) == (True, NOVEMBER)


async def test_a_message_is_not_stored_twice(scratch: str) -> None:
    """Given the same event's message again, which has the same id and time; then PostgreSQL refuses it."""
    async with connected(scratch) as db:
        await migrate(db, all_of("notification"))
        await db.execute(MESSAGES, [NOVEMBER])
        again = "insert into messages (message_id, patient, order_id, template, template_version, at, facts)"
        with pytest.raises(asyncpg.UniqueViolationError):
            await db.execute(
                f"{again} select message_id, patient, order_id, template, template_version, at, facts"
                " from messages"
            )


async def test_a_start_makes_parts_as_the_owner_which_the_service_may_not(
    database: ServiceDatabase,
) -> None:
    """Given a start; then there are parts for the coming months, granted by row, and the service makes none."""
    await start(database.runtime, database.owner)
    await start(database.runtime)
    now = Month.of(datetime.now(UTC))
    async with connected(database.admin) as admin:
        await require_roles(admin, database.name)
        for months in range(AHEAD + 1):
            month = now.plus(months)
            part = f"orders_{month.year}_{month.month:02}"
            assert await admin.fetchval("select to_regclass($1) is not null", part), part
    async with connected(database.runtime) as runtime:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await runtime.execute("select make_part('orders', '2005-03-01')")
