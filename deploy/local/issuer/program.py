"""The issuer as a process of a local stack: its command line, and its address for who asks later."""

import json
import os
import sys
from pathlib import Path

from deploy.local.data import DataFolder, write_atomically
from deploy.local.errors import InUse, StackError
from deploy.local.kafka.jars import ROOT
from deploy.local.processes.process import Program

NAME = "issuer"


def issuer_program(data: DataFolder, port: int, portal_port: int) -> Program:
    """Make the program of the issuer on this port; it sends people back to the portal's port."""
    options = ["--data", str(data.path), "--port", str(port), "--portal-port", str(portal_port)]
    return Program(
        NAME,
        [sys.executable, "-m", "deploy.local.issuer", *options],
        data.logs / f"{NAME}.log",
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
    )


def write_address(folder: Path, issuer: str) -> None:
    """Keep the issuer's address in its folder, which outlives the run."""
    folder.mkdir(mode=0o700, exist_ok=True)
    write_atomically(folder / "address.json", {"issuer": issuer})


def read_address(folder: Path) -> str:
    """The address of the latest issuer. Raises StackError when there was none."""
    try:
        issuer: str = json.loads((folder / "address.json").read_text())["issuer"]
    except (OSError, ValueError, KeyError) as error:
        raise StackError(
            f"The stack of {folder.parent} has had no issuer yet: start it once with ./herhaal up."
        ) from error
    return issuer


def require_running_stack(data: DataFolder) -> None:
    """Require a data folder that a running stack holds. Raises StackError."""
    try:
        data.lock()
    except InUse:
        return
    data.close()
    raise StackError(f"No stack runs on {data.path}, and the issuer runs in a local stack only.")
