"""The development issuer in memory, with a clock that tests set."""

from collections import ChainMap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from deploy.local.issuer.app import create_app
from deploy.local.issuer.clients import Client, LocalClients
from deploy.local.issuer.tokens import Minter
from tests.harness.oidc import Browser

ISSUER = "http://127.0.0.1:8106"
CALLBACK = "http://127.0.0.1:8100/login/callback"
KEY = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
OTHER = Client("other-portal", redirect_uris=frozenset({CALLBACK}))


@dataclass
class Clock:
    """A time in seconds that a test sets."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Issuing:
    """A running issuer, its clock, and a browser before it."""

    http: httpx.AsyncClient
    clock: Clock
    minter: Minter

    @property
    def browser(self) -> Browser:
        """A new login at the portal."""
        return Browser(self.http, CALLBACK)


@asynccontextmanager
async def issuing(folder: Path = Path("/nowhere")) -> AsyncIterator[Issuing]:
    """Serve the issuer with the local clients, and another public one; added systems are in `folder`."""
    clock = Clock()
    minter = Minter(ISSUER, KEY, clock)
    clients = ChainMap({OTHER.id: OTHER}, LocalClients(8100, folder))  # type: ignore[arg-type]
    transport = httpx.ASGITransport(create_app(minter, clients, clock=clock))
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
        yield Issuing(http, clock, minter)


def decoded(token: str) -> jwt.Token:
    """A token's header and claims, verified by the public key alone."""
    public = KeySet.import_key_set(Minter(ISSUER, KEY).jwks)  # type: ignore[arg-type]
    return jwt.decode(token, public, algorithms=["ES256"])


def claims(token: str) -> dict[str, Any]:
    """A token's claims."""
    return decoded(token).claims
