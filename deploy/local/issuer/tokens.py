"""Mints access tokens (RFC 9068) and ID tokens, signed with ES256."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from deploy.local.issuer.clients import PORTAL
from deploy.local.issuer.keys import ALGORITHM, ensure_key
from schemas.access import SYSTEM_KINDS, Claims

AUDIENCE = "herhaal"
"""The `aud` of access tokens: the four services, which are one resource."""

ACCESS_S = 15 * 60
ID_S = 5 * 60


@dataclass(frozen=True)
class Login:
    """A person who has logged in at a client, at a time in seconds since the epoch; `sid` names the session.

    `name` is there when the client asked for the profile.
    """

    claims: Claims
    client: str
    sid: str
    at: int
    nonce: str | None
    name: str | None = None


class Minter:
    """Mints and checks the tokens of one issuer."""

    def __init__(self, issuer: str, key: ECKey, clock: Callable[[], float] = time.time) -> None:
        self.issuer = issuer
        self._key = key
        self._clock = clock

    @property
    def jwks(self) -> Mapping[str, Any]:
        """The public key, as a JWK set."""
        return dict(KeySet([self._key]).as_dict(private=False))

    def access_token(self, claims: Claims, client: str) -> str:
        """Mint an access token, valid for 15 minutes; claims that say nothing are left out."""
        said = claims.model_dump(mode="json", exclude_defaults=True)
        token = self._base(AUDIENCE, ACCESS_S) | {"jti": str(uuid4()), "client_id": client}
        return self._sign("at+jwt", token | said)

    def id_token(self, login: Login) -> str:
        """Mint the ID token of a login, for its client only."""
        token = self._base(login.client, ID_S)
        token |= {"sub": login.claims.sub, "auth_time": login.at, "sid": login.sid}
        asked = {"nonce": login.nonce, "name": login.name}
        return self._sign("JWT", token | {what: said for what, said in asked.items() if said})

    def session_of(self, id_token: str) -> tuple[str, str] | None:
        """Read client and session of an ID token of ours, also of an expired one; None for anything else."""
        try:
            token = jwt.decode(id_token, self._key, algorithms=[ALGORITHM])
        except (JoseError, ValueError):
            return None
        if token.header.get("typ") != "JWT":
            return None
        return token.claims["aud"], token.claims["sid"]

    def _base(self, audience: str, lifetime_s: int) -> dict[str, Any]:
        now = int(self._clock())
        return {"iss": self.issuer, "aud": audience, "iat": now, "exp": now + lifetime_s}

    def _sign(self, kind: str, claims: dict[str, Any]) -> str:
        header = {"alg": ALGORITHM, "typ": kind, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key)


def token_of(claims: Claims, issuer: str, folder: Path) -> str:
    """Mint an access token as the issuer would, with the key in its folder: a person's for the portal, a
    system's for itself. Raises StackError for an unusable key.
    """
    client = claims.sub if claims.role in SYSTEM_KINDS else PORTAL
    return Minter(issuer, ensure_key(folder)).access_token(claims, client)
