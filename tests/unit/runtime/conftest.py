"""What the tests of the runtime share."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.unit.runtime.bench import Bench, a_bench


@pytest.fixture(autouse=True)
def lines() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged, kept instead of written."""
    with capture_logs() as captured:
        yield captured


@pytest.fixture
async def bench() -> Bench:
    """Everything new for each test; made where there is an event loop."""
    return a_bench()
