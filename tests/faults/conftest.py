"""A stack that only the fault tests disturb, and the table they fill."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.directory import apply_directory, read_directory
from cli.up import start_everything
from deploy.local import LocalStack, StackOptions
from deploy.local.ports import free_ports
from tests.faults.load import Load
from tests.faults.rows import Judge, Table

EXAMPLE = Path(__file__).parents[2] / "deploy" / "example" / "directory.yaml"


@pytest.fixture(scope="session")
def table(request: pytest.FixtureRequest) -> Table:
    """The table of faults of this run."""
    path = request.config.getoption("--json")
    return Table(Path(path) if path else None)


@pytest.fixture(scope="session")
async def disturbed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """Everything, running on servers of its own."""
    folder = tmp_path_factory.mktemp("disturbed")
    async with LocalStack(StackOptions.at(folder, free_ports())) as stack:
        await start_everything(stack)
        await apply_directory(stack.kafka, read_directory(EXAMPLE))
        yield stack


@pytest.fixture(scope="session")
def judge(disturbed: LocalStack, table: Table) -> Judge:
    """Judges what happens on the disturbed stack."""
    return Judge(disturbed, table)


@pytest.fixture
def load(disturbed: LocalStack, tmp_path: Path) -> Load:
    """A load with a history of its own."""
    return Load(disturbed.kafka, disturbed.endpoints["ordering"], tmp_path / "history.jsonl")
