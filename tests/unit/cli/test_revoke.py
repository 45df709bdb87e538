"""`herhaal revoke`: what it writes. On a running stack: `tests/integration/access/test_revoked.py`."""

from datetime import UTC, datetime
from typing import get_args

import pytest

from cli.revoke import Why
from cli.revoke.command import rounded_up
from schemas.records.access import WhyRevoked


def test_the_command_offers_every_reason_of_the_record() -> None:
    assert get_args(Why) == tuple(WhyRevoked)


@pytest.mark.parametrize(("microsecond", "second"), [(0, 7), (1, 8), (999_999, 8)])
def test_a_token_of_the_same_second_is_refused(microsecond: int, second: int) -> None:
    """Given `iat` in whole seconds; then that of a token issued just before is not after `not_before`."""
    at = datetime(2026, 11, 28, 10, 0, 7, microsecond, UTC)
    assert rounded_up(at) == datetime(2026, 11, 28, 10, 0, second, tzinfo=UTC)
    assert int(at.timestamp()) <= rounded_up(at).timestamp()
