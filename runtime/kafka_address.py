"""Kafka's address: where it is, who connects, and whether the connection is encrypted.

One text, as PostgreSQL's is: `kafka://USER:PASSWORD@HOST:PORT[,HOST:PORT][?ca=FILE]`. Users log in with
SCRAM-SHA-512. `ca` is the certificate (PEM) of the authority that signed the brokers': with it, connections are
encrypted (TLS). `HOST:PORT[,HOST:PORT]` alone is a Kafka that asks nobody who they are.
"""

import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

SCHEME = "kafka"
MECHANISM = "SCRAM-SHA-512"


class InvalidAddress(ValueError):
    """Not an address of Kafka. The message never quotes it, as it may hold a password."""


@dataclass(frozen=True)
class Address:
    """An address in its parts. Without a `user` nobody logs in; with a `ca`, connections are encrypted."""

    servers: tuple[str, ...]
    user: str | None = None
    password: str = field(default="", repr=False)
    ca: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse an address. Raises InvalidAddress."""
        parts = urlsplit(text if "://" in text else f"{SCHEME}://{text}")
        login, _, hosts = parts.netloc.rpartition("@")
        user, _, password = login.partition(":")
        options = parse_qs(parts.query, keep_blank_values=True)
        if parts.scheme != SCHEME or parts.path or parts.fragment or options.keys() - {"ca"}:
            raise InvalidAddress("is not kafka://USER:PASSWORD@HOST:PORT[,HOST:PORT][?ca=FILE]")
        if not all(map(_is_server, servers := hosts.split(","))):
            raise InvalidAddress("must name each server as HOST:PORT")
        if bool(user) != bool(password):
            raise InvalidAddress("must have a user and a password, or neither")
        ca = options.get("ca", [""])[0]
        return cls(tuple(servers), unquote(user) or None, unquote(password), ca or None)

    @property
    def protocol(self) -> str:
        """Kafka's `security.protocol`: whether clients log in, and whether connections are encrypted."""
        return "SASL_" * bool(self.user) + ("SSL" if self.ca else "PLAINTEXT")

    @property
    def full(self) -> str:
        """The address as text, with the password: never for people."""
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        options = f"?ca={quote(self.ca)}" if self.ca else ""
        return f"{SCHEME}://{login}{','.join(self.servers)}{options}"


def client_options(kafka: str) -> dict[str, Any]:
    """Make the arguments of an aiokafka client for an address: servers, login, encryption.

    Raises:
        InvalidAddress: this is not an address.
        OSError: the authority's certificate cannot be read.
    """
    address = Address.parse(kafka)
    options: dict[str, Any] = {
        "bootstrap_servers": [*address.servers],
        "security_protocol": address.protocol,
    }
    if address.ca:
        options["ssl_context"] = tls_context(address.ca)
    if address.user:
        options |= {
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": address.user,
            "sasl_plain_password": address.password,
        }
    return options


def librdkafka_options(kafka: str) -> dict[str, Any]:
    """Make librdkafka's options for an address, as `client_options`. Raises InvalidAddress."""
    address = Address.parse(kafka)
    options: dict[str, Any] = {
        "bootstrap.servers": ",".join(address.servers),
        "security.protocol": address.protocol.lower(),
    }
    if address.ca:
        options["ssl.ca.location"] = address.ca
    if address.user:
        options |= {
            "sasl.mechanism": MECHANISM,
            "sasl.username": address.user,
            "sasl.password": address.password,
        }
    return options


@lru_cache
def tls_context(ca: str) -> ssl.SSLContext:
    """Make the context that trusts this authority alone. Raises OSError when its file cannot be read."""
    return ssl.create_default_context(cafile=ca)


def servers_of(kafka: str) -> str:
    """The servers of an address: what may be shown. Raises InvalidAddress."""
    return ",".join(Address.parse(kafka).servers)


def _is_server(server: str) -> bool:
    host, _, port = server.rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 1 << 16
