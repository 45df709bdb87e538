"""Runs `herhaal people` against a running stack."""

import asyncio
import sys

from typer.testing import CliRunner

from cli.app import app
from deploy.local import LocalStack
from deploy.local.kafka.jars import ROOT
from tests.integration.operator import Said


async def people(stack: LocalStack, *arguments: str) -> Said:
    """Run a command in this process, on the stack's folder."""
    result = await asyncio.to_thread(
        CliRunner().invoke,
        app,
        ["people", *arguments, "--data", str(stack.data.path)],
        env={"COLUMNS": "300"},
    )
    return Said(result.output, result.exit_code, result.exception)


async def started(stack: LocalStack, *arguments: str) -> asyncio.subprocess.Process:
    """Start a command in a process of its own, which can be killed."""
    command = ("-m", "cli", "people", *arguments, "--data", str(stack.data.path))
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
