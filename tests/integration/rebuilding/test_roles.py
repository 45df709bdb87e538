"""Whose rights a rebuild needs: those of the owner of the tables."""

from deploy.local import LocalStack
from deploy.local.postgres.databases import owner_dsn
from runtime.dsn import database_dsn
from tests.harness.database import connected, require_roles
from tests.integration.operator import herhaal


async def test_the_owner_rebuilds_and_the_service_may_still_write(stack: LocalStack) -> None:
    """Given tables with and without a sequence; then the new ones have the owner and grants of the old ones."""
    owner = owner_dsn(stack.postgres, "notification")
    said = await herhaal(stack, "rebuild", "notification", "--postgres", owner)
    assert said.code == 0, said
    async with connected(database_dsn(stack.postgres, "notification")) as admin:
        await require_roles(admin, "notification")


async def test_the_role_as_which_the_service_runs_cannot_rebuild(stack: LocalStack) -> None:
    said = await herhaal(stack, "rebuild", "metrics", "--postgres", stack.databases["metrics"])
    assert said.code == 1
    assert "refuses (InsufficientPrivilegeError)" in str(said.error)
