"""Fixtures of the fault tests: a stack to disturb, its judge, and a load."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest

from cli.directory import apply_directory, read_directory
from cli.up import start_everything
from deploy.local import LocalStack, StackOptions
from deploy.local.ports import free_ports
from samples.callers import Permitted
from schemas.access import Party
from tests.faults.load import Load
from tests.faults.rows import Judge
from tests.faults.table import Table
from tests.harness.systems import until_known

EXAMPLE = Path(__file__).parents[2] / "deploy" / "example" / "directory.yaml"


@asynccontextmanager
async def everything(folder: Path, brokers: int = 1) -> AsyncIterator[LocalStack]:
    """Run a whole stack on this folder, with the example's directory."""
    async with LocalStack(StackOptions.at(folder, free_ports(brokers))) as stack:
        await start_everything(stack)
        await apply_directory(stack.kafka, read_directory(EXAMPLE))
        await until_known(stack.endpoints, stack.token(Party.PORTAL))
        yield stack


def _as_long(fixture_name: str, config: pytest.Config) -> Literal["module", "session"]:
    """Scope of the stack: the session; in a soak the module, so that dumps stay small."""
    return "module" if config.getoption("--minutes") else "session"


@pytest.fixture(scope=_as_long)
async def disturbed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """A whole stack that only the fault tests use."""
    async with everything(tmp_path_factory.mktemp("disturbed")) as stack:
        yield stack


@pytest.fixture(scope=_as_long)
def judge(disturbed: LocalStack, table: Table) -> Judge:
    """The judge of the disturbed stack."""
    return Judge(disturbed, table)


@pytest.fixture
async def load(disturbed: LocalStack, tmp_path: Path) -> AsyncIterator[Load]:
    """A load with a new history; it stops when the test ends, also after a failure."""
    clients = Load(disturbed.endpoints, Permitted(disturbed.token), tmp_path / "history.jsonl")
    yield clients
    await clients.end()


@pytest.fixture(scope="session")
def soak(pytestconfig: pytest.Config) -> bool:
    """Whether to run the long forms."""
    return bool(pytestconfig.getoption("--soak"))
