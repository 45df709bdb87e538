"""The portal as a child process: command line and environment."""

import os
import sys
from dataclasses import dataclass, field

from deploy.local.data import DataFolder
from deploy.local.issuer.clients import PORTAL
from deploy.local.kafka.jars import ROOT
from deploy.local.keys import ensure_key
from deploy.local.ports import LOOPBACK, PortPlan
from deploy.local.processes.process import Program
from deploy.local.processes.services import PYTHON_PATH, url


@dataclass(frozen=True)
class PortalAddresses:
    """The portal's database, as the role that runs it and as its owner, and what logs people in (JSON)."""

    database: str = field(repr=False)
    owner: str = field(repr=False)
    issuers: str
    log: str


def portal_program(ports: PortPlan, addresses: PortalAddresses, data: DataFolder) -> Program:
    """Make the program `python -m portal` on loopback. Raises StackError when its key cannot be read."""
    # What is meant for the services is none of its business.
    env = {name: value for name, value in os.environ.items() if not name.startswith("HERHAAL_")}
    env |= {
        "PYTHONPATH": PYTHON_PATH,
        "PYTHONUNBUFFERED": "1",
        "HERHAAL_DATABASE": addresses.database,
        "HERHAAL_DATABASE_OWNER": addresses.owner,
        "HERHAAL_LISTEN": f"{LOOPBACK}:{ports.portal}",
        "HERHAAL_LOG": addresses.log,
        "HERHAAL_ISSUERS": addresses.issuers,
        "HERHAAL_PORTAL_URL": url(ports.portal),
        "HERHAAL_PORTAL_KEY": ensure_key(data.portal_key),
        "HERHAAL_PORTAL_CLIENT": PORTAL,
        **{f"HERHAAL_{name.upper()}_URL": url(port) for name, port in ports.services.items()},
    }
    return Program(
        PORTAL, [sys.executable, "-m", "portal"], data.logs / f"{PORTAL}.log", env=env, cwd=ROOT
    )
