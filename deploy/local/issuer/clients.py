"""The clients: our portal, where people log in, the made-up systems, and those that were added since."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.issuer.people import SYSTEMS
from deploy.local.issuer.systems import digest_of, read_systems
from schemas.access import Claims, Party

PORTAL = "portal"


@dataclass(frozen=True)
class Client:
    """A client. One without a secret logs people in, with PKCE; one with a secret is a system of its own.

    Addresses are compared as they are, character by character. Of a secret only the digest is known.
    """

    id: str
    redirect_uris: frozenset[str] = frozenset()
    after_logout: frozenset[str] = frozenset()
    secret_digest: str | None = field(default=None, repr=False)
    system: Claims | None = None


class LocalClients(Mapping[str, Client]):
    """The portal at a port, and the systems; those in the issuer's folder as they are at each request."""

    def __init__(self, portal_port: int, folder: Path) -> None:
        self._folder = folder
        origins = [f"http://{host}:{portal_port}" for host in ("127.0.0.1", "localhost")]
        portal = Client(
            PORTAL,
            redirect_uris=frozenset(f"{origin}/login/callback" for origin in origins),
            after_logout=frozenset(f"{origin}/" for origin in origins),
        )
        made_up = [
            Client(it.sub, secret_digest=digest_of(secret_of(it.sub)), system=it) for it in SYSTEMS
        ]
        self._fixed = {client.id: client for client in (portal, *made_up)}

    def __getitem__(self, name: str) -> Client:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, Client]:
        added = {
            name: Client(
                name,
                secret_digest=system["digest"],
                system=Claims(sub=name, role=Party(system["kind"])),
            )
            for name, system in read_systems(self._folder).items()
        }
        return self._fixed | added


def secret_of(system: str) -> str:
    """The secret of a made-up system. No secret at all: on this machine anybody can log in as anybody."""
    return f"secret-of-{system}"
