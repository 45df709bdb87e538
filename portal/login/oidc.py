"""The client of an OpenID provider: authorization code with PKCE, refresh, logout.

OpenID Connect Core 1.0, RFC 7636 (PKCE), RFC 9207 (`iss` in the answer), RP-Initiated Logout 1.0.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from runtime.http.jwks import FetchKeys, IssuerKeys, fetch_keys
from runtime.http.tokens import InvalidToken, KeysUnavailable, TokenVerifier
from runtime.issuers import Issuer
from schemas.access import Claims

DISCOVERY_S = 3600.0
"""How long the provider's addresses are remembered, in seconds."""

LEEWAY_S = 10
LONGEST_NAME = 100


class LoginRefused(Exception):
    """The provider, or what it sent, does not let this person in. `code` says why, for the log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ProviderAway(Exception):
    """The provider does not answer, or not as one: try again later."""


@dataclass(frozen=True)
class Tokens:
    """What the provider gave for a person; `access_until` is UTC."""

    access: str = field(repr=False)
    access_until: datetime
    refresh: str | None = field(repr=False)
    id_token: str = field(repr=False)
    name: str | None = field(repr=False)

    def as_json(self) -> Mapping[str, str | None]:
        """What is kept of them, beside the time."""
        return {
            "access": self.access,
            "refresh": self.refresh,
            "id_token": self.id_token,
            "name": self.name,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any], access_until: datetime) -> "Tokens":
        """Make them of what was kept."""
        return cls(access_until=access_until, **kept)


@dataclass(frozen=True)
class Attempt:
    """A login that begins: what is sent along, and what is kept to check the answer."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    @classmethod
    def begin(cls) -> "Attempt":
        """Make one of random values."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))


class Oidc:
    """Logs people in at one provider, as its client. `http` has the time-outs; `clock` gives Unix time."""

    def __init__(
        self,
        issuer: Issuer,
        client: str,
        secret: str | None,
        redirect_uri: str,
        after_logout: str,
        http: httpx.AsyncClient,
        clock: Callable[[], float] = time.time,
        fetch: FetchKeys = fetch_keys,
    ) -> None:
        self._issuer = issuer
        self._client = client
        self._secret = secret
        self._redirect_uri = redirect_uri
        self._after_logout = after_logout
        self._http = http
        self._clock = clock
        self._keys = IssuerKeys(issuer, fetch, clock)
        self._verifier = TokenVerifier([issuer], fetch=fetch)
        self._metadata: Mapping[str, Any] = {}
        self._discovered_at = float("-inf")

    async def login_url(self, attempt: Attempt, language: str) -> str:
        """Where a person logs in. Raises ProviderAway."""
        challenge = hashlib.sha256(attempt.verifier.encode()).digest()
        return await self._address(
            "authorization_endpoint",
            response_type="code",
            client_id=self._client,
            redirect_uri=self._redirect_uri,
            scope="openid profile",
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            code_challenge_method="S256",
            ui_locales=language,
        )

    async def logout_url(self, id_token: str, language: str) -> str | None:
        """Where a person logs out at the provider too; None when it has no such page."""
        if "end_session_endpoint" not in await self._discovered():
            return None
        return await self._address(
            "end_session_endpoint",
            id_token_hint=id_token,
            post_logout_redirect_uri=self._after_logout,
            ui_locales=language,
        )

    async def redeem(self, code: str, attempt: Attempt) -> tuple[Tokens, Claims]:
        """Tokens for a code. Raises LoginRefused, ProviderAway."""
        answer = await self._ask(
            grant_type="authorization_code",
            code=code,
            redirect_uri=self._redirect_uri,
            code_verifier=attempt.verifier,
        )
        told = await self._read_id_token(answer.get("id_token"), attempt.nonce)
        return await self._tokens(answer, told, answer["id_token"])

    async def refresh(self, tokens: Tokens) -> tuple[Tokens, Claims]:
        """New tokens for the same person. Raises LoginRefused, ProviderAway."""
        if tokens.refresh is None:
            raise LoginRefused("no-refresh-token")
        answer = await self._ask(grant_type="refresh_token", refresh_token=tokens.refresh)
        answer.setdefault("refresh_token", tokens.refresh)
        return await self._tokens(answer, {"name": tokens.name}, tokens.id_token)

    def check_sender(self, iss: str | None) -> None:
        """Check who answers (RFC 9207), where it says so. Raises LoginRefused."""
        if iss is not None and iss != self._issuer.url:
            raise LoginRefused("another-issuer")

    async def _tokens(
        self, answer: Mapping[str, Any], told: Mapping[str, Any], id_token: str
    ) -> tuple[Tokens, Claims]:
        access = answer.get("access_token")
        try:
            verified = await self._verifier.verify(access if isinstance(access, str) else "")
        except KeysUnavailable:
            raise ProviderAway from None
        except InvalidToken as invalid:
            raise LoginRefused(f"access-token-{invalid.code}") from None
        if told.get("sub", verified.claims.sub) != verified.claims.sub:
            raise LoginRefused("two-people")
        lasts = answer.get("expires_in")
        until = self._clock() + (lasts if isinstance(lasts, int) and 0 < lasts <= 900 else 60)
        name = told.get("name")
        tokens = Tokens(
            access=str(access),
            access_until=datetime.fromtimestamp(until, UTC),
            refresh=answer.get("refresh_token"),
            id_token=id_token,
            name=name[:LONGEST_NAME] if isinstance(name, str) and name.strip() else None,
        )
        return tokens, verified.claims

    async def _read_id_token(self, token: object, nonce: str) -> Mapping[str, Any]:
        """Check an ID token as OpenID Connect Core 3.1.3.7 says. Raises LoginRefused, ProviderAway."""
        if not isinstance(token, str):
            raise LoginRefused("no-id-token")
        try:
            header = extract_compact(token.encode()).headers()
            algorithm = str(header.get("alg"))
            key = await self._keys.find(str(header.get("kid")), algorithm)
            if key is None or algorithm not in self._issuer.algorithms:
                raise LoginRefused("id-token-key")
            claims = jwt.decode(token, key.key, algorithms=[algorithm]).claims
        except (JoseError, ValueError):
            raise LoginRefused("id-token-signature") from None
        self._check_id_claims(claims, nonce)
        return claims

    def _check_id_claims(self, claims: Mapping[str, Any], nonce: str) -> None:
        audience = claims.get("aud")
        named = [audience] if isinstance(audience, str) else audience
        now = self._clock()
        expires, issued = claims.get("exp"), claims.get("iat")
        wrong = {
            "issuer": claims.get("iss") != self._issuer.url,
            "audience": named != [self._client] and claims.get("azp") != self._client,
            "not-for-us": not isinstance(named, list) or self._client not in named,
            "nonce": not secrets.compare_digest(str(claims.get("nonce")), nonce),
            "times": not (
                isinstance(expires, int | float)
                and isinstance(issued, int | float)
                and issued - LEEWAY_S <= now < expires + LEEWAY_S
            ),
        }
        for what, is_wrong in wrong.items():
            if is_wrong:
                raise LoginRefused(f"id-token-{what}")

    async def _ask(self, **form: str) -> dict[str, Any]:
        """Ask the token endpoint. Raises LoginRefused for an error that it names, ProviderAway otherwise."""
        endpoint = (await self._discovered())["token_endpoint"]
        form["client_id"] = self._client
        if self._secret is not None:
            form["client_secret"] = self._secret
        try:
            answer = await self._http.post(endpoint, data=form)
            content = answer.json()
        except (httpx.HTTPError, ValueError):
            raise ProviderAway from None
        if not isinstance(content, dict):
            raise ProviderAway
        if 400 <= answer.status_code < 500 and "error" in content:
            raise LoginRefused(str(content["error"])[:50])
        if answer.status_code != 200:
            raise ProviderAway
        return content

    async def _address(self, endpoint: str, **query: str) -> str:
        return f"{(await self._discovered())[endpoint]}?{urlencode(query)}"

    async def _discovered(self) -> Mapping[str, Any]:
        """The provider's addresses (OpenID Connect Discovery 1.0). Raises ProviderAway."""
        if self._metadata and self._clock() - self._discovered_at < DISCOVERY_S:
            return self._metadata
        url = f"{self._issuer.url.rstrip('/')}/.well-known/openid-configuration"
        try:
            found = (await self._http.get(url)).raise_for_status().json()
        except (httpx.HTTPError, ValueError):
            if self._metadata:
                return self._metadata
            raise ProviderAway from None
        needed = ("authorization_endpoint", "token_endpoint")
        if not isinstance(found, dict) or found.get("issuer") != self._issuer.url:
            raise ProviderAway
        if not all(isinstance(found.get(each), str) for each in needed):
            raise ProviderAway
        self._metadata, self._discovered_at = found, self._clock()
        return found
