"""The PostgreSQL that a command uses, and that it is reached safely."""

import os

from pydantic import TypeAdapter, ValidationError

from cli.console import UserError
from runtime.dsn import require_tls


def external_postgres() -> str | None:
    """Read the administrator's DSN from HERHAAL_POSTGRES, if set. Raises UserError as `safe_dsn`."""
    dsn = os.environ.get("HERHAAL_POSTGRES")
    return None if dsn is None else safe_dsn(dsn)


def safe_dsn(dsn: str) -> str:
    """Return the DSN. Raises UserError when it needs TLS and does not ask for it."""
    if not _insecure():
        try:
            require_tls(dsn)
        except ValueError as error:
            raise UserError(f"{error}.") from error
    return dsn


def _insecure() -> bool:
    """Read the setting of the services that allows PostgreSQL without TLS."""
    try:
        return TypeAdapter(bool).validate_python(
            os.environ.get("HERHAAL_INSECURE_DATABASE", "false")
        )
    except ValidationError as error:
        raise UserError("HERHAAL_INSECURE_DATABASE is true or false.") from error
