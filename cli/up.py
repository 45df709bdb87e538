"""`herhaal up`: the whole stack here, until it is told to stop."""

import asyncio
import os
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from rich.table import Table

from cli.console import ConsoleReport, stdout
from deploy.local import LocalStack, Report, StackOptions
from deploy.local.stack import together

ROOT = Path(__file__).parents[1]
DEFAULT_DATA = ROOT / ".herhaal" / "data"


def run_up(
    data: Path | None,
    port_base: int,
    kafka_port: int,
    brokers: int,
    log: Literal["console", "json"],
) -> None:
    """Returns when it was told to stop and has. Raises StackError when it cannot start."""
    options = StackOptions(
        data or DEFAULT_DATA,
        port_base,
        kafka_port,
        brokers,
        os.environ.get("HERHAAL_KAFKA"),
        os.environ.get("HERHAAL_POSTGRES"),
        log,
    )
    with ConsoleReport() as report:
        asyncio.run(_up(options, report))


async def start_everything(stack: LocalStack) -> None:
    """Servers, topics, databases and services, as much at a time as can be; returns when all is ready.

    Raises StackError when a server or a service does not get ready.
    """
    stack.require_service_ports()
    await together(_kafka_with_topics(stack), _services(stack))
    stack.report.status("Waiting for the services …")
    await stack.services_ready()
    stack.write_endpoints()


async def _kafka_with_topics(stack: LocalStack) -> None:
    await stack.start_kafka()
    # Half a second of imports, while the servers are starting anyway.
    from runtime.kafka.admin import apply_topics
    from schemas.topics import ALL

    await apply_topics(stack.kafka, ALL, await stack.replication())


async def _services(stack: LocalStack) -> None:
    await stack.start_postgres()
    await stack.start_services()


async def _up(options: StackOptions, report: Report) -> None:
    stack = LocalStack(options, report)
    with told_to_stop(stack) as stop:
        async with stack:
            report.status("Starting …")
            if await _unless(stop, start_everything(stack)):
                report.status("")
                stdout().print(_table(stack))
                await stop.wait()
            report.status("")
            report.say("Stopping (again to hurry) …")
    report.say("Stopped.")


async def _unless(stop: asyncio.Event, job: Coroutine[Any, Any, None]) -> bool:
    """Runs a job to its end, or breaks it off when told to stop; whether it came to its end."""
    doing = asyncio.create_task(job)
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({doing, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not doing.done():
        doing.cancel()
        await asyncio.wait({doing})
    if doing.cancelled():
        return False
    await doing
    return True


@contextmanager
def told_to_stop(stack: LocalStack) -> Iterator[asyncio.Event]:
    """Set at the first Ctrl-C or SIGTERM; from the second on, the stack hurries."""
    stop = asyncio.Event()

    def told() -> None:
        if stop.is_set():
            stack.hurry()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _table(stack: LocalStack) -> Table:
    table = Table(title="All ready", caption=f"Data and logs: {stack.data.path}\nStop: Ctrl-C")
    table.add_column("what")
    table.add_column("address", overflow="fold")
    for name, address in stack.endpoints.items():
        table.add_row(name, address)
    return table
