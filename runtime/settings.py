"""Settings of a service process, from the environment (`HERHAAL_…`)."""

from ipaddress import ip_address
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.observability.logs import LogFormat

Part = Literal["all", "api", "worker"]


class Settings(BaseSettings):
    """Where a service finds its servers and listens. A service with settings of its own extends this class.

    `kafka` is `host:port[,host:port]`, `database` the DSN of the service's own database with its own
    role, `listen` is `address:port`. There is no access control yet, so only loopback is accepted
    unless `insecure_listen` says otherwise. `patience_s` is how long records may wait while nothing
    moves, before readiness tells and a worker that gives no sign of life ends its process.
    `loop_connections` and `api_connections` bound the two pools; the loop uses four at once at most.
    """

    model_config = SettingsConfigDict(env_prefix="HERHAAL_")

    kafka: str = "127.0.0.1:9092"
    database: str
    listen: str = "127.0.0.1:8101"
    log: LogFormat = "json"
    insecure_listen: bool = False
    max_records: int = Field(default=1000, ge=1, le=10_000)
    session_timeout_ms: int = Field(default=10_000, ge=6000, le=300_000)
    patience_s: float = Field(default=30.0, ge=5, le=3600)
    loop_connections: int = Field(default=5, ge=4, le=20)
    api_connections: int = Field(default=5, ge=1, le=100)

    @property
    def host(self) -> str:
        """The address part of `listen`."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port part of `listen`."""
        return int(self.listen.rpartition(":")[2])

    @model_validator(mode="after")
    def _loopback_only(self) -> Self:
        if not _is_port(self.listen.rpartition(":")[2]):
            raise ValueError("listen must be address:port")
        if not self.insecure_listen and not _is_loopback(self.host):
            raise ValueError(
                f"{self.host} is not loopback: there is no access control yet, "
                "so listening elsewhere needs --insecure-listen"
            )
        return self


def _is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) < 1 << 16


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
