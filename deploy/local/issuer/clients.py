"""The configured clients: our portal, where people log in, and the made-up systems."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.issuer.people import SYSTEMS
from schemas.access import Claims

PORTAL = "portal"


@dataclass(frozen=True)
class Client:
    """A client. One without a secret logs people in, with PKCE; one with a secret is a system of its own.

    Addresses are compared as they are, character by character.
    """

    id: str
    redirect_uris: frozenset[str] = frozenset()
    after_logout: frozenset[str] = frozenset()
    secret: str | None = None
    system: Claims | None = None


def local_clients(portal_port: int) -> Mapping[str, Client]:
    """The portal at this port, and the systems."""
    origins = [f"http://{host}:{portal_port}" for host in ("127.0.0.1", "localhost")]
    portal = Client(
        PORTAL,
        redirect_uris=frozenset(f"{origin}/login/callback" for origin in origins),
        after_logout=frozenset(f"{origin}/" for origin in origins),
    )
    systems = [Client(it.sub, secret=secret_of(it.sub), system=it) for it in SYSTEMS]
    return {client.id: client for client in (portal, *systems)}


def secret_of(system: str) -> str:
    """The secret of a made-up system. No secret at all: on this machine anybody can log in as anybody."""
    return f"secret-of-{system}"
