"""The public keys of an issuer (JWKS, RFC 7517): fetched rarely, kept while the issuer does not answer."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import orjson
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from runtime.issuers import Issuer

log = structlog.get_logger()

FetchKeys = Callable[[str], Awaitable[bytes]]
"""Fetch the document at a URL. Raises httpx.HTTPError, OSError or ValueError."""

FRESH_S = 3600.0
"""Keys older than this are fetched anew, while they go on being used."""

PAUSE_S = 10.0
"""The least time between two fetches from an issuer, whatever became of the first."""

TIMEOUT_S = 3.0
LARGEST_DOCUMENT = 100_000
MOST_WAITING = 100
"""Requests that wait for one fetch; more are answered at once, so that they do not take all places."""

_LEAST_RSA_BITS = 2048

# joserfc's "EdDSA" takes two curves and warns at each use; its "Ed25519" is the same with the curve pinned.
_IMPLEMENTED_BY = {"EdDSA": "Ed25519"}
_PUBLIC_MEMBERS: Mapping[str, tuple[type[ECKey | OKPKey | RSAKey], tuple[str, ...]]] = {
    "EC": (ECKey, ("kty", "crv", "x", "y")),
    "OKP": (OKPKey, ("kty", "crv", "x")),
    "RSA": (RSAKey, ("kty", "n", "e")),
}


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key, for signatures of one algorithm."""

    algorithm: str
    key: Key

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Tell whether this key's owner signed the message."""
        implementation = JWSRegistry.algorithms[_implemented_by(self.algorithm)]
        return implementation.verify(message, signature, self.key)


Keys = Mapping[tuple[str, str], VerificationKey]
"""Keys by `kid` and algorithm."""


class IssuerKeys:
    """The keys of one issuer. A fetch that fails or brings no usable key changes nothing.

    At most one fetch per `PAUSE_S`, and one at a time. `clock` gives seconds.
    """

    def __init__(
        self,
        issuer: Issuer,
        fetch: FetchKeys,
        clock: Callable[[], float],
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._timeout_s = timeout_s
        self._keys: Keys = {}
        self._fetched_at = float("-inf")
        self._asked_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._waiting = 0

    @property
    def known(self) -> bool:
        """Whether any key is known yet."""
        return bool(self._keys)

    async def find(self, kid: str, algorithm: str) -> VerificationKey | None:
        """Find a key, at once if it is known; otherwise after a fetch, if one is due or under way."""
        key = self._keys.get((kid, algorithm))
        if key is None:
            await self._wait_for(self._refresh())
            return self._keys.get((kid, algorithm))
        if not _within(self._clock() - self._fetched_at, FRESH_S):
            self._refresh()
        return key

    async def close(self) -> None:
        """End a fetch that is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait({self._fetching})

    def _refresh(self) -> asyncio.Task[None] | None:
        """The fetch that is under way, or a new one; None when the last one was too short ago."""
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        now = self._clock()
        if _within(now - self._asked_at, PAUSE_S):
            return None
        self._asked_at = now
        self._fetching = asyncio.create_task(self._replace())
        return self._fetching

    async def _wait_for(self, fetching: asyncio.Task[None] | None) -> None:
        if fetching is None or self._waiting >= MOST_WAITING:
            return
        self._waiting += 1
        try:
            await asyncio.wait({fetching})
        finally:
            self._waiting -= 1

    async def _replace(self) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                document = await self._fetch(self._issuer.jwks)
            keys = public_keys(document, self._issuer.algorithms)
        except (httpx.HTTPError, OSError, ValueError) as error:
            log.warning("keys not fetched", issuer=self._issuer.url, error=type(error).__name__)
            return
        if not keys:
            log.warning("keys not fetched", issuer=self._issuer.url, error="no usable key")
            return
        self._keys = keys
        self._fetched_at = self._clock()


def public_keys(document: bytes, algorithms: Collection[str]) -> Keys:
    """Read the keys of a JWKS that verify signatures of these algorithms; all others are ignored.

    Of two keys with the same `kid` for the same algorithm the first counts. Raises ValueError when this is no
    JWKS.
    """
    if len(document) > LARGEST_DOCUMENT:
        raise ValueError("the document is too large")
    parsed = orjson.loads(document)
    if not isinstance(parsed, dict) or not isinstance(parsed.get("keys"), list):
        raise ValueError("the document is no JWKS")
    found: dict[tuple[str, str], VerificationKey] = {}
    for jwk in parsed["keys"]:
        if _is_for_signatures(jwk) and (key := _imported(jwk)) is not None:
            for algorithm in _fitting(key, jwk.get("alg"), algorithms):
                found.setdefault((jwk["kid"], algorithm), VerificationKey(algorithm, key))
    return found


def _is_for_signatures(jwk: Any) -> bool:
    """A key with a private part (`d`) is known to others than its owner: it proves nothing."""
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str) or "d" in jwk:
        return False
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
    )


def _imported(jwk: Mapping[str, Any]) -> ECKey | OKPKey | RSAKey | None:
    kind = jwk.get("kty")
    if not isinstance(kind, str) or kind not in _PUBLIC_MEMBERS:
        return None
    key_type, members = _PUBLIC_MEMBERS[kind]
    try:
        key = key_type.import_key({name: jwk[name] for name in members})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAKey) and key.public_key.key_size < _LEAST_RSA_BITS:
        return None
    return key


def _fitting(key: Key, meant_for: object, algorithms: Collection[str]) -> Iterator[str]:
    """Which of these algorithms the key is for, by its type and curve and by its `alg` where it has one."""
    for algorithm in algorithms:
        if meant_for not in (None, algorithm, _implemented_by(algorithm)):
            continue
        try:
            JWSRegistry.algorithms[_implemented_by(algorithm)].check_key(key)
        except JoseError:
            continue
        yield algorithm


def _implemented_by(algorithm: str) -> str:
    return _IMPLEMENTED_BY.get(algorithm, algorithm)


def _within(elapsed_s: float, limit_s: float) -> bool:
    """A negative time means that the clock was set back: then the limit is over."""
    return 0 <= elapsed_s < limit_s


async def fetch_keys(url: str) -> bytes:
    """GET a JWKS, at most `LARGEST_DOCUMENT` bytes of it, without redirects.

    Raises httpx.HTTPError, or ValueError when it is longer. HTTPS uses the proxy and the certificates of the
    environment.
    """
    secure = url.startswith("https:")
    # Loading the certificates takes 0.1 s, which no request should wait for.
    tls = await asyncio.to_thread(_tls) if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with (
        httpx.AsyncClient(verify=tls, trust_env=secure, timeout=TIMEOUT_S) as http,
        http.stream("GET", url, headers=headers) as answer,
    ):
        answer.raise_for_status()
        document = bytearray()
        # Raw, as a small compressed answer could decode to a very large one.
        async for part in answer.aiter_raw():
            document += part
            if len(document) > LARGEST_DOCUMENT:
                raise ValueError("the document is too large")
    return bytes(document)


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()
