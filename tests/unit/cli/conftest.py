"""Fixtures of the command line's tests."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """Restore the settings of logs: some commands change them for the whole process."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
