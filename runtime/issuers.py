"""The issuers whose tokens a service accepts: configuration, and what it may not be."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

ALGORITHMS = frozenset({"ES256", "ES384", "RS256", "PS256", "EdDSA"})
"""Signature algorithms that may be pinned (RFC 7518, RFC 8037): asymmetric ones only. EdDSA is Ed25519."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """An OIDC provider: `url` is its exact `iss`, `jwks` the URL of its keys, `audience` our name in `aud`.

    Tokens may be signed with `algorithms` only. Raises ValueError when one of these cannot be meant.
    """

    url: str
    jwks: str
    audience: str
    algorithms: tuple[str, ...] = ("ES256",)

    def __post_init__(self) -> None:
        if not self.url or not self.audience:
            raise ValueError("an issuer needs its URL and our audience")
        if not is_protected(self.jwks):
            raise ValueError("an issuer's keys are fetched over https, or over http from loopback")
        if not self.algorithms or not ALGORITHMS.issuperset(self.algorithms):
            raise ValueError(f"an issuer's algorithms are some of {', '.join(sorted(ALGORITHMS))}")


def is_protected(url: str) -> bool:
    """Tell whether a URL is https, or http to this machine."""
    parts = urlsplit(url)
    if not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine, reached without a network."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
