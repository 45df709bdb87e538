"""Run services with a fault, beside or in place of those of a stack."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import psutil

from deploy.local import LocalStack
from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.processes.process import Program, kill_tree, spawn
from deploy.local.processes.services import readyz_probe

SHORT_SESSION = {"HERHAAL_SESSION_TIMEOUT_MS": "6000"}
"""The shortest session timeout that a broker allows by default: other workers take over sooner."""

TURN_S = 0.1


def faulty(
    stack: LocalStack,
    service: str,
    *options: str,
    beside: bool = False,
    env: Mapping[str, str] | None = None,
) -> Program:
    """The program of a service with a fault: options of `faulty_service.py`, settings of the stack.

    It listens where the stack's own service does, or on a free port when it runs `beside` that.
    """
    own = stack.process(service).program
    listen = {"HERHAAL_LISTEN": f"{LOOPBACK}:{free_ports().base}"} if beside else {}
    return replace(
        own,
        name=f"{service}-faulty",
        argv=[sys.executable, "-m", "tests.faults.faulty_service", service, *options],
        log=own.log.with_name(f"{service}-faulty.log"),
        env={**own.env, **listen, **(env or {})},
    )


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the program while the body runs, without restarts."""
    process = await spawn(program)
    try:
        yield process
    finally:
        if process.returncode is None:
            await kill_tree(process)


async def until_ready(program: Program, within_s: float = 40.0) -> None:
    """Wait until a service is ready."""
    probe = readyz_probe(int(program.env["HERHAAL_LISTEN"].rpartition(":")[2]))
    deadline_s = time.monotonic() + within_s
    while (reason := await probe()) is not None:
        assert time.monotonic() < deadline_s, f"{program.name}: {reason}"
        await asyncio.sleep(0.1)


async def until_stopped(process: asyncio.subprocess.Process, within_s: float = 40.0) -> None:
    """Wait until a process is stopped (SIGSTOP)."""
    async with asyncio.timeout(within_s):
        while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
            await asyncio.sleep(0.05)


@asynccontextmanager
async def throttled(pid: int, share: float) -> AsyncIterator[None]:
    """Limit a process to this share of the time while the body runs, by SIGSTOP and SIGCONT in turn."""
    process = psutil.Process(pid)

    async def turns() -> None:
        while True:
            process.suspend()
            await asyncio.sleep(TURN_S * (1 - share))
            process.resume()
            await asyncio.sleep(TURN_S * share)

    taking_turns = asyncio.create_task(turns())
    try:
        yield
    finally:
        taking_turns.cancel()
        await asyncio.wait({taking_turns})
        process.resume()
