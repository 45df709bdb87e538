"""The whole stack on one machine: data folder, servers and services, started and stopped in order."""

import asyncio
import json
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from types import TracebackType
from typing import Self, Unpack

import asyncpg
from aiokafka.errors import KafkaError

from deploy.local.contents import (
    KAFKA,
    POSTGRES,
    Contents,
    kafka_contents,
    postgres_contents,
    require_contents,
    write_contents,
)
from deploy.local.data import DataFolder, write_atomically
from deploy.local.errors import StackError, file_errors
from deploy.local.issuer.people import TokenScope, claims_of
from deploy.local.issuer.program import issuer_program, write_address
from deploy.local.kafka.install import ensure_kafka
from deploy.local.kafka.program import KafkaInstall
from deploy.local.kafka.security import Security, ensure_security
from deploy.local.kafka.server import START_S, count_brokers, kafka_node, kafka_probe
from deploy.local.options import StackOptions
from deploy.local.ports import SERVICES, require_free
from deploy.local.postgres.databases import ensure_databases, owner_dsn
from deploy.local.postgres.server import admin_dsn, postgres_probe, postgres_server
from deploy.local.processes.portal import PortalAddresses, portal_program
from deploy.local.processes.process import Program
from deploy.local.processes.services import (
    READY_S,
    Part,
    ServiceAddresses,
    readyz_probe,
    service_program,
    url,
)
from deploy.local.processes.supervisor import Child, Probe, stop_all
from deploy.local.report import PlainReport, Report
from deploy.local.waiting import run_concurrently, wait_for_server
from runtime.kafka_address import Address, servers_of
from schemas.access import Party

SERVICES_STOP_S = 6.0
KAFKA_STOP_S = 5.0
POSTGRES_STOP_S = 3.0
"""Seconds until SIGKILL. Their sum is below 15 s, in which a stack must stop."""

MAX_RESTARTS = 4
"""The most exits of a process while `start` waits for it."""

MAX_EXITS = 3
"""The most exits of a service while `services_ready` waits for it."""


class LocalStack(AbstractAsyncContextManager["LocalStack"]):
    """A stack. Entering locks its folder; leaving stops all processes and releases the folder."""

    def __init__(self, options: StackOptions, report: Report | None = None) -> None:
        self.options = options
        self.ports = options.ports
        self.data = DataFolder(options.data)
        self.kafka = options.external_kafka or self.ports.bootstrap
        """Kafka's address for the operator, who may do everything; with the password once we are entered."""
        self.postgres = options.external_postgres or admin_dsn(self.ports.postgres)
        self.databases: dict[str, str] = {}
        self.report = report or PlainReport()
        self._cluster = ""
        self._security: Security | None = None
        self._servers: dict[str, Child] = {}
        self._services: dict[str, Child] = {}

    async def __aenter__(self) -> Self:
        """Lock the folder. Raises StackError when it cannot be used or a server's port is taken."""
        self._cluster = self.data.open(self.options.brokers).kafka_cluster
        try:
            require_free([*self._server_ports()])
            if not (self.options.external_kafka or self.options.open_kafka):
                with file_errors():
                    self._security = ensure_security(self.data, tls=self.options.tls)
                self.kafka = self.kafka_as(Party.OPERATOR)
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
        """Require the ports of the portal, the services and the issuer to be free. Raises StackError."""
        require_free([*self.ports.service_ports()])

    async def start_servers(self) -> None:
        """Start Kafka and PostgreSQL concurrently, with the services' databases; wait until both answer."""
        await run_concurrently(self.start_kafka(), self.start_postgres())

    def kafka_as(self, user: str) -> str:
        """Make Kafka's address for a user: a service, or the operator. An external Kafka has one for all."""
        if self._security is None:
            return self.kafka
        return self._security.address(self.ports.bootstrap, user)

    async def start_kafka(self) -> None:
        """Start the brokers, or check that the external ones answer."""
        if self.options.external_kafka:
            await wait_for_server(
                kafka_probe(self.kafka),
                f"Kafka at HERHAAL_KAFKA={servers_of(self.kafka)}",
                self.options.external_within_s,
            )
            return
        install = await ensure_kafka(self.report)
        self.report.status("Starting Kafka …")
        with file_errors():
            programs = await asyncio.gather(*(self._node(install, n) for n in self._nodes))
            await run_concurrently(*(self._start_broker(n, p) for n, p in enumerate(programs, 1)))

    async def start_postgres(self) -> None:
        """Start PostgreSQL, or check that the external one answers; then make missing databases."""
        if self.options.external_postgres:
            await wait_for_server(
                postgres_probe(self.postgres),
                "PostgreSQL at HERHAAL_POSTGRES",
                self.options.external_within_s,
            )
        else:
            with file_errors():
                program = await postgres_server(
                    self.data, self.ports.postgres, self.options.postgres_settings
                )
                await self._start_server(program, postgres_probe(self.postgres))
        self.databases = await ensure_databases(self.postgres)

    async def start_services(self, names: Iterable[str] = SERVICES) -> None:
        """Start these services; they wait for their servers themselves."""
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
        """Start a service, or another instance of it with its own name and port."""
        name = instance or service
        at = port or self.ports.services[service]
        servers = ServiceAddresses(
            self.kafka_as(service),
            self.databases[service],
            self.options.service_log,
            self.issuers,
            owner_dsn(self.postgres, service),
            self.options.service_settings,
        )
        return await self._start(service_program(service, name, at, only, servers, self.data), at)

    async def start_issuer(self) -> None:
        """Start the development issuer, which needs no server."""
        write_address(self.data.issuer, self.issuer)
        program = issuer_program(self.data, self.ports.issuer, self.ports.portal)
        await self._start(program, self.ports.issuer)

    async def start_portal(self) -> None:
        """Start the portal; it waits for its database itself."""
        addresses = PortalAddresses(
            self.databases["portal"],
            owner_dsn(self.postgres, "portal"),
            self.issuers,
            self.options.service_log,
        )
        await self._start(portal_program(self.ports, addresses, self.data), self.ports.portal)

    async def _start(self, program: Program, port: int) -> Child:
        """Start a process of ours, which says on this port whether it is ready."""
        child = self._services[program.name] = Child(program, readyz_probe(port), self.report)
        with file_errors():
            await child.start()
        return child

    def token(self, role: Party, **scope: Unpack[TokenScope]) -> str:
        """Mint an access token, valid for 15 minutes, without asking the issuer; see `claims_of`."""
        # Imported here: only who mints needs cryptography.
        from deploy.local.issuer.tokens import token_of

        return token_of(claims_of(role, **scope), self.issuer, self.data.issuer)

    async def services_ready(self, within_s: float = READY_S) -> None:
        """Wait until the services, the issuer and the portal are ready.

        Raises StackError with the reason of one that is not.
        """
        await run_concurrently(
            *(child.ready(within_s, MAX_EXITS) for child in self._services.values())
        )

    def process(self, name: str) -> Child:
        """Get a process by name: `kafka-1`, `postgres`, a service, or an instance of one."""
        child = self._servers.get(name) or self._services.get(name)
        if child is None:
            names = ", ".join([*self._servers, *self._services])
            raise StackError(f"This stack runs no {name}; it runs {names or 'nothing'}.")
        return child

    async def kill(self, name: str) -> None:
        """Kill a process and its descendants with SIGKILL; it stays down until `start`."""
        await self.process(name).kill()

    async def stop(self, name: str, within_s: float = SERVICES_STOP_S) -> None:
        """Stop a process by its stop signal; it stays down until `start`."""
        await self.process(name).stop(within_s)

    async def start(self, name: str, within_s: float = READY_S) -> None:
        """Start a process again on the same data, and wait until it is ready."""
        child = self.process(name)
        await child.start()
        # PostgreSQL refuses to start while a process of the killed server still exits.
        await child.ready(within_s, give_up_after=MAX_RESTARTS)

    async def restart(self, name: str) -> None:
        """Stop a process and start it again."""
        await self.stop(name)
        await self.start(name)

    @property
    def endpoints(self) -> dict[str, str]:
        """The addresses of the portal, each service, the issuer, Kafka and PostgreSQL."""
        services = {name: url(port) for name, port in self.ports.services.items()}
        return {
            "portal": url(self.ports.portal),
            **services,
            "issuer": self.issuer,
            "kafka": self.kafka,
            "postgres": self.postgres,
        }

    @property
    def issuers(self) -> str:
        """The setting of the services: the issuers whose tokens they accept, as JSON."""
        keys = f"{self.issuer}/jwks"
        return json.dumps([{"url": self.issuer, "jwks": keys, "audience": "herhaal"}])

    @property
    def issuer(self) -> str:
        """The issuer's address, which is also the `iss` of its tokens."""
        return url(self.ports.issuer)

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of all running processes, by name."""
        children = {**self._servers, **self._services}
        return {name: child.pid for name, child in children.items() if child.running}

    async def note_contents(self, within_s: float = READY_S) -> None:
        """Write down what the servers hold: a backup must have as much.

        Raises StackError when a server does not say it in time.
        """
        try:
            async with asyncio.timeout(within_s):
                kafka, postgres = await asyncio.gather(
                    self.kafka_contents(), self.postgres_contents()
                )
        except (KafkaError, OSError, asyncpg.PostgresError) as error:
            raise StackError(
                f"What Kafka and PostgreSQL hold could not be noted ({type(error).__name__}):"
                " a backup is compared with what was noted before."
            ) from error
        write_contents(self.data, {KAFKA: kafka, POSTGRES: postgres})

    async def require_contents(self, within_s: float = READY_S) -> None:
        """Require what the servers hold in our folder. Raises StackError when it does not appear there."""
        await require_contents(self.data, within_s)

    async def kafka_contents(self) -> Contents:
        """Ask Kafka what it holds; of an external one only which it is."""
        contents = await kafka_contents(self.kafka)
        return Contents(contents.id) if self.options.external_kafka else contents

    async def postgres_contents(self) -> Contents:
        """Ask PostgreSQL what it holds; of an external one only which it is."""
        contents = await postgres_contents(self.postgres)
        return Contents(contents.id) if self.options.external_postgres else contents

    def write_endpoints(self) -> None:
        """Write endpoints.json in the data folder; `shutdown` removes it."""
        write_atomically(self.data.endpoints, self.endpoints)

    async def replication(self) -> int:
        """Return the replication factor for topics: the number of brokers, three at most."""
        if self.options.external_kafka is None:
            return self.options.brokers
        return min(3, await count_brokers(self.kafka))

    def hurry(self) -> None:
        """Make `shutdown` kill all processes at once."""
        for child in (*self._services.values(), *self._servers.values()):
            child.hurry()

    async def shutdown(self) -> None:
        """Stop services, then Kafka, then PostgreSQL, within 15 s. May be called again."""
        self.data.endpoints.unlink(missing_ok=True)
        kafka = [child for name, child in self._servers.items() if name != "postgres"]
        postgres = [child for name, child in self._servers.items() if name == "postgres"]
        await stop_all([*self._services.values()], SERVICES_STOP_S)
        await stop_all(kafka, KAFKA_STOP_S)
        await stop_all(postgres, POSTGRES_STOP_S)
        self.data.close()

    def _server_ports(self) -> Iterable[tuple[int, str, str]]:
        if not self.options.external_kafka:
            yield from self.ports.kafka_ports()
        if not self.options.external_postgres:
            yield from self.ports.postgres_port()

    @property
    def _nodes(self) -> range:
        return range(1, self.options.brokers + 1)

    async def _node(self, install: KafkaInstall, node: int) -> Program:
        settings = self.options.kafka_settings
        return await kafka_node(
            install, self.ports, self.data, node, self._cluster, self._security, settings
        )

    async def _start_broker(self, node: int, program: Program) -> None:
        whole = Address.parse(self.kafka)
        address = replace(whole, servers=(whole.servers[node - 1],)).full
        await self._start_server(program, kafka_probe(address, self.options.brokers))

    async def _start_server(self, program: Program, probe: Probe) -> None:
        child = Child(program, probe, self.report)
        self._servers[program.name] = child
        await child.start()
        await child.ready(START_S)
