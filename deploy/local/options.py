"""What a stack consists of, and where it listens and keeps its data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from deploy.local.ports import PortPlan


@dataclass(frozen=True)
class StackOptions:
    """What to start, and where.

    `external_kafka` (its address) and `external_postgres` (an administrator's DSN) are used instead of our
    servers, and must answer within `external_within_s`. `kafka_settings` and `postgres_settings` override
    the settings of our servers. With `tls`, connections to our Kafka are encrypted. With `open_kafka`, it asks
    nobody who they are: for measurements beside programs that cannot log in.
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
    tls: bool = False
    open_kafka: bool = False

    @classmethod
    def at(cls, data: Path, ports: PortPlan) -> Self:
        """Make options with the ports of a plan, such as one of `free_ports()`."""
        return cls(data, ports.base, ports.kafka, ports.brokers)

    @property
    def ports(self) -> PortPlan:
        return PortPlan(self.port_base, self.kafka_port, self.brokers)
