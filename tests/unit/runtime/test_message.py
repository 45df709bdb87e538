"""The append time of a record."""

from datetime import UTC, datetime

import pytest

from runtime.messages.message import append_time


def test_the_append_time_keeps_its_milliseconds() -> None:
    assert append_time(1_790_000_000_123) == datetime(2026, 9, 21, 14, 13, 20, 123_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        (2**63 - 1, datetime.max.replace(tzinfo=UTC)),
        (-(2**63), datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_a_time_outside_the_range_of_datetime_becomes_the_nearest_limit(
    timestamp: int, expected: datetime
) -> None:
    assert append_time(timestamp) == expected
