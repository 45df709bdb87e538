"""Starts our services as `herhaal up` does, for figures that need more than ordering's worker."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from bench.engines.engine import RunContext
from bench.errors import BenchError
from bench.process import Processes
from deploy.local.ports import SERVICES
from deploy.local.postgres.databases import owner_dsn
from deploy.local.processes.process import Program
from deploy.local.processes.services import Part, ServiceAddresses, readyz_probe, service_program

READY_S = 60.0


def services(
    context: RunContext, names: Sequence[str] = SERVICES, only: Part | None = None
) -> list[Program]:
    """Make the programs of these services, each with its own port and database."""
    stack = context.stack
    return [
        replace(
            service_program(
                name,
                name,
                stack.ports.services[name],
                only,
                ServiceAddresses(
                    stack.kafka_as(name),
                    stack.databases[name],
                    "json",
                    stack.issuers,
                    owner_dsn(stack.postgres, name),
                    stack.options.service_settings,
                ),
                stack.data,
            ),
            log=context.log(name),
        )
        for name in names
    ]


async def wait_until_services_ready(
    context: RunContext, running: Processes, names: Sequence[str] = SERVICES
) -> None:
    """Wait until these services are ready. Raises BenchError that names one that is not."""
    for name in names:
        await wait_until_ready(running, name, context.stack.ports.services[name])


async def wait_until_ready(running: Processes, name: str, port: int) -> None:
    """Wait until the service on this port is ready. Raises BenchError."""
    probe, deadline_s = readyz_probe(port), time.monotonic() + READY_S
    while (why := await probe()) is not None:
        running.require_running()
        if time.monotonic() > deadline_s:
            raise BenchError(f"{name} was not ready within {READY_S:.0f} s: {why}.")
        await asyncio.sleep(0.1)
