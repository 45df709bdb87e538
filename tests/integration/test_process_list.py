"""Everybody on a machine can read the command lines of its processes: ours show no secret."""

import json

import psutil
import pytest

from deploy.local import LocalStack
from tests.harness.processes import tree


async def test_no_command_line_of_a_stack_has_a_password(stack: LocalStack) -> None:
    """Given a whole stack; then no process of it, Kafka and PostgreSQL included, was told a password openly."""
    if stack.options.external_kafka:
        pytest.skip("only the local stack's own servers have passwords that it made")
    secrets = [*json.loads(stack.data.passwords.read_text()).values()]
    assert len(secrets) > 4
    running = [process for pid in stack.pids.values() for process in tree(pid)]
    assert len(running) >= len(stack.pids) > 5
    shown = [
        process.name()
        for process in running
        if any(secret in " ".join(_command_line(process)) for secret in secrets)
    ]
    assert shown == []


def _command_line(process: psutil.Process) -> list[str]:
    """The arguments; none of a process that has ended meanwhile."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
