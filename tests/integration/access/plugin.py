"""pytest plugin of the tests of access: `--cells FILE`, and the collector of cells."""

from pathlib import Path

import pytest

from tests.integration.access.cells import Cells

_CELLS = pytest.StashKey[Cells]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that `herhaal test access --json` passes."""
    help_ = "Write every cell of the matrix of access to this file."
    parser.getgroup("access").addoption("--cells", type=Path, default=None, help=help_)


def pytest_configure(config: pytest.Config) -> None:
    """Start without cells."""
    config.stash[_CELLS] = Cells()


@pytest.fixture(scope="session")
def cells(request: pytest.FixtureRequest) -> Cells:
    """The collector: a test adds each cell that it asked."""
    return request.config.stash[_CELLS]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the file, also after a failure."""
    file: Path | None = session.config.getoption("--cells")
    if file is not None:
        session.config.stash[_CELLS].write(file)
