"""Our services as `herhaal up` starts them, for the figures that need more than ordering's worker."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from bench.engines.engine import Place
from bench.errors import BenchError
from bench.process import Processes
from deploy.local.ports import SERVICES
from deploy.local.processes.process import Program
from deploy.local.processes.services import Addresses, Part, is_ready, service_program

READY_S = 60.0


def services(
    place: Place, names: Sequence[str] = SERVICES, only: Part | None = None
) -> list[Program]:
    """These services, each on its own port and database."""
    stack = place.stack
    return [
        replace(
            service_program(
                name,
                name,
                stack.ports.services[name],
                only,
                Addresses(stack.kafka, stack.databases[name], "json"),
                stack.data,
            ),
            log=place.log(name),
        )
        for name in names
    ]


async def ready(place: Place, running: Processes, names: Sequence[str] = SERVICES) -> None:
    """Wait until these answer that they are ready. Raises BenchError naming one that is not."""
    for name in names:
        await until_ready(running, name, place.stack.ports.services[name])


async def until_ready(running: Processes, name: str, port: int) -> None:
    """Wait for one that listens on this port. Raises BenchError."""
    probe, deadline_s = is_ready(port), time.monotonic() + READY_S
    while (why := await probe()) is not None:
        running.require_running()
        if time.monotonic() > deadline_s:
            raise BenchError(f"{name} was not ready within {READY_S:.0f} s: {why}.")
        await asyncio.sleep(0.1)
