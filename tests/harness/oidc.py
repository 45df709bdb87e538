"""A client of the development issuer, for tests: begins logins, chooses a person, redeems codes."""

import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import httpx

from deploy.local.issuer.grants import s256

Fields = dict[str, str]


@dataclass
class Browser:
    """One login at one client; `params` are those of the authorization request."""

    http: httpx.AsyncClient
    redirect_uri: str
    client_id: str = "portal"
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def params(self) -> Fields:
        """A valid authorization request."""
        return {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid",
            "state": "a state & more",
            "nonce": "n-1",
            "code_challenge": s256(self.verifier),
            "code_challenge_method": "S256",
        }

    async def ask(self, **changed: str | None) -> httpx.Response:
        """Open the login page, with changed parameters; None leaves one out."""
        return await self.http.get("/authorize", params=self._with(changed))

    async def choose(self, person: str, **changed: str | None) -> httpx.Response:
        """Choose a person on the login page."""
        return await self.http.post("/authorize", data={**self._with(changed), "person": person})

    async def code(self, person: str) -> str:
        """Choose a person; return the code of the answer."""
        return answer_of(await self.choose(person))["code"]

    async def redeem(self, code: str, **changed: str) -> httpx.Response:
        """Redeem a code, with changed parameters."""
        given = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code": code,
            "code_verifier": self.verifier,
        }
        return await self.http.post("/token", data=given | changed)

    async def refresh(self, token: str, client_id: str | None = None) -> httpx.Response:
        """Redeem a refresh token."""
        given = {
            "grant_type": "refresh_token",
            "client_id": client_id or self.client_id,
            "refresh_token": token,
        }
        return await self.http.post("/token", data=given)

    def _with(self, changed: dict[str, str | None]) -> Fields:
        merged = {**self.params, **changed}
        return {name: value for name, value in merged.items() if value is not None}


def answer_of(redirect: httpx.Response) -> Fields:
    """The parameters of a redirect."""
    assert redirect.status_code == 303, redirect.text
    return dict(parse_qsl(urlsplit(redirect.headers["location"]).query))
