"""Our services as child processes: command line, environment, readiness."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Literal

from deploy.local.data import DataFolder
from deploy.local.errors import file_errors
from deploy.local.kafka.jars import ROOT
from deploy.local.keys import ensure_key
from deploy.local.ports import LOOPBACK
from deploy.local.processes.process import Program
from deploy.local.processes.supervisor import Probe
from runtime.keyring import ensure_keyring

READY_S = 60.0

PYTHON_PATH = os.pathsep.join((str(ROOT), str(ROOT / "clients" / "python")))
"""Where Python finds our packages. The client has a folder of its own, from which it can be installed."""

Part = Literal["api", "worker"]


@dataclass(frozen=True)
class ServiceAddresses:
    """The servers of a service, its log format, and the JSON of the issuers whose tokens it accepts.

    `settings` are further variables of its environment.
    `database_owner` is the DSN to migrate with; without it, the database must be migrated already.
    """

    kafka: str = field(repr=False)
    database: str = field(repr=False)
    log: str
    issuers: str
    database_owner: str | None = field(default=None, repr=False)
    settings: Mapping[str, str] = field(default_factory=dict)


def service_program(
    service: str,
    instance: str,
    port: int,
    only: Part | None,
    servers: ServiceAddresses,
    data: DataFolder,
) -> Program:
    """Make the program `python -m services.<service>` on loopback; `only` runs one half of it.

    Makes the keys that it needs when they are missing. Raises StackError when they cannot be read.
    """
    env = {name: value for name, value in os.environ.items() if name != "HERHAAL_POSTGRES"}
    env |= servers.settings
    env |= {
        "PYTHONPATH": PYTHON_PATH,
        "PYTHONUNBUFFERED": "1",
        "HERHAAL_KAFKA": servers.kafka,
        "HERHAAL_DATABASE": servers.database,
        "HERHAAL_LISTEN": f"{LOOPBACK}:{port}",
        "HERHAAL_LOG": servers.log,
        "HERHAAL_ISSUERS": servers.issuers,
        "HERHAAL_AUDIT_KEY": ensure_key(data.audit_key),
    }
    if servers.database_owner is not None:
        env["HERHAAL_DATABASE_OWNER"] = servers.database_owner
    if service == "notification":
        with file_errors():
            ensure_keyring(data.people / "keyring.json")
        env |= {"HERHAAL_PEOPLE_KEYS": str(data.people)}
    return Program(
        instance,
        service_command(service, only),
        data.logs / f"{instance}.log",
        env=env,
        cwd=ROOT,
    )


def service_command(service: str, only: str | None) -> list[str]:
    """Make the command line of a service."""
    part = ["--only", only] if only else []
    return [sys.executable, "-m", f"services.{service}", *part]


def url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def readyz_probe(port: int) -> Probe:
    """Make a probe: the service answers 200 on /readyz."""

    async def probe() -> str | None:
        try:
            status, body = await asyncio.to_thread(_get, port, "/readyz")
        except (OSError, HTTPException) as error:
            return f"it does not answer on port {port} ({error!r})"
        return None if status == 200 else _reason(status, body)

    return probe


def _get(port: int, path: str) -> tuple[int, bytes]:
    """Send a GET request, with the standard library: other clients are slow to import."""
    connection = HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _reason(status: int, body: bytes) -> str:
    """Read the problems from the body of /readyz."""
    try:
        problems = json.loads(body)["problems"]
    except (ValueError, KeyError, TypeError):
        return f"/readyz answers {status}: {body[:200].decode(errors='replace')}"
    return "; ".join(map(str, problems))
