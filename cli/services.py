"""Checks the names of services that users type."""

from cli.console import UserError
from schemas.topics import SERVICES


def require_service(name: str) -> str:
    """Return the name. Raises UserError when there is no such service."""
    if name not in SERVICES:
        raise UserError(f"There is no service {name}; there are {', '.join(SERVICES)}.")
    return name
