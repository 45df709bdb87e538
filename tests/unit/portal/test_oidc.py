"""The client of an OpenID provider believes nothing that it did not check."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from portal.login.oidc import Attempt, LoginRefused, Oidc, ProviderAway
from runtime.issuers import Issuer
from schemas.access import Party

URL = "https://login.example.org"
CLIENT, CALLBACK = "portal", "https://herhaal.example.org/login/callback"
KEY = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
OTHER_KEY = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256", "kid": str(KEY.kid)})
UNKNOWN_KEY = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
ATTEMPT = Attempt("a-state", "a-nonce", "a-verifier")


def id_token(key: ECKey = KEY, **changed: Any) -> str:
    """An ID token of Anna for us; None leaves a claim out."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": URL,
        "aud": CLIENT,
        "sub": "pat_anna0001",
        "iat": now,
        "exp": now + 300,
        "nonce": ATTEMPT.nonce,
        "name": "Anna Voorbeeld",
    }
    said = {name: value for name, value in (claims | changed).items() if value is not None}
    return jwt.encode({"alg": "ES256", "typ": "JWT", "kid": key.kid}, said, key)


def access_token(**changed: Any) -> str:
    """An access token of Anna, for the services."""
    now = int(time.time())
    claims = {
        "iss": URL,
        "aud": "herhaal",
        "sub": "pat_anna0001",
        "role": "patient",
        "patients": ["pat_anna0001"],
        "iat": now,
        "exp": now + 900,
        "jti": "1",
        "client_id": CLIENT,
    }
    return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid}, claims | changed, KEY)


def granted(**changed: Any) -> dict[str, Any]:
    """The answer of the token endpoint."""
    tokens = {"access_token": access_token(), "id_token": id_token(), "refresh_token": "r-1"}
    return tokens | {"expires_in": 900} | changed


DISCOVERY = {
    "issuer": URL,
    "authorization_endpoint": f"{URL}/authorize",
    "token_endpoint": f"{URL}/token",
}


@dataclass
class Provider:
    """A provider that answers what a test says; `asked` is what came to the token endpoint."""

    answer: Any = field(default_factory=granted)
    status: int = 200
    discovery: Any = field(default_factory=lambda: DISCOVERY)
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    @property
    def client(self) -> Oidc:
        """A client of this provider."""
        issuer = Issuer(URL, f"{URL}/jwks", "herhaal")
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._handle))
        return Oidc(issuer, CLIENT, None, CALLBACK, "https://x/", http, fetch=self._keys)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/token":
            return httpx.Response(200, json=self.discovery)
        self.asked.append(parse_qs(request.content.decode()))
        if isinstance(self.answer, bytes):
            return httpx.Response(self.status, content=self.answer)
        return httpx.Response(self.status, json=self.answer)

    async def _keys(self, _: str) -> bytes:
        return orjson.dumps(KeySet([KEY]).as_dict(private=False))


async def test_a_login_is_bound_to_who_began_it() -> None:
    """Given a login; then the provider is told a hash of the verifier first, and the verifier with the code."""
    provider = Provider()
    url = await provider.client.login_url(ATTEMPT, "nl")
    asked = {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}
    digest = hashlib.sha256(ATTEMPT.verifier.encode()).digest()
    assert asked["code_challenge"] == part(digest)
    assert (asked["state"], asked["nonce"], asked["redirect_uri"]) == (
        "a-state",
        "a-nonce",
        CALLBACK,
    )
    tokens, claims = await provider.client.redeem("c-1", ATTEMPT)
    assert provider.asked[0]["code_verifier"] == [ATTEMPT.verifier]
    assert (claims.sub, claims.role, tokens.name) == (
        "pat_anna0001",
        Party.PATIENT,
        "Anna Voorbeeld",
    )


def part(content: bytes) -> str:
    """A part of a token, in base64url."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def handmade(alg: str, secret: bytes = b"") -> Callable[[], str]:
    """A token that says another algorithm, signed with a secret, or not at all."""

    def make() -> str:
        header = part(orjson.dumps({"alg": alg, "kid": str(KEY.kid)}))
        signed = f"{header}.{id_token().split('.')[1]}"
        return f"{signed}.{part(hmac.digest(secret, signed.encode(), 'sha256')) if secret else ''}"

    return make


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "another nonce": (lambda: id_token(nonce="other"), "id-token-nonce"),
    "no nonce": (lambda: id_token(nonce=None), "id-token-nonce"),
    "another audience": (lambda: id_token(aud="other"), "id-token-audience"),
    "made for another": (lambda: id_token(aud=[CLIENT, "other"], azp="other"), "id-token-audience"),
    "several audiences": (lambda: id_token(aud=[CLIENT, "other"]), "id-token-audience"),
    "not for us": (lambda: id_token(aud=["other"], azp=CLIENT), "id-token-not-for-us"),
    "another issuer": (lambda: id_token(iss="https://evil.example"), "id-token-issuer"),
    "too old": (lambda: id_token(exp=int(time.time()) - 60), "id-token-times"),
    "of the future": (lambda: id_token(iat=int(time.time()) + 60), "id-token-times"),
    "without an end": (lambda: id_token(exp=None), "id-token-times"),
    "signed by another": (lambda: id_token(OTHER_KEY), "id-token-signature"),
    "an unknown key": (lambda: id_token(UNKNOWN_KEY), "id-token-key"),
    "the public key as a secret": (handmade("HS256", KEY.as_pem(private=False)), "id-token-key"),
    "no signature": (handmade("none"), "id-token-key"),
    "of somebody else": (lambda: id_token(sub="pat_bram0001"), "two-people"),
    "the access token": (access_token, "id-token-audience"),
    "no token": (lambda: "x.y.z", "id-token-signature"),
    "nothing": (lambda: None, "no-id-token"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_an_id_token_that_is_not_right_lets_nobody_in(what: str) -> None:
    made, code = WRONG[what]
    with pytest.raises(LoginRefused) as refused:
        await Provider(granted(id_token=made())).client.redeem("c-1", ATTEMPT)
    assert refused.value.code == code


async def test_several_audiences_are_right_when_it_was_made_for_us() -> None:
    token = id_token(aud=[CLIENT, "other"], azp=CLIENT)
    _, claims = await Provider(granted(id_token=token)).client.redeem("c-1", ATTEMPT)
    assert claims.sub == "pat_anna0001"


@pytest.mark.parametrize(
    "token",
    [access_token(aud="other"), id_token(), "x", None],
    ids=["for another", "an ID token", "no token", "nothing"],
)
async def test_an_access_token_that_the_services_refuse_lets_nobody_in(token: str | None) -> None:
    with pytest.raises(LoginRefused, match="access-token"):
        await Provider(granted(access_token=token)).client.redeem("c-1", ATTEMPT)


async def test_a_refusal_of_the_provider_is_one() -> None:
    with pytest.raises(LoginRefused, match="invalid_grant"):
        await Provider({"error": "invalid_grant"}, 400).client.redeem("c-1", ATTEMPT)


@pytest.mark.parametrize(
    ("answer", "status"), [({"error": "x"}, 500), (b"<html>", 200), ([], 200), ({}, 404), ({}, 302)]
)
async def test_a_provider_that_does_not_answer_as_one_is_away(answer: Any, status: int) -> None:
    with pytest.raises(ProviderAway):
        await Provider(answer, status).client.redeem("c-1", ATTEMPT)


@pytest.mark.parametrize(
    "discovery",
    [
        {**DISCOVERY, "issuer": "https://evil.example"},
        {"issuer": URL},
        [],
        {**DISCOVERY, "token_endpoint": 1},
    ],
    ids=["another-issuer", "no-addresses", "a-list", "no-text"],
)
async def test_a_provider_that_says_to_be_another_is_away(discovery: Any) -> None:
    with pytest.raises(ProviderAway):
        await Provider(discovery=discovery).client.login_url(ATTEMPT, "nl")


async def test_an_answer_from_another_issuer_is_refused() -> None:
    client = Provider().client
    client.check_sender(URL)
    client.check_sender(None)
    with pytest.raises(LoginRefused):
        client.check_sender("https://evil.example")


async def test_a_refresh_keeps_what_the_provider_does_not_say_again() -> None:
    """Given a provider that does not rotate; then the refresh token and the name stay; with one that rotates,
    the next refresh uses the new one."""
    provider = Provider()
    client = provider.client
    tokens, _ = await client.redeem("c-1", ATTEMPT)
    provider.answer = {"access_token": access_token(), "expires_in": 900}
    again, _ = await client.refresh(tokens)
    assert (again.refresh, again.name, again.id_token) == ("r-1", tokens.name, tokens.id_token)
    provider.answer = granted(refresh_token="r-2")
    rotated, _ = await client.refresh(again)
    assert rotated.refresh == "r-2"
    assert provider.asked[-1]["refresh_token"] == ["r-1"]


@pytest.mark.parametrize("lasts", [None, "900", 0, -1, 10**9, True])
async def test_a_lifetime_that_cannot_be_meant_is_a_minute(lasts: Any) -> None:
    tokens, _ = await Provider(granted(expires_in=lasts)).client.redeem("c-1", ATTEMPT)
    assert tokens.access_until.timestamp() - time.time() <= 60


def test_no_secret_is_in_what_a_log_would_show() -> None:
    assert "a-" not in repr(ATTEMPT)
