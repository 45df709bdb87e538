"""Who may log in to our Kafka: passwords, certificates, and the brokers' settings for them."""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.certificates import AUTHORITY, SERVER, ensure_certificates
from deploy.local.data import DataFolder, write_atomically
from deploy.local.ports import SERVICES
from deploy.local.processes.process import HERE
from runtime.kafka_address import MECHANISM, Address
from schemas.access import Party

BROKER = "broker"
"""The brokers among themselves and with their controllers."""

CLIENT, CONTROLLER = "CLIENT", "CONTROLLER"
"""The listeners of a node."""

OPEN = {"listener.security.protocol.map": f"{CLIENT}:PLAINTEXT,{CONTROLLER}:PLAINTEXT"}
"""Settings of a Kafka that asks nobody who they are."""

_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


def ensure_security(data: DataFolder, *, tls: bool) -> "Security":
    """Read the passwords of this data folder, or make them; with `tls`, also its certificates."""
    if not data.passwords.exists():
        write_atomically(data.passwords, new_passwords())
    if tls:
        ensure_certificates(data.certificates)
    passwords: dict[str, str] = json.loads(data.passwords.read_text())
    return Security(passwords, data.certificates if tls else None)


def new_passwords() -> dict[str, str]:
    """Make a password for the brokers, the operator and each service."""
    return {user: secrets.token_urlsafe(24) for user in (BROKER, Party.OPERATOR, *SERVICES)}


@dataclass(frozen=True)
class Security:
    """How our Kafka asks who connects: by these passwords, encrypted if there is a folder of certificates.

    Clients and brokers log in with SCRAM. The controllers cannot, as they keep its passwords themselves: they
    know one user, `BROKER`, by a password in their settings.
    """

    passwords: Mapping[str, str] = field(repr=False)
    certificates: Path | None = None

    def address(self, servers: str, user: str) -> str:
        """Make Kafka's address for this user."""
        ca = str(self.certificates / AUTHORITY) if self.certificates else None
        return Address(tuple(servers.split(",")), user, self.passwords[user], ca).full

    def settings(self) -> dict[str, object]:
        """Make the settings of a broker. They hold passwords."""
        protocol = "SASL_SSL" if self.certificates else "SASL_PLAINTEXT"
        password = self.passwords[BROKER]
        login = f'required username="{BROKER}" password="{password}"'
        client, controller = (f"listener.name.{name.lower()}" for name in (CLIENT, CONTROLLER))
        return {
            "listener.security.protocol.map": ",".join(
                f"{n}:{protocol}" for n in (CLIENT, CONTROLLER)
            ),
            "sasl.enabled.mechanisms": MECHANISM,
            "sasl.mechanism.inter.broker.protocol": MECHANISM,
            "sasl.mechanism.controller.protocol": "PLAIN",
            f"{client}.{MECHANISM.lower()}.sasl.jaas.config": f"{_SCRAM} {login};",
            f"{controller}.sasl.enabled.mechanisms": "PLAIN",
            f"{controller}.plain.sasl.jaas.config": f'{_PLAIN} {login} user_{BROKER}="{password}";',
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:{BROKER};User:{Party.OPERATOR}",
            **self._encryption(),
        }

    def format_arguments(self) -> Iterable[str]:
        """Make the arguments of the storage tool that create the users. They hold passwords."""
        for user, password in self.passwords.items():
            yield from ("--add-scram", f"{MECHANISM}=[name={user},password={password}]")

    def _encryption(self) -> dict[str, object]:
        if self.certificates is None:
            return {}
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": f"{HERE}/../{self.certificates.name}/{SERVER}",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": f"{HERE}/../{self.certificates.name}/{AUTHORITY}",
        }
