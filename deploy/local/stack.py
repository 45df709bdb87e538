"""The whole stack on one machine: its folder, its servers, its services, in the right order."""

import asyncio
import time
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from deploy.local.data import DataFolder, write_atomically
from deploy.local.errors import StackError
from deploy.local.kafka.install import installed
from deploy.local.kafka.server import START_S, answers, brokers_known, kafka_node
from deploy.local.ports import SERVICES, PortPlan, require_free
from deploy.local.postgres.databases import ensure_databases
from deploy.local.postgres.server import accepts, admin_dsn, postgres_server
from deploy.local.processes.process import Program
from deploy.local.processes.services import READY_S, Addresses, Part, is_ready, service_program, url
from deploy.local.processes.supervisor import Child, Probe, stop_all
from deploy.local.report import PlainReport, Report

SERVICES_STOP_S = 6.0
KAFKA_STOP_S = 5.0
POSTGRES_STOP_S = 3.0
"""Together below the 15 s within which a stack is stopped."""

STARTS = 4
"""How often a process may end by itself while it is started again."""

SERVICE_ENDS = 3
"""A service that ends this often while it is waited for will not come up by waiting longer."""


@dataclass(frozen=True)
class StackOptions:
    """What to start where.

    `external_kafka` (host:port,…) and `external_postgres` (an administrator's DSN) are servers that
    are there already; ours are then not started, and those must answer within `external_within_s`.
    `kafka_settings` and `postgres_settings` go before what ours have by themselves.
    """

    data: Path
    port_base: int = 8100
    kafka_port: int = 9092
    brokers: int = 1
    external_kafka: str | None = None
    external_postgres: str | None = None
    service_log: Literal["console", "json"] = "json"
    external_within_s: float = 10.0
    kafka_settings: Mapping[str, str] = field(default_factory=dict)
    postgres_settings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, data: Path, ports: PortPlan) -> Self:
        """Options with the ports of a plan, such as `free_ports()` gives."""
        return cls(data, ports.base, ports.kafka, ports.brokers)

    @property
    def ports(self) -> PortPlan:
        return PortPlan(self.port_base, self.kafka_port, self.brokers)


class LocalStack(AbstractAsyncContextManager["LocalStack"]):
    """A stack; entering takes its folder, leaving stops every process and gives the folder free."""

    def __init__(self, options: StackOptions, report: Report | None = None) -> None:
        self.options = options
        self.ports = options.ports
        self.data = DataFolder(options.data)
        self.kafka = options.external_kafka or self.ports.bootstrap
        self.postgres = options.external_postgres or admin_dsn(self.ports.postgres)
        self.databases: dict[str, str] = {}
        self.report = report or PlainReport()
        self._cluster = ""
        self._servers: dict[str, Child] = {}
        self._services: dict[str, Child] = {}

    async def __aenter__(self) -> Self:
        """Raises StackError when the folder cannot be used or a server's port is taken."""
        self._cluster = self.data.open(self.options.brokers).kafka_cluster
        try:
            require_free([*self._server_ports()])
        except StackError:
            self.data.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.shutdown()

    def require_service_ports(self) -> None:
        """Raises StackError when a port of a service is taken."""
        require_free([*self.ports.service_uses()])

    async def start_servers(self) -> None:
        """Kafka, and PostgreSQL with the services' databases, together; returns when both answer."""
        await together(self.start_kafka(), self.start_postgres())

    async def start_kafka(self) -> None:
        """Starts the brokers, or checks that those that were given answer."""
        if self.options.external_kafka:
            await require(
                answers(self.kafka),
                f"Kafka at HERHAAL_KAFKA={self.kafka}",
                self.options.external_within_s,
            )
            return
        install = await installed(self.report)
        self.report.status("Starting Kafka …")
        nodes = range(1, self.options.brokers + 1)
        programs = await asyncio.gather(
            *(
                kafka_node(
                    install,
                    self.ports,
                    self.data,
                    node,
                    self._cluster,
                    self.options.kafka_settings,
                )
                for node in nodes
            )
        )
        await together(*(self._start_broker(n, p) for n, p in enumerate(programs, 1)))

    async def start_postgres(self) -> None:
        """Starts PostgreSQL, or checks the one that was given; then makes what databases miss."""
        if self.options.external_postgres:
            await require(
                accepts(self.postgres),
                "PostgreSQL at HERHAAL_POSTGRES",
                self.options.external_within_s,
            )
        else:
            program = await postgres_server(
                self.data, self.ports.postgres, self.options.postgres_settings
            )
            await self._start_server(program, accepts(self.postgres))
        self.databases = await ensure_databases(self.postgres)

    async def start_services(self, names: Iterable[str] = SERVICES) -> None:
        """Starts these services; they wait for their servers by themselves."""
        for name in names:
            await self.add_service(name)

    async def add_service(
        self,
        service: str,
        *,
        instance: str | None = None,
        port: int | None = None,
        only: Part | None = None,
    ) -> Child:
        """Starts a service, or one more instance of it under a name and port of its own."""
        name = instance or service
        at = port or self.ports.services[service]
        found = Addresses(self.kafka, self.databases[service], self.options.service_log)
        program = service_program(service, name, at, only, found, self.data)
        child = Child(program, is_ready(at), self.report)
        self._services[name] = child
        await child.start()
        return child

    async def services_ready(self, within_s: float = READY_S) -> None:
        """Waits until every service is ready. Raises StackError with the reason of one that is not."""
        await together(*(child.ready(within_s, SERVICE_ENDS) for child in self._services.values()))

    def process(self, name: str) -> Child:
        """A process by name: `kafka-1`, `postgres`, a service, or an instance of one."""
        found = self._servers.get(name) or self._services.get(name)
        if found is None:
            names = ", ".join([*self._servers, *self._services])
            raise StackError(f"This stack runs no {name}; it runs {names or 'nothing'}.")
        return found

    async def kill(self, name: str) -> None:
        """kill -9 of a process and all it started; it stays down until `start`."""
        await self.process(name).kill()

    async def stop(self, name: str, within_s: float = SERVICES_STOP_S) -> None:
        """Stops one process in order; it stays down until `start`."""
        await self.process(name).stop(within_s)

    async def start(self, name: str, within_s: float = READY_S) -> None:
        """Starts one again on the same data, and waits until it is ready."""
        child = self.process(name)
        await child.start()
        # PostgreSQL refuses to start while a process of the killed one is still going down.
        await child.ready(within_s, give_up_after=STARTS)

    async def restart(self, name: str) -> None:
        """Stops one in order and starts it again."""
        await self.stop(name)
        await self.start(name)

    @property
    def endpoints(self) -> dict[str, str]:
        """Every address: kafka, postgres and each service."""
        services = {name: url(port) for name, port in self.ports.services.items()}
        return {"kafka": self.kafka, "postgres": self.postgres, **services}

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of what runs now, by name."""
        children = {**self._servers, **self._services}
        return {name: child.pid for name, child in children.items() if child.running}

    def write_endpoints(self) -> None:
        """Writes endpoints.json in the data folder; it is there as long as the stack is up."""
        write_atomically(self.data.endpoints, self.endpoints)

    async def replication(self) -> int:
        """How many copies of each topic this Kafka can keep, three at most."""
        if self.options.external_kafka is None:
            return self.options.brokers
        return min(3, await brokers_known(self.kafka))

    def hurry(self) -> None:
        """Makes `shutdown` kill what does not stop at once."""
        for child in (*self._services.values(), *self._servers.values()):
            child.hurry()

    async def shutdown(self) -> None:
        """Stops services, then Kafka, then PostgreSQL, within 15 s; may be called again."""
        self.data.endpoints.unlink(missing_ok=True)
        kafka = [child for name, child in self._servers.items() if name != "postgres"]
        postgres = [child for name, child in self._servers.items() if name == "postgres"]
        await stop_all([*self._services.values()], SERVICES_STOP_S)
        await stop_all(kafka, KAFKA_STOP_S)
        await stop_all(postgres, POSTGRES_STOP_S)
        self.data.close()

    def _server_ports(self) -> Iterable[tuple[int, str, str]]:
        if not self.options.external_kafka:
            yield from self.ports.kafka_uses()
        if not self.options.external_postgres:
            yield from self.ports.postgres_uses()

    async def _start_broker(self, node: int, program: Program) -> None:
        address = self.kafka.split(",")[node - 1]
        await self._start_server(program, answers(address, self.options.brokers))

    async def _start_server(self, program: Program, probe: Probe) -> None:
        child = Child(program, probe, self.report)
        self._servers[program.name] = child
        await child.start()
        await child.ready(START_S)


async def together(*jobs: Coroutine[Any, Any, None]) -> None:
    """Runs these at the same time; the first that fails ends the others, and its error is raised."""
    tasks = [asyncio.create_task(job) for job in jobs]
    if not tasks:
        return
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def require(probe: Probe, what: str, within_s: float) -> None:
    """Waits so many seconds for a server that is not ours. Raises StackError naming it."""
    deadline = time.monotonic() + within_s
    while (reason := await probe()) is not None:
        if time.monotonic() > deadline:
            raise StackError(f"{what} does not answer: {reason}.")
        await asyncio.sleep(0.2)
