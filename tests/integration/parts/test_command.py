"""`herhaal parts` on a running stack: old rows get parts, and are detached; young ones are refused."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.console import UserError
from deploy.local import LocalStack
from runtime.dsn import database_dsn
from runtime.postgres.connection import Connection
from runtime.postgres.parts import first_to_keep
from schemas import topics
from schemas.records.operators import OperatorParts
from services.notification import reads_store
from tests.harness.database import connected
from tests.harness.kafka import header, read_all
from tests.integration.operator import Said, herhaal, plain
from tests.integration.parts.orders import LONG_AGO

ORDER = """
with added as (insert into order_ids values ($1, $2)), line as (
    insert into order_lines
    values ($1, 1, '01999001', '02999001', 'pat_anna0001', '1007', 'approved', 'approved', null, $2)
)
insert into orders (order_id, patient, practice, state, placed_at, digest, body)
values ($1, 'pat_anna0001', '01999001', 'approved', $2, 'digest', '{}')
"""
MESSAGE = """
insert into messages (message_id, patient, order_id, template, template_version, at, facts)
values ($1, 'pat_anna0001', $1, 'order-answer', 1, $2, '{}')
"""
CLEAN = "drop schema if exists detached cascade"


@pytest.fixture
async def ordering(stack: LocalStack) -> AsyncIterator[Connection]:
    """Connect to ordering's database as administrator; nothing old is left behind."""
    async with connected(database_dsn(stack.postgres, "ordering")) as db:
        yield db
        await db.execute(CLEAN)


@pytest.fixture
async def notification(stack: LocalStack) -> AsyncIterator[Connection]:
    """Connect to notification's database as administrator; nothing old is left behind."""
    async with connected(database_dsn(stack.postgres, "notification")) as db:
        yield db
        await db.execute(CLEAN)


async def run(stack: LocalStack, *arguments: str) -> Said:
    """Run `herhaal parts` against the stack's PostgreSQL, a part of it without Kafka."""
    said = await asyncio.to_thread(
        CliRunner().invoke,
        app,
        ["parts", *arguments, "--postgres", stack.postgres],
        env={"COLUMNS": "300"},
    )
    return Said(said.output, said.exit_code, said.exception)


async def detach(stack: LocalStack, service: str, before: str, *options: str) -> Said:
    """Run `herhaal parts detach`."""
    asked = ("--service", service, "--before", before, "--postgres", stack.postgres)
    return await herhaal(stack, "parts", "detach", *asked, *options)


async def test_old_orders_get_a_part_and_are_detached_and_that_is_audited(
    stack: LocalStack, ordering: Connection
) -> None:
    """Given an order of 2005, and the service running; then its month goes, and nothing younger."""
    old, why = uuid4(), f"as agreed {uuid4()}"
    await ordering.execute(ORDER, old, LONG_AGO)
    count = "select count(*) from orders"
    before = await ordering.fetchval(count)

    listed = await run(stack, "list", "--service", "ordering")
    assert "ordering: 1 rows of orders are in no month's part" in listed.text
    made = await run(stack, "make", "--service", "ordering")
    assert "ordering: order_lines_2005_03, orders_2005_03" in made.text
    assert "ordering orders 2005-03 orders_2005_03" in plain((await run(stack, "list")).text)

    tried = await detach(stack, "ordering", "2005-04", "--dry-run")
    assert (tried.code, "Nothing is detached" in tried.text) == (0, True)
    assert await ordering.fetchval(count) == before

    done = await detach(stack, "ordering", "2005-04", "--yes", "--by", "op-1", "--why", why)
    assert done.code == 0, done
    assert "2005-03: orders_2005_03, order_lines_2005_03, order_ids_2005_03 are in the" in done.text
    assert await ordering.fetchval(count) == before - 1
    assert await ordering.fetchval("select order_id from detached.orders_2005_03") == old
    assert await audited(stack, why) == [("asked", "2005-04", 2), ("detached", "2005-04", 2)]
    again = await detach(stack, "ordering", "2005-04", "--yes")
    assert (again.code, "ordering has no part before 2005-04" in again.text) == (0, True)


async def audited(stack: LocalStack, why: str) -> list[tuple[str, str, int]]:
    """Return what the audit has of detachments for this reason."""
    records = await read_all(stack.kafka, topics.OPERATORS_AUDIT.name)
    done = [
        OperatorParts.model_validate_json(r.value)
        for r in records
        if header(r, "ce_type") == OperatorParts.ce_type()
    ]
    return [(d.result, d.before, d.parts) for d in done if d.why == why and d.by == "op-1"]


async def test_old_messages_go_with_what_was_read_of_them(
    stack: LocalStack, notification: Connection
) -> None:
    old = uuid4()
    await notification.execute(MESSAGE, old, LONG_AGO)
    assert await reads_store.mark(notification, "pat_anna0001", old, datetime.now(UTC))
    await run(stack, "make", "--service", "notification")
    done = await detach(stack, "notification", "2006-01", "--yes")
    assert done.code == 0, done
    assert await kept(notification, "messages_2005_03") == [old]
    assert await kept(notification, "message_reads_2005_03") == [old]
    reads = "select count(*) from message_reads where message_id = $1"
    assert await notification.fetchval(reads, old) == 0


async def kept(db: Connection, table: str) -> list[UUID]:
    """Return the ids of the messages in a detached table."""
    rows = await db.fetch(f"select message_id from detached.{table}")
    return [row["message_id"] for row in rows]


async def test_a_month_that_the_law_asks_to_keep_is_refused(stack: LocalStack) -> None:
    first = first_to_keep(datetime.now(UTC))
    refused = await detach(stack, "ordering", str(first.plus(1)), "--yes")
    assert isinstance(refused.error, UserError)
    assert "A medical file is kept for 20 years" in str(refused.error)
    assert f"--before is at most {first}" in str(refused.error)
    allowed = await detach(stack, "ordering", str(first), "--yes")
    assert (allowed.code, "ordering has no part before" in allowed.text) == (0, True)


async def test_parts_are_left_alone_while_a_rebuild_runs(
    stack: LocalStack, ordering: Connection
) -> None:
    await ordering.execute("select pg_advisory_lock($1)", 0x72656275696C64)
    try:
        refused = await run(stack, "make", "--service", "ordering")
    finally:
        await ordering.execute("select pg_advisory_unlock($1)", 0x72656275696C64)
    assert isinstance(refused.error, UserError)
    assert "a rebuild of it runs" in str(refused.error)


async def test_metrics_say_for_how_many_coming_months_there_are_parts(
    stack: LocalStack, http: httpx.AsyncClient
) -> None:
    async def shown(service: str) -> list[str]:
        text = (await http.get(f"{stack.endpoints[service]}/metrics")).text
        return [line for line in text.splitlines() if line.startswith("herhaal_months_ahead{")]

    assert await shown("ordering") == ['herhaal_months_ahead{service="ordering"} 6.0']
    assert await shown("notification") == ['herhaal_months_ahead{service="notification"} 6.0']
    assert await shown("medication") == []
