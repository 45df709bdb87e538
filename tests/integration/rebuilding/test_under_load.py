"""Rebuilds while orders are placed: the services stay correct, also when the rebuild fails."""

import asyncio
import os
import signal
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.local import LocalStack, free_ports
from tests.harness.kafka import eventually
from tests.integration.rebuilding.command import (
    at_rest,
    database,
    ordering,
    patients,
    rebuild,
    started,
    violations,
)

PER_S = 100


async def test_rebuilds_under_load_find_no_difference_and_cause_no_violation(
    stack: LocalStack, tmp_path: Path
) -> None:
    of = await patients(stack, 20)
    async with ordering(stack, of, PER_S) as placed:
        await asyncio.sleep(1)
        for service in ("metrics", "notification", "ordering", "metrics"):
            before = len(placed)
            rebuilt = await rebuild(stack, service, tmp_path)
            assert rebuilt.said.code == 0, rebuilt.said
            assert rebuilt.figures["switched"]
            assert {rebuilt.difference(table) for table in rebuilt.figures["tables"]} == {(0, 0, 0)}
            assert len(placed) > before
        await asyncio.sleep(1)
    assert await violations(stack) == []


async def test_both_workers_of_a_service_continue_with_the_new_tables(
    stack: LocalStack, tmp_path: Path
) -> None:
    second = await stack.add_service(
        "metrics", instance="metrics-2", port=free_ports().base, only="worker"
    )
    try:
        await second.ready(60)
        of = await patients(stack, 20)
        async with ordering(stack, of, PER_S):
            await asyncio.sleep(1)
            rebuilt = await rebuild(stack, "metrics", tmp_path)
            assert rebuilt.said.code == 0, rebuilt.said
            await asyncio.sleep(1)
        assert await violations(stack) == []
    finally:
        await stack.stop("metrics-2")


async def test_a_rebuild_killed_before_its_switch_leaves_the_running_tables_unchanged(
    stack: LocalStack, tmp_path: Path
) -> None:
    of = await patients(stack, 10)
    async with database(stack, "metrics") as db:
        running = await db.fetchval(_TABLE)
        async with ordering(stack, of, PER_S), db.transaction():
            # A long reader blocks the switch.
            await db.fetch("select from daily_orders limit 1")
            killed = await started(stack, "metrics")
            await eventually(lambda: _is_built(stack), bool)
            os.kill(killed.pid, signal.SIGKILL)
            await killed.wait()
            await asyncio.sleep(1)
        assert await db.fetchval(_TABLE) == running
        assert await violations(stack) == []
        assert await db.fetchval("select to_regnamespace('rebuild') is not null")

        rebuilt = await rebuild(stack, "metrics", tmp_path)

        assert rebuilt.said.code == 0, rebuilt.said
        assert not await db.fetchval("select to_regnamespace('rebuild') is not null")
        assert await db.fetchval(_TABLE) != running
    assert await violations(stack) == []


async def test_the_processes_of_a_killed_rebuild_end(stack: LocalStack, tmp_path: Path) -> None:
    of = await patients(stack, 20)
    async with ordering(stack, of, PER_S):
        await asyncio.sleep(1)
    await at_rest(stack)
    killed = await started(stack, "metrics", "--processes", "2", "--compare-only")
    parts = await eventually(lambda: _parts_of(killed.pid), lambda found: len(found) == 2)
    os.kill(killed.pid, signal.SIGKILL)
    await killed.wait()
    _, alive = await asyncio.to_thread(psutil.wait_procs, parts, timeout=10)
    assert alive == []
    assert (await rebuild(stack, "metrics", tmp_path)).said.code == 0


async def _parts_of(pid: int) -> list[psutil.Process]:
    children = psutil.Process(pid).children()
    return [child for child in children if "runtime.rebuild.part" in child.cmdline()]


async def test_an_interrupted_rebuild_drops_its_tables(stack: LocalStack) -> None:
    await patients(stack, 1)
    async with database(stack, "metrics") as db:
        running = await db.fetchval(_TABLE)
        async with db.transaction():
            await db.fetch("select from daily_orders limit 1")
            interrupted = await started(stack, "metrics")
            await eventually(lambda: _is_built(stack), bool)
            interrupted.send_signal(signal.SIGINT)
            output, _ = await interrupted.communicate()
        assert interrupted.returncode != 0
        assert b"Traceback" not in output
        assert await db.fetchval(_TABLE) == running
        assert not await db.fetchval("select to_regnamespace('rebuild') is not null")


_TABLE = "select 'counted_orders'::regclass::oid"


async def _is_built(stack: LocalStack) -> bool:
    """Whether the new tables are analyzed, which follows the comparison."""
    async with database(stack, "metrics") as db:
        found: bool = await db.fetchval(
            """
            select exists (select from pg_stat_user_tables
                where schemaname = 'rebuild' and relname = 'counted_orders' and last_analyze is not null)
            """
        )
        return found


async def test_http_readers_are_answered_during_a_rebuild(
    stack: LocalStack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    (patient,) = await patients(stack, 1)
    url = f"{stack.endpoints['notification']}/patients/{patient}/messages"
    async with ordering(stack, [patient], PER_S):
        await asyncio.sleep(1)
    await at_rest(stack)
    whole = (await http.get(url, params={"limit": 200})).json()["messages"]
    assert len(whole) > 20
    reading = asyncio.create_task(_read_repeatedly(http, url, [m["message_id"] for m in whole]))
    for _ in range(2):
        assert (await rebuild(stack, "notification", tmp_path)).said.code == 0
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def _read_repeatedly(http: httpx.AsyncClient, url: str, whole: list[str]) -> None:
    """Page through an inbox repeatedly; each time it must be complete and in order."""
    while True:
        read: list[str] = []
        while True:
            after = {"before": read[-1]} if read else {}
            answer = await http.get(url, params={"limit": "7", **after}, timeout=5)
            assert answer.status_code == 200, answer.text
            if not (page := answer.json()["messages"]):
                break
            read += [message["message_id"] for message in page]
        assert read == whole


async def test_a_stopped_service_is_rebuilt_up_to_its_progress_and_continues_from_there(
    stack: LocalStack, tmp_path: Path
) -> None:
    of = await patients(stack, 5)
    async with ordering(stack, of, PER_S):
        await asyncio.sleep(1)
    await stack.stop("metrics")
    async with ordering(stack, of, PER_S):
        await asyncio.sleep(1)
    try:
        rebuilt = await rebuild(stack, "metrics", tmp_path)
        assert rebuilt.said.code == 0, rebuilt.said
        assert {rebuilt.difference(table) for table in rebuilt.figures["tables"]} == {(0, 0, 0)}
    finally:
        await stack.start("metrics")
    assert await violations(stack) == []
