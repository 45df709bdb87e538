"""A made-up issuer of tokens: well-formed ones, and whatever else an attacker could write."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from runtime.http.tokens import InvalidToken, TokenVerifier
from runtime.issuers import Issuer

URL = "https://login.example.nl/realms/zorg"
AUDIENCE = "herhaal"
NOW = 1_795_000_000.0
PATIENT = "pat_7f3a9c21"

CLAIMS: Mapping[str, Any] = {
    "iss": URL,
    "aud": AUDIENCE,
    "sub": "u-4711",
    "iat": NOW,
    "exp": NOW + 300,
    "role": "patient",
    "patients": [PATIENT],
}


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class MadeUpIssuer:
    """An issuer with one key, which it may replace."""

    def __init__(self, url: str = URL, algorithm: str = "ES256", kid: str = "key-1") -> None:
        self.url = url
        self.algorithm = algorithm
        self.kid = kid
        self.key = new_key(algorithm)
        self.fetches = 0

    def issuer(self, **changes: Any) -> Issuer:
        """As it is configured."""
        jwks = f"{self.url}/keys"
        return Issuer(
            **{
                "url": self.url,
                "jwks": jwks,
                "audience": AUDIENCE,
                "algorithms": (self.algorithm,),
                **changes,
            }
        )

    async def fetch(self, _: str) -> bytes:
        """Answer with its keys."""
        self.fetches += 1
        return self.document()

    def document(self, **members: Any) -> bytes:
        """Its JWKS; `members` are added to its key."""
        return jwks(self.jwk(**members))

    def jwk(self, **members: Any) -> dict[str, Any]:
        """Its public key."""
        return {**self.key.as_dict(private=False), "kid": self.kid, "use": "sig", **members}

    def token(self, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A token with these claims changed; None takes one away."""
        every = {**CLAIMS, "iss": self.url, **claims}
        kept = {name: value for name, value in every.items() if value is not None}
        return self.written(json.dumps(self.header(**header or {})), json.dumps(kept))

    def header(self, **changes: Any) -> dict[str, Any]:
        """The header of its tokens; None takes a parameter away."""
        every = {"alg": self.algorithm, "typ": "at+jwt", "kid": self.kid, **changes}
        return {name: value for name, value in every.items() if value is not None}

    def written(self, header: str | bytes, claims: str | bytes) -> str:
        """A token of exactly these texts, properly signed."""
        return signed(encoded(header), encoded(claims), self.algorithm, self.key)


def new_key(algorithm: str) -> ECKey | RSAKey | OKPKey:
    """A key for signatures of this algorithm."""
    match algorithm:
        case "ES256" | "ES384":
            return ECKey.generate_key("P-256" if algorithm == "ES256" else "P-384")
        case "EdDSA":
            return OKPKey.generate_key("Ed25519")
        case _:
            return RSAKey.generate_key(2048)


def jwks(*keys: Mapping[str, Any]) -> bytes:
    """A JWKS of these keys."""
    return json.dumps({"keys": keys}).encode()


def encoded(content: str | bytes) -> str:
    """Base64url without padding."""
    raw = content.encode() if isinstance(content, str) else content
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: str, claims: str, algorithm: str, key: Key) -> str:
    """The two encoded parts with their signature."""
    message = f"{header}.{claims}"
    name = "Ed25519" if algorithm == "EdDSA" else algorithm
    return f"{message}.{encoded(JWSRegistry.algorithms[name].sign(message.encode(), key))}"


def claims_text(**changes: Any) -> str:
    """The claims of a token as JSON, with some changed."""
    return json.dumps({**CLAIMS, **changes})


async def refusal(issuer: MadeUpIssuer, token: str, **changes: Any) -> str:
    """The code with which a token is refused by a new verifier; `changes` are of the issuer's configuration."""
    verifier = TokenVerifier([issuer.issuer(**changes)], fetch=issuer.fetch, clock=Clock())
    with pytest.raises(InvalidToken) as refused:
        await verifier.verify(token)
    return refused.value.code
