"""Every statement of a service finds its rows by key, also with a plan made while the tables were empty."""

from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from typing import Any

import asyncpg
import orjson
import pytest

from runtime.postgres import migrations, outbox, progress, timers
from runtime.postgres.connection import Connection
from runtime.postgres.statements import join_statements
from schemas.topics import SERVICES
from tests.harness.database import migrated_pool

WHOLE = {
    "kafka": "one row",
    "outbox": "emptied all the time",
    "progress": "a row for each partition",
}
"""Tables that a statement may read whole, and why."""

STORES = {
    "ordering": ("reviews.store",),
    "notification": ("reads_store", "preferences.store"),
}
"""Modules with statements beside a service's `store`."""

OF_A_REBUILD = (
    *("_COMPARE", "_PREPARE", "_BUILD", "_KEEP", "_NOT_STORED", "_UNPROMISED", "_SAVE_FACTS"),
    *("_NOTE_UNPROMISED", "_HAS_UNPROMISED", "_START_IDS_AFTER"),
)
"""Prefixes of statements that compare or copy whole tables on purpose."""

COUNTS = ("_COUNT",)
"""Prefixes of statements that count what waits: by a partial index, or in a table that is small."""

NO_PART = ("_RAISE_EPOCHS", "_RESET", "_STORE_FIRST_CLUSTER", "_SET_CLUSTER", "_DUE_TIMERS")
"""Statements that are never joined to a batch: they return rows, or run before the first batch."""


# asyncpg would bind values, which the planner then takes for constants: `= null` finds no row at all.
_PLAN_OF = """
create or replace function pg_temp.plan_of(sql text) returns json language plpgsql as $$
declare plan json;
begin
    execute 'explain (generic_plan, format json) ' || sql into plan;
    return plan;
end $$
"""


@pytest.fixture(params=SERVICES)
async def service(
    request: pytest.FixtureRequest, scratch: str
) -> AsyncIterator[tuple[str, "asyncpg.Pool[Any]"]]:
    """Return a service's name, and its loop pool on an empty database."""
    own = import_module(f"services.{request.param}.app").SERVICE.migrations
    wanted = [
        *migrations.read("runtime", migrations.RUNTIME),
        *migrations.read(request.param, own),
    ]
    async with await migrated_pool(scratch, wanted) as pool:
        # As autovacuum does after the first rows.
        await pool.execute("analyze")
        yield request.param, pool


def statements(module: object) -> dict[str, str]:
    """Return the statements of a module, by name."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, str) and name.startswith("_") and name.isupper()
        if not name.startswith(OF_A_REBUILD + COUNTS)
    }


def of_service(name: str) -> dict[str, str]:
    """Return the statements of a service and of its loop, by name."""
    loops = statements(progress) | statements(outbox) | statements(timers)
    own = {
        key: sql
        for store in stores_of(name)
        for key, sql in statements(import_module(store)).items()
    }
    return own | loops | {"ADVANCE": progress.ADVANCE}


def stores_of(name: str) -> list[str]:
    """Return the modules of a service that hold its SQL."""
    return [f"services.{name}.{store}" for store in ("store", *STORES.get(name, ()))]


async def plan_of(db: Connection, sql: str) -> dict[str, Any]:
    """Return the generic plan of a statement, in which no value of a parameter is known."""
    await db.execute(_PLAN_OF)
    (found,) = orjson.loads(await db.fetchval("select pg_temp.plan_of($1)", sql))
    plan: dict[str, Any] = found["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a plan's nodes, the plan itself first."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def read_whole(plan: dict[str, Any]) -> list[str]:
    """Return the scans of a plan that read a whole table or index."""
    return [
        f"{node['Node Type']} on {node.get('Relation Name', node.get('Index Name'))}"
        for node in nodes(plan)
        if "Scan" in node["Node Type"] and {"Relation Name", "Index Name"} & node.keys()
        if "Index Cond" not in node and node["Node Type"] not in ("Bitmap Heap Scan", "Tid Scan")
        if node.get("Relation Name") not in WHOLE
    ]


def test_each_exception_is_of_a_statement_that_exists() -> None:
    stores = [import_module(store) for name in SERVICES for store in stores_of(name)]
    names = {name for module in (progress, outbox, timers, *stores) for name in vars(module)}
    for exception in (*OF_A_REBUILD, *COUNTS, *NO_PART):
        assert any(name.startswith(exception) for name in names), exception


async def test_no_statement_reads_a_whole_table(
    service: tuple[str, "asyncpg.Pool[Any]"],
) -> None:
    """Given empty tables; then each generic plan uses an index."""
    name, pool = service
    found = of_service(name)
    assert len(found) > 15
    async with pool.acquire() as db:
        for statement, sql in found.items():
            plan = await plan_of(db, sql)
            assert read_whole(plan) == [], f"{statement}: {orjson.dumps(plan).decode()}"


async def test_a_batch_in_one_statement_finds_its_rows_by_key(
    service: tuple[str, "asyncpg.Pool[Any]"],
) -> None:
    """Given a small batch's statements, joined with its progress into one; then no part reads a whole table."""
    name, pool = service
    found = of_service(name)
    parts = [
        sql
        for statement, sql in found.items()
        if sql.split()[0] in ("insert", "update", "delete") and statement not in NO_PART
    ]
    assert len(parts) > 3
    sql = join_statements(progress.ADVANCE, progress.ADVANCE_PARAMETERS, *parts)
    async with pool.acquire() as db:
        assert read_whole(await plan_of(db, sql)) == []
