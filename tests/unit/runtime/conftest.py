"""Fixtures of the runtime's tests."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.unit.runtime.bench import Bench, a_bench


@pytest.fixture(autouse=True)
def lines() -> Iterator[list[MutableMapping[str, Any]]]:
    """Captured log events."""
    with capture_logs() as captured:
        yield captured


@pytest.fixture
async def bench() -> Bench:
    """A new bench. Async, because the loop needs an event loop."""
    return a_bench()
