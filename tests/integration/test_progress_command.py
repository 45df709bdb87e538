"""`herhaal progress` distinguishes a service that has never started from one with a missing table."""

import asyncpg
import pytest

from cli.console import UserError
from cli.kafka import ask_both
from cli.progress.look import check_progress
from deploy.local import LocalStack
from schemas.topics import SERVICES


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_that_has_never_started_has_no_stored_offsets(
    stack: LocalStack, scratch: str, service: str
) -> None:
    db = await asyncpg.connect(scratch)
    try:
        with pytest.raises(UserError, match="has never started"):
            await check_progress(stack.kafka, db, service)
    finally:
        await db.close()


def test_another_missing_table_is_not_taken_for_that() -> None:
    """Given a missing table in any other statement; then the error is named."""

    async def missing() -> None:
        raise asyncpg.UndefinedTableError

    with pytest.raises(UserError, match="UndefinedTableError"):
        ask_both("127.0.0.1:1", missing())
