"""`herhaal serve`: replace this process by one service."""

import os
from importlib.util import find_spec
from typing import NoReturn

from cli.console import UserError
from deploy.local.ports import SERVICES
from deploy.local.processes.services import service_command


def run_serve(name: str, only: str | None, insecure_listen: bool) -> NoReturn:
    """Replace this process by a service. Raises UserError for an unknown name or a missing DSN."""
    check_serve(name)
    command = service_command(name, only)
    if insecure_listen:
        command.append("--insecure-listen")
    os.execv(command[0], command)  # noqa: S606


def check_serve(name: str) -> None:
    """Check the name and HERHAAL_DATABASE, which would end in a traceback later. Raises UserError."""
    if name not in SERVICES or find_spec(f"services.{name}") is None:
        raise UserError(f"There is no service {name}; there are {', '.join(SERVICES)}.")
    if "HERHAAL_DATABASE" not in os.environ:
        raise UserError(
            f"Set HERHAAL_DATABASE to the address of {name}'s database, such as"
            f" postgresql://{name}@127.0.0.1:8105/{name}, and HERHAAL_DATABASE_OWNER to that as its"
            " owner, to migrate; `herhaal up` starts one."
        )
