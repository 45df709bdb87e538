"""Settings of a service process, from the environment (`HERHAAL_…`) and from files of secrets."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from runtime.audit.chain import AuditKey
from runtime.dsn import require_tls
from runtime.issuers import Issuer, is_loopback
from runtime.kafka_address import Address
from runtime.limits import Limit, Limits
from runtime.observability.logs import LogFormat

Part = Literal["all", "api", "worker"]

LimitText = Annotated[Limit, NoDecode, BeforeValidator(Limit.parse)]
"""A limit as text: `QUOTA/SECONDS`."""


class ServerSettings(BaseSettings):
    """Settings of every process of ours that answers HTTP and has a database. One with more extends this class.

    Addresses may hold passwords, so they are secrets: their `repr` shows none, and no error quotes a setting.
    `database` is the DSN of the process's database, `listen` `address:port`.
    `database_owner` is the DSN of the same database as the owner of its tables; without it, the process does
    not migrate, and runs only when all migrations are applied.
    `issuers` is a JSON list of the OIDC providers whose access tokens are accepted (see
    `runtime.issuers.Issuer`): at least one. `certificate` is a PEM file with the server's certificate and its
    key: requests are encrypted then. `listen` must be a loopback address unless there is a certificate, or
    `insecure_listen` is set. Both DSNs need TLS with a verified server (`runtime.dsn.require_tls`) unless
    `insecure_database` is set. `api_connections` is the size of the pool for requests.
    """

    model_config = SettingsConfigDict(env_prefix="HERHAAL_", hide_input_in_errors=True)

    database: SecretStr
    database_owner: SecretStr | None = None
    listen: str = "127.0.0.1:8101"
    log: LogFormat = "json"
    certificate: Path | None = None
    insecure_listen: bool = False
    insecure_database: bool = False
    issuers: tuple[Issuer, ...] = Field(default=(), validate_default=True)
    api_connections: int = Field(default=5, ge=1, le=100)

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings from the environment, and from the files in the folder `HERHAAL_SECRETS`, if set.

        A file is named as its variable, such as `HERHAAL_DATABASE`; the environment comes first.

        Raises:
            pydantic.ValidationError, SettingsError: a setting is missing or wrong; neither quotes it.
            ValueError: the folder cannot be read.
        """
        folder = os.environ.get("HERHAAL_SECRETS")
        if folder is not None and not Path(folder).is_dir():
            raise ValueError("HERHAAL_SECRETS is not a folder that can be read")
        return cls(_secrets_dir=folder)

    @property
    def host(self) -> str:
        """The address part of `listen`."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port part of `listen`."""
        return int(self.listen.rpartition(":")[2])

    @field_validator("issuers")
    @classmethod
    def _is_not_empty(cls, issuers: tuple[Issuer, ...]) -> tuple[Issuer, ...]:
        if not issuers:
            raise ValueError(
                "without an issuer nobody can prove who asks: set it to the OIDC providers whose access"
                ' tokens are accepted, such as [{"url": "https://login.example.org", "jwks":'
                ' "https://login.example.org/jwks", "audience": "herhaal"}]'
            )
        return issuers

    @model_validator(mode="after")
    def _encrypted_database(self) -> Self:
        if not self.insecure_database:
            for dsn in filter(None, (self.database, self.database_owner)):
                require_tls(dsn.get_secret_value())
        return self

    @model_validator(mode="after")
    def _loopback_only(self) -> Self:
        if not _is_port(self.listen.rpartition(":")[2]):
            raise ValueError("listen must be address:port")
        if not (self.certificate or self.insecure_listen or is_loopback(self.host)):
            raise ValueError(
                f"{self.host} is not loopback: listening there needs HERHAAL_CERTIFICATE, or"
                " --insecure-listen"
            )
        return self


class Settings(ServerSettings):
    """Settings common to all services. A service with more settings extends this class.

    `kafka` is Kafka's address (see `runtime.kafka_address`). Its servers must be on loopback unless connections
    to them are encrypted, or `insecure_kafka` is set. `audit_key` is the secret of the audit trail, 64
    hexadecimal digits.
    `patience_s` is how long a partition may be stalled before readiness reports it, and how long a worker with
    work may show no sign of life before its process ends. `loop_connections` is the size of the loop's pool;
    the loop uses at most four at once. `limit_person`, `limit_system`, `limit_patient` and `limit_address` are
    how many requests each may send, as `QUOTA/SECONDS` (`runtime.limits`).
    """

    kafka: SecretStr = SecretStr("127.0.0.1:9092")
    audit_key: SecretStr
    insecure_kafka: bool = False
    max_records: int = Field(default=1000, ge=1, le=10_000)
    session_timeout_ms: int = Field(default=10_000, ge=6000, le=300_000)
    patience_s: float = Field(default=30.0, ge=5, le=3600)
    loop_connections: int = Field(default=5, ge=4, le=20)
    limit_person: LimitText = Limit(100, 20)
    limit_system: LimitText = Limit(100_000, 20)
    limit_patient: LimitText = Limit(100, 20)
    limit_address: LimitText = Limit(200, 20)

    @property
    def limits(self) -> Limits:
        """How many requests each may send."""
        return Limits(self.limit_person, self.limit_system, self.limit_patient, self.limit_address)

    @field_validator("audit_key")
    @classmethod
    def _is_audit_key(cls, key: SecretStr) -> SecretStr:
        AuditKey.read(key.get_secret_value())
        return key

    @field_validator("kafka")
    @classmethod
    def _is_address(cls, kafka: SecretStr) -> SecretStr:
        Address.parse(kafka.get_secret_value())
        return kafka

    @model_validator(mode="after")
    def _kafka_is_encrypted(self) -> Self:
        address = Address.parse(self.kafka.get_secret_value())
        hosts = [server.rpartition(":")[0].strip("[]") for server in address.servers]
        if not (address.ca or self.insecure_kafka or all(map(is_loopback, hosts))):
            raise ValueError(
                "Kafka is not on loopback and not encrypted: add ?ca=FILE to HERHAAL_KAFKA, or set"
                " HERHAAL_INSECURE_KAFKA=true"
            )
        return self


def _is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) < 1 << 16
