"""What a stack consists of, and where it listens and keeps its data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from deploy.local.ports import PortPlan

MANY_IN_ONE = {
    f"HERHAAL_LIMIT_{whose}": "1000000/1" for whose in ("PERSON", "SYSTEM", "PATIENT", "ADDRESS")
}
"""Settings of services for programs in which one made-up person or system stands for very many."""


@dataclass(frozen=True)
class StackOptions:
    """What to start, and where.

    `external_kafka` (its address) and `external_postgres` (an administrator's DSN) are used instead of our
    servers, and must answer within `external_within_s`. `kafka_settings` and `postgres_settings` override
    the settings of our servers, and `service_settings` are further variables of the services' environment. With
    `tls`, connections to our Kafka are encrypted. With `open_kafka`, it asks
    nobody who they are: for measurements beside programs that cannot log in.
    """

    data: Path
    port_base: int = 8100
    kafka_port: int = 9092
    brokers: int = 1
    external_kafka: str | None = field(default=None, repr=False)
    external_postgres: str | None = field(default=None, repr=False)
    service_log: Literal["console", "json"] = "json"
    external_within_s: float = 10.0
    kafka_settings: Mapping[str, str] = field(default_factory=dict)
    postgres_settings: Mapping[str, str] = field(default_factory=dict)
    service_settings: Mapping[str, str] = field(default_factory=dict)
    tls: bool = False
    open_kafka: bool = False

    @classmethod
    def at(cls, data: Path, ports: PortPlan) -> Self:
        """Make options for a program, such as a test, with the ports of a plan (`free_ports()`).

        Nobody is limited, as few tokens send all that the program sends.
        """
        return cls(data, ports.base, ports.kafka, ports.brokers, service_settings=MANY_IN_ONE)

    @property
    def ports(self) -> PortPlan:
        return PortPlan(self.port_base, self.kafka_port, self.brokers)
