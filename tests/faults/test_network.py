"""A network that drops packets between the services and Kafka or PostgreSQL, under a load.

The services run in a network namespace. Clients and servers are outside it and always reach each other.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from cli.directory import apply_directory, read_directory
from cli.topics.commands import prepare
from deploy.local import LocalStack, StackOptions
from deploy.local.issuer.program import issuer_program
from deploy.local.kafka.security import CLIENT, CONTROLLER
from deploy.local.ports import LOOPBACK, PortPlan, free_ports
from deploy.local.postgres.databases import owner_dsn, service_dsn
from deploy.local.postgres.server import admin_dsn
from deploy.local.processes.services import ServiceAddresses, service_program
from deploy.local.processes.supervisor import Child, Probe, stop_all
from runtime.kafka_address import Address
from samples.callers import Permitted
from schemas.access import Party
from schemas.topics import SERVICES
from tests.faults.conftest import EXAMPLE
from tests.faults.load import Load
from tests.faults.rows import Judge
from tests.faults.steady import until_steady
from tests.faults.table import Table
from tests.faults.watch import now, watching
from tests.harness.namespace import Cut, Namespace, can_make_namespaces, namespace
from tests.harness.systems import until_known

PER_S = 30.0
TOLD_WITHIN_S = 15.0
"""How soon `/readyz` must report that a server is unreachable."""

GOES_ON_WITHIN_S = 45.0

pytestmark = pytest.mark.skipif(
    not can_make_namespaces(), reason="needs root and iproute2, to make a network namespace"
)

SHORT = [("kafka", Cut.BOTH, 12), ("postgres", Cut.REPLIES, 12)]
LONG = [
    ("kafka", Cut.REPLIES, 30),
    ("kafka", Cut.ROUTE, 30),
    ("postgres", Cut.REPLIES, 30),
    ("postgres", Cut.REQUESTS, 30),
    *((server, Cut.BOTH, seconds) for server in ("kafka", "postgres") for seconds in (20, 60, 180)),
]
"""Server, which packets are lost, and for how many seconds.

Each duration is longer than the 10 s after which a silent connection is closed.
"""


@dataclass
class Apart:
    """A stack whose services run in a network namespace."""

    stack: LocalStack
    space: Namespace
    services: dict[str, Child]

    @property
    def urls(self) -> dict[str, str]:
        """The URLs at which clients reach the services."""
        return {name: self.url(name) for name in self.services}

    def url(self, service: str) -> str:
        """The URL at which clients reach a service."""
        return f"http://{self.space.links['http'].there}:{self.stack.ports.services[service]}"


@pytest.fixture(scope="module")
def space() -> Iterator[Namespace]:
    """The network namespace of the services."""
    with namespace("kafka", "postgres", "http") as made:
        yield made


@pytest.fixture(scope="module")
async def apart(space: Namespace, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Apart]:
    """A whole stack, whose services are in the namespace, with the issuer: keys are fetched over loopback."""
    folder = tmp_path_factory.mktemp("apart")
    async with LocalStack(_options(folder, space)) as stack:
        await stack.start_servers()
        await prepare(stack.kafka, 1)
        await apply_directory(stack.kafka, read_directory(EXAMPLE))
        async with _services(stack, space) as services:
            made = Apart(stack, space, services)
            await until_known(made.urls, stack.token(Party.PORTAL))
            yield made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take all cases in the long form, one per server in the short one."""
    if "what" in metafunc.fixturenames:
        cases = LONG if metafunc.config.getoption("--soak") else SHORT
        names = ("server", "what", "seconds")
        metafunc.parametrize(names, cases, ids=lambda v: getattr(v, "name", None))


@pytest.mark.timeout(420)
async def test_a_server_that_cannot_be_reached_delays_and_loses_nothing(
    apart: Apart, table: Table, tmp_path: Path, server: str, what: Cut, seconds: int
) -> None:
    """Given a load; when a server is unreachable; then every service soon reports that it is not ready,
    and goes on without a restart when the server is back.
    """
    pids = {name: child.pid for name, child in apart.services.items()}
    endpoints = apart.stack.endpoints | apart.urls
    load = Load(endpoints, Permitted(apart.stack.token), tmp_path / "history.jsonl")
    async with watching(apart.stack) as watch, load.running(PER_S):
        await watch.recovery(now())
        await _cut_off(apart, server, what, seconds)
        recovery_s = await watch.recovery(now(), GOES_ON_WITHIN_S)
        await _until(apart, ready=True, within_s=GOES_ON_WITHIN_S)
    judge = Judge(apart.stack, table)
    fault = f"{server} unreachable for {seconds} s: {what.value}"
    row = await judge.judge(load, fault, "all", recovery_s)
    assert row.clean
    assert row.acknowledged > 0
    assert {name: child.pid for name, child in apart.services.items()} == pids
    probes = {name: _is_ready(url) for name, url in apart.urls.items()}
    await until_steady(apart.stack, probes=probes)


async def _cut_off(apart: Apart, server: str, what: Cut, seconds: float) -> None:
    """Cut a server off for this long. Fails unless every service soon reports that it is not ready."""
    began_s = time.monotonic()
    apart.space.links[server].cut(what)
    try:
        await _until(apart, ready=False, within_s=TOLD_WITHIN_S)
        await asyncio.sleep(seconds - (time.monotonic() - began_s))
    finally:
        apart.space.links[server].mend(what)


def _options(folder: Path, space: Namespace) -> StackOptions:
    """Options of a stack whose Kafka and PostgreSQL listen on a link as well as on loopback."""
    ports = free_ports()
    options = StackOptions.at(folder / "data", ports)
    near, far = f"127.0.0.1:{ports.kafka}", _kafka(space, ports)
    controller = f"{CONTROLLER}://127.0.0.1:{ports.controller_ports[0]}"
    listeners = f"{CLIENT}://{near},{controller},FAR://{far}"
    access = folder / "pg_hba.conf"
    access.write_text("host all all all trust\n")
    access.chmod(0o644)
    for parent in (folder, *folder.parents[:-1]):
        parent.chmod(parent.stat().st_mode | 0o111)
    return replace(
        options,
        kafka_settings={
            "listeners": listeners,
            "advertised.listeners": listeners,
            "listener.security.protocol.map": ",".join(
                f"{name}:SASL_PLAINTEXT" for name in (CLIENT, CONTROLLER, "FAR")
            ),
            "listener.name.far.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
        },
        postgres_settings={
            "listen_addresses": f"127.0.0.1,{space.links['postgres'].here}",
            "hba_file": str(access),
        },
    )


def _kafka(space: Namespace, ports: PortPlan) -> str:
    # The ports of the second and third broker are free: there is only one broker.
    return f"{space.links['kafka'].here}:{ports.kafka + 1}"


@asynccontextmanager
async def _services(stack: LocalStack, space: Namespace) -> AsyncIterator[dict[str, Child]]:
    children = {name: _child(stack, space, name) for name in SERVICES}
    issuer = _issuer(stack, space)
    try:
        for child in (issuer, *children.values()):
            await child.start()
        await asyncio.gather(*(child.ready(60) for child in children.values()))
        yield children
    finally:
        await stop_all([*children.values(), issuer], 8)


def _issuer(stack: LocalStack, space: Namespace) -> Child:
    """The issuer in the namespace. Nobody outside can ask whether it is ready, but the services can."""
    program = issuer_program(stack.data, stack.ports.issuer, stack.ports.portal)
    return Child(replace(program, argv=space.command(program.argv)), _unasked, stack.report)


async def _unasked() -> str | None:
    return None


def _child(stack: LocalStack, space: Namespace, service: str) -> Child:
    port = stack.ports.services[service]
    kafka = replace(Address.parse(stack.kafka_as(service)), servers=(_kafka(space, stack.ports),))
    far = admin_dsn(stack.ports.postgres).replace(LOOPBACK, space.links["postgres"].here)
    found = ServiceAddresses(
        kafka.full,
        service_dsn(far, service),
        "json",
        stack.issuers,
        owner_dsn(far, service),
        stack.options.service_settings,
    )
    program = service_program(service, service, port, None, found, stack.data)
    listen = f"{space.links['http'].there}:{port}"
    insecure = {f"HERHAAL_INSECURE_{what}": "true" for what in ("LISTEN", "KAFKA", "DATABASE")}
    env = {**program.env, "HERHAAL_LISTEN": listen, **insecure}
    program = replace(program, argv=space.command(program.argv), env=env)
    return Child(program, _is_ready(f"http://{listen}"), stack.report)


def _is_ready(url: str) -> Probe:
    async def probe() -> str | None:
        return None if await _answers_ready(url) else f"{url} is not ready"

    return probe


async def _answers_ready(url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=5) as http:
            return (await http.get(f"{url}/readyz")).status_code == 200
    except httpx.HTTPError:
        return False


async def _until(apart: Apart, *, ready: bool, within_s: float) -> None:
    """Wait until every service is ready, or until none is."""

    async def one(service: str) -> None:
        while await _answers_ready(apart.url(service)) is not ready:
            await asyncio.sleep(0.2)

    async with asyncio.timeout(within_s):
        await asyncio.gather(*(one(service) for service in SERVICES))
