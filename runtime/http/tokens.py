"""Verifies bearer tokens: signed access tokens of configured issuers (RFC 9068, RFC 7519, RFC 8725).

The form and the claims are checked here, before and after the signature: JWT libraries accept much of what is
refused here.
"""

import asyncio
import base64
import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from pydantic import ValidationError

from runtime.http.jwks import FetchKeys, IssuerKeys, VerificationKey, fetch_keys
from runtime.issuers import Issuer
from schemas.access import Claims

__all__ = ["FetchKeys", "InvalidToken", "Issuer", "KeysUnavailable", "TokenVerifier", "Verified"]

LARGEST_TOKEN = 8192
LONGEST_S = 900.0
LEEWAY_S = 10.0
REMEMBERED_S = 60.0
MOST_REMEMBERED = 10_000

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_KID = re.compile(r"[!-~]{1,200}")

_HEADERS = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
"""What a header may hold: no key or its address (`jwk`, `jku`, `x5c`, `x5u`), and nothing that changes how the
token is read (`crit`, `b64`, `cty`, `enc`, `zip`). The thumbprints are ignored.
"""

_TYPES = frozenset({"at+jwt", "application/at+jwt", "jwt"})
"""RFC 9068's, and what Keycloak and others write instead."""

_NOT_OF_BEARERS = frozenset({"nonce", "at_hash", "c_hash", "s_hash", "events", "cnf"})
"""Claims of ID tokens, of logout tokens, and of tokens that need a proof beside them (RFC 7800)."""

_LATEST = 253_402_300_799
"""The last second of the year 9999."""


class InvalidToken(Exception):
    """A token that is refused. `code` says why in a word, and never quotes the token."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class KeysUnavailable(InvalidToken):
    """Nobody can tell yet: the issuer's keys could never be fetched. An answer of 503 is truer than 401."""

    def __init__(self) -> None:
        super().__init__("keys-unavailable")


@dataclass(frozen=True, slots=True)
class Verified:
    """What a valid token says of its bearer; both times are seconds since 1970, by the issuer's clock."""

    claims: Claims
    issued_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class _Signed:
    """A token's parts, decoded, with nothing verified."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    message: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class _Trusted:
    issuer: Issuer
    keys: IssuerKeys


class TokenVerifier:
    """Verifies tokens of these issuers. Remembers the valid ones for a while, as verifying takes far longer.

    `clock` gives seconds since 1970. A token that is meant to live longer than `longest_s` is refused. Raises
    ValueError when two issuers have the same URL.
    """

    def __init__(
        self,
        issuers: Sequence[Issuer],
        *,
        fetch: FetchKeys = fetch_keys,
        clock: Callable[[], float] = time.time,
        longest_s: float = LONGEST_S,
        most_remembered: int = MOST_REMEMBERED,
    ) -> None:
        self._trusted = {i.url: _Trusted(i, IssuerKeys(i, fetch, clock)) for i in issuers}
        if len(self._trusted) != len(issuers):
            raise ValueError("two issuers have the same URL")
        self._clock = clock
        self._longest_s = longest_s
        self._remembered = _Remembered(most_remembered)

    async def verify(self, token: str) -> Verified:
        """Tell what a token says of its bearer, and since when.

        Raises InvalidToken, or KeysUnavailable, which is one, when there are no keys of the issuer yet.
        """
        if len(token) > LARGEST_TOKEN or not token.isascii():
            raise InvalidToken("malformed")
        digest = sha256(token.encode("ascii")).digest()
        remembered = self._remembered.get(digest, self._clock())
        if remembered is not None:
            return remembered
        signed = _read(token)
        trusted = self._issuer_of(signed)
        key = await _key_for(signed, trusted)
        if not key.verifies(signed.message, signed.signature):
            raise InvalidToken("signature")
        now = self._clock()
        _check_kind(signed.claims, trusted.issuer.audience)
        ends_at = _check_times(signed.claims, now, self._longest_s)
        verified = Verified(_bearer(signed.claims), signed.claims["iat"], ends_at)
        self._remembered.add(digest, verified, min(ends_at, now + REMEMBERED_S))
        return verified

    async def close(self) -> None:
        """End the fetches that are under way."""
        await asyncio.gather(*(trusted.keys.close() for trusted in self._trusted.values()))

    def _issuer_of(self, signed: _Signed) -> _Trusted:
        url = signed.claims.get("iss")
        trusted = self._trusted.get(url) if isinstance(url, str) else None
        if trusted is None:
            raise InvalidToken("issuer")
        return trusted


class _Remembered:
    """Verified tokens by their SHA-256, each until a moment; the least recently used go first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[bytes, tuple[Verified, float]] = OrderedDict()

    def get(self, digest: bytes, now: float) -> Verified | None:
        kept = self._kept.get(digest)
        if kept is None:
            return None
        verified, until = kept
        if now >= until:
            del self._kept[digest]
            return None
        self._kept.move_to_end(digest)
        return verified

    def add(self, digest: bytes, verified: Verified, until: float) -> None:
        self._kept[digest] = (verified, until)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)


def _read(token: str) -> _Signed:
    """Take a compact JWS apart; only what can be written in one way is read."""
    parts = _COMPACT.fullmatch(token)
    if parts is None:
        raise InvalidToken("malformed")
    header, claims, signature = (_decoded(part) for part in parts.groups())
    message = token[: parts.end(2)].encode("ascii")
    signed = _Signed(_json_object(header), _json_object(claims), message, signature)
    _check_header(signed.header)
    return signed


def _decoded(part: str) -> bytes:
    try:
        content = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        content = b""
    # The unused bits of the last character could be anything.
    if base64.urlsafe_b64encode(content).rstrip(b"=") != part.encode("ascii"):
        raise InvalidToken("malformed")
    return content


def _unique(members: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a name occurs twice")
    return found


def _no_number(_: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


_JSON = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number)


def _json_object(content: bytes) -> Mapping[str, Any]:
    try:
        found = _JSON.decode(content.decode("utf-8"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidToken("malformed")
    return found


def _check_header(header: Mapping[str, Any]) -> None:
    if not _HEADERS.issuperset(header):
        raise InvalidToken("header")
    if not isinstance(header.get("typ"), str) or header["typ"].lower() not in _TYPES:
        raise InvalidToken("type")
    kid = header.get("kid")
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise InvalidToken("key")


async def _key_for(signed: _Signed, trusted: _Trusted) -> VerificationKey:
    algorithm = signed.header.get("alg")
    if algorithm not in trusted.issuer.algorithms:
        raise InvalidToken("algorithm")
    key = await trusted.keys.find(signed.header["kid"], algorithm)
    if key is None:
        raise InvalidToken("key") if trusted.keys.known else KeysUnavailable()
    return key


def _check_kind(claims: Mapping[str, Any], ours: str) -> None:
    """Check that this is an access token, for us and for anybody who bears it.

    An ID token is for the client that logs somebody in: its `azp`. So we are never both audience and client.
    """
    if not _NOT_OF_BEARERS.isdisjoint(claims) or claims.get("typ", "Bearer") != "Bearer":
        raise InvalidToken("type")
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
        raise InvalidToken("audience")
    if ours not in named or ours in (claims.get("azp"), claims.get("client_id")):
        raise InvalidToken("audience")


def _check_times(claims: Mapping[str, Any], now: float, longest_s: float) -> float:
    """Check when a token may be used, and for how long in all; returns when it expires."""
    issued, expires = _moment(claims.get("iat")), _moment(claims.get("exp"))
    starts = _moment(claims.get("nbf", issued))
    if not 0 < expires - issued <= longest_s:
        raise InvalidToken("lifetime")
    if max(issued, starts) > now + LEEWAY_S:
        raise InvalidToken("not-yet-valid")
    if expires <= now - LEEWAY_S:
        raise InvalidToken("expired")
    return expires


def _moment(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise InvalidToken("claims")
    return value


def _bearer(claims: Mapping[str, Any]) -> Claims:
    """Who bears the token; claims that are not ours are left out."""
    ours = {name: claims[name] for name in Claims.model_fields if name in claims}
    try:
        # As JSON, which the strict model reads lists and enums from.
        bearer = Claims.model_validate_json(orjson.dumps(ours))
    except (ValidationError, TypeError):
        bearer = None
    if bearer is None:
        raise InvalidToken("claims")
    return bearer
