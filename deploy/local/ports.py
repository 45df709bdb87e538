"""The ports of a stack's processes, and whether they are free."""

import random
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.local.errors import StackError

SERVICES = ("ordering", "medication", "notification", "metrics")
"""The services in the order of their ports: port-base + 1 … + 4."""

DATABASES = (*SERVICES, "portal")
"""Who has a database: the services, and the portal for its sessions."""

LOOPBACK = "127.0.0.1"
POSTGRES_OFFSET = 5
ISSUER_OFFSET = 6
KAFKA_BLOCK = 6
"""Ports from --kafka-port on: three brokers, then three controllers."""


@dataclass(frozen=True)
class PortPlan:
    """The ports of one stack; `brokers` is 1 or 3."""

    base: int = 8100
    kafka: int = 9092
    brokers: int = 1

    def __post_init__(self) -> None:
        if self.brokers not in (1, 3):
            raise StackError(f"--brokers must be 1 or 3, not {self.brokers}.")
        last = max(self.issuer, self.kafka + KAFKA_BLOCK - 1)
        if min(self.base, self.kafka) < 1 or last > 65535:
            raise StackError("Choose --port-base and --kafka-port between 1 and 65000.")
        if set(self._low_block) & set(self._kafka_block):
            raise StackError(
                f"--port-base {self.base} and --kafka-port {self.kafka} overlap:"
                f" the portal, the services, PostgreSQL and the issuer use {self.base} to {self.issuer},"
                f" Kafka {self.kafka} to {self.kafka + KAFKA_BLOCK - 1}."
            )

    @property
    def _low_block(self) -> range:
        return range(self.portal, self.issuer + 1)

    @property
    def _kafka_block(self) -> range:
        return range(self.kafka, self.kafka + KAFKA_BLOCK)

    @property
    def services(self) -> dict[str, int]:
        """The port of each service."""
        return {name: self.base + 1 + place for place, name in enumerate(SERVICES)}

    @property
    def postgres(self) -> int:
        return self.base + POSTGRES_OFFSET

    @property
    def issuer(self) -> int:
        return self.base + ISSUER_OFFSET

    @property
    def portal(self) -> int:
        """Where people's browsers go."""
        return self.base

    @property
    def broker_ports(self) -> tuple[int, ...]:
        return tuple(self._kafka_block[: self.brokers])

    @property
    def controller_ports(self) -> tuple[int, ...]:
        """The controllers' ports, from kafka + 3 on, with one broker as with three."""
        return tuple(self._kafka_block[3 : 3 + self.brokers])

    @property
    def bootstrap(self) -> str:
        """The brokers' addresses, as `bootstrap.servers`."""
        return ",".join(f"{LOOPBACK}:{port}" for port in self.broker_ports)

    def kafka_ports(self) -> Iterator[tuple[int, str, str]]:
        """List Kafka's ports: the port, its use, and the option that changes it."""
        for port in (*self.broker_ports, *self.controller_ports):
            yield port, "Kafka", "--kafka-port"

    def postgres_port(self) -> Iterator[tuple[int, str, str]]:
        yield self.postgres, "PostgreSQL", "--port-base"

    def service_ports(self) -> Iterator[tuple[int, str, str]]:
        for name, port in self.services.items():
            yield port, name, "--port-base"
        yield self.issuer, "the issuer", "--port-base"
        yield self.portal, "the portal", "--port-base"


def is_free(port: int) -> bool:
    """Whether this port of the loopback address is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without it, connections in TIME_WAIT of an earlier stack make a port look taken. The servers
        # set it as well.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def require_free(ports: Sequence[tuple[int, str, str]]) -> None:
    """Require free ports. Raises StackError with the first taken port and the option that changes it."""
    for port, what, option in ports:
        if not is_free(port):
            raise StackError(
                f"Port {port} (for {what}) is already in use on {LOOPBACK};"
                f" stop what listens there or choose another with {option}."
            )


def free_ports(brokers: int = 1) -> PortPlan:
    """Find a plan with free ports; for tests and the demo, which may run beside a stack."""
    for _ in range(200):
        # Below the range that operating systems hand out for outgoing connections.
        base = random.randrange(12_000, 32_000, 20)
        plan = PortPlan(base, base + ISSUER_OFFSET + 1, brokers)
        block = range(base, plan.kafka + KAFKA_BLOCK)
        if all(is_free(port) for port in block):
            return plan
    raise StackError("No block of free ports was found between 12000 and 32000.")
