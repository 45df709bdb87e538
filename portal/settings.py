"""Settings of the portal's process, from the environment (`HERHAAL_…`) and from files of secrets."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from portal.session.sealing import Sealer
from runtime.issuers import Issuer, is_protected
from runtime.settings import ServerSettings


class PortalSettings(ServerSettings):
    """The portal's settings.

    `portal_url` is the origin that people use, such as `https://herhaal.example.nl`: the only host that is
    answered. `portal_key` seals tokens and kept forms, 64 hexadecimal digits. The first of `issuers` logs
    people in; the portal is its client `portal_client`, with `portal_client_secret` where the provider gave
    one. `ordering_url` and so on are where the services answer: over https, unless they are on this machine
    or `insecure_services` is set, as every request bears somebody's token. A session ends after
    `session_idle_minutes` without a page, and `session_hours` after login.
    """

    listen: str = "127.0.0.1:8100"
    portal_url: str
    portal_key: SecretStr
    portal_client: str = "portal"
    portal_client_secret: SecretStr | None = None
    ordering_url: str
    medication_url: str
    notification_url: str
    metrics_url: str
    insecure_services: bool = False
    session_idle_minutes: int = Field(default=30, ge=1, le=24 * 60)
    session_hours: int = Field(default=12, ge=1, le=24)
    api_connections: int = Field(default=10, ge=1, le=100)

    @property
    def issuer(self) -> Issuer:
        """The provider that logs people in."""
        return self.issuers[0]

    @field_validator("portal_key")
    @classmethod
    def _is_key(cls, key: SecretStr) -> SecretStr:
        Sealer.from_hex(key.get_secret_value())
        return key

    @model_validator(mode="after")
    def _encrypted_services(self) -> Self:
        urls = (self.ordering_url, self.medication_url, self.notification_url, self.metrics_url)
        if not (self.insecure_services or all(map(is_protected, urls))):
            raise ValueError(
                "the services are asked over https, or on this machine: each request bears a token."
                " HERHAAL_INSECURE_SERVICES=true allows http"
            )
        return self

    @model_validator(mode="after")
    def _is_origin(self) -> Self:
        parts = urlsplit(self.portal_url)
        if not parts.hostname or self.portal_url != f"{parts.scheme}://{parts.netloc}":
            raise ValueError(
                "HERHAAL_PORTAL_URL must be an origin, such as https://herhaal.example.nl"
            )
        if not is_protected(self.portal_url):
            raise ValueError("HERHAAL_PORTAL_URL must be https, unless it is this machine")
        return self
