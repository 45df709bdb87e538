"""`herhaal up`: run the whole stack on this machine until Ctrl-C or SIGTERM."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from rich.table import Table
from rich.text import Text

from cli.console import ConsoleReport, stdout
from cli.postgres import external_postgres
from deploy.local import LocalStack, Report, StackError, StackOptions
from deploy.local.waiting import run_concurrently
from runtime.kafka_address import servers_of

ROOT = Path(__file__).parents[1]
DEFAULT_DATA = ROOT / ".herhaal" / "data"

Prepare = Callable[[LocalStack], Awaitable[None]]
"""Brings into a stack what it begins with."""

NOTE_AT_STOP_S = 2.0
"""Seconds that a stop waits for the servers to say what they hold."""


def run_up(
    data: Path | None,
    port_base: int,
    kafka_port: int,
    brokers: int,
    log: Literal["console", "json"],
    *,
    tls: bool,
    prepare: Prepare | None = None,
) -> None:
    """Run the stack until a signal, then stop it. Once all is ready, `prepare` it before that is said.

    Raises StackError when it cannot start, and what `prepare` raises.
    """
    options = StackOptions(
        data or DEFAULT_DATA,
        port_base,
        kafka_port,
        brokers,
        os.environ.get("HERHAAL_KAFKA"),
        external_postgres(),
        log,
        tls=tls,
    )
    with ConsoleReport() as report:
        asyncio.run(_up(options, report, prepare))


async def start_everything(stack: LocalStack) -> None:
    """Start servers, topics, databases, services, issuer and portal, concurrently where possible, until all are
    ready.

    Raises StackError when a server or a service does not become ready.
    """
    stack.require_service_ports()
    await run_concurrently(stack.start_issuer(), _kafka_with_topics(stack), _services(stack))
    stack.report.status("Waiting for the services …")
    await run_concurrently(stack.services_ready(), _hold_to_the_folder(stack))
    stack.write_endpoints()


async def _kafka_with_topics(stack: LocalStack) -> None:
    await stack.start_kafka()
    # Imported here: it takes half a second, during which PostgreSQL and the services start.
    from cli.topics.commands import prepare

    await prepare(stack.kafka, await stack.replication())


async def _hold_to_the_folder(stack: LocalStack) -> None:
    await stack.note_contents()
    await stack.require_contents()


async def _services(stack: LocalStack) -> None:
    await stack.start_postgres()
    await stack.start_services()
    await stack.start_portal()


async def _start(stack: LocalStack, prepare: Prepare | None) -> None:
    await start_everything(stack)
    if prepare is not None:
        await prepare(stack)


async def _up(options: StackOptions, report: Report, prepare: Prepare | None) -> None:
    stack = LocalStack(options, report)
    with stop_on_signals(stack) as stop:
        async with stack:
            report.status("Starting …")
            if await _run_unless_stopped(stop, _start(stack, prepare)):
                report.status("")
                stdout().print(_table(stack))
                await stop.wait()
                await _note_contents(stack)
            report.status("")
            report.info("Stopping (again to hurry) …")
    report.info("Stopped.")


async def _note_contents(stack: LocalStack) -> None:
    """Note what was made since the start, such as the topics of new pharmacies."""
    try:
        await stack.note_contents(NOTE_AT_STOP_S)
    except StackError as error:
        stack.report.info(str(error))


async def _run_unless_stopped(stop: asyncio.Event, job: Coroutine[Any, Any, None]) -> bool:
    """Run a job, and cancel it when `stop` is set. Return whether it was completed."""
    task = asyncio.create_task(job)
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if task.cancelled():
        return False
    await task
    return True


@contextmanager
def stop_on_signals(stack: LocalStack) -> Iterator[asyncio.Event]:
    """Give an event that the first Ctrl-C or SIGTERM sets. The next ones make the stack stop at once."""
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            stack.hurry()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _table(stack: LocalStack) -> Table:
    # A `Text`: rich would take `[red]` in a folder's name for a colour.
    caption = Text(f"Data and logs: {stack.data.path}\nStop: Ctrl-C")
    table = Table(title="All ready", caption=caption)
    table.add_column("what")
    table.add_column("address", overflow="fold")
    for name, address in {**stack.endpoints, "kafka": servers_of(stack.kafka)}.items():
        table.add_row(name, address)
    return table
