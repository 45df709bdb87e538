"""`herhaal serve`: replace this process by one service, or by the portal."""

import os
import sys
from typing import NoReturn

from cli.console import UserError
from deploy.local.issuer.clients import PORTAL
from deploy.local.ports import DATABASES
from deploy.local.processes.services import service_command


def run_serve(name: str, only: str | None, insecure_listen: bool) -> NoReturn:
    """Replace this process by a service or the portal.

    Raises UserError for an unknown name, a missing DSN, or a half of the portal, which has none.
    """
    check_serve(name)
    if name == PORTAL and only is not None:
        raise UserError("--only is for services: the portal has one part.")
    command = [sys.executable, "-m", PORTAL] if name == PORTAL else service_command(name, only)
    if insecure_listen:
        command.append("--insecure-listen")
    os.execv(command[0], command)  # noqa: S606


def check_serve(name: str) -> None:
    """Check the name and HERHAAL_DATABASE, which would end in a traceback later. Raises UserError."""
    if name not in DATABASES:
        raise UserError(f"There is no service {name}; there are {', '.join(DATABASES)}.")
    if "HERHAAL_DATABASE" not in os.environ:
        raise UserError(
            f"Set HERHAAL_DATABASE to the address of {name}'s database, such as"
            f" postgresql://{name}@127.0.0.1:8105/{name}, and HERHAAL_DATABASE_OWNER to that as its"
            " owner, to migrate; `herhaal up` starts one."
        )
