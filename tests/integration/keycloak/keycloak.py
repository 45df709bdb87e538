"""A client of a running Keycloak: makes the realm, asks for tokens, replaces keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.integration.keycloak.program import ADMIN
from tests.integration.keycloak.realm import NAME, PASSWORD, SECRET, SYSTEM

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Keycloak:
    """A server with the realm."""

    http: httpx.AsyncClient

    @property
    def issuer(self) -> Json:
        """The realm as an issuer of the services; Keycloak signs with RS256 unless it is told otherwise."""
        url = f"{str(self.http.base_url).rstrip('/')}/realms/{NAME}"
        keys = f"{url}/protocol/openid-connect/certs"
        return {"url": url, "jwks": keys, "audience": "herhaal", "algorithms": ["RS256"]}

    async def tokens(self, person: str, client: str) -> dict[str, str]:
        """Log a person in at a client; return `access_token`, `id_token` and `refresh_token`."""
        form = {"grant_type": "password", "username": person, "password": PASSWORD}
        return await self._token(NAME, form | {"client_id": client, "scope": "openid"})

    async def of_system(self) -> str:
        """The access token of the system."""
        form = {"grant_type": "client_credentials", "client_id": SYSTEM, "client_secret": SECRET}
        return (await self._token(NAME, form))["access_token"]

    async def make(self, realm: Json) -> None:
        """Make the realm."""
        await self._post("/admin/realms", realm)

    async def replace_key(self) -> None:
        """Add a key that is preferred to all others: Keycloak signs with it from now on."""
        headers = await self._as_admin()
        described = (await self.http.get(f"/admin/realms/{NAME}", headers=headers)).json()
        await self._post(
            f"/admin/realms/{NAME}/components",
            {
                "name": "newer",
                "parentId": described["id"],
                "providerId": "rsa-generated",
                "providerType": "org.keycloak.keys.KeyProvider",
                "config": {"priority": ["1000"], "algorithm": ["RS256"], "keySize": ["2048"]},
            },
        )

    async def _post(self, path: str, body: Json) -> None:
        answer = await self.http.post(path, json=body, headers=await self._as_admin())
        assert answer.status_code == 201, answer.text

    async def _as_admin(self) -> dict[str, str]:
        name, password = ADMIN
        form = {"grant_type": "password", "client_id": "admin-cli"}
        tokens = await self._token("master", form | {"username": name, "password": password})
        return {"authorization": f"Bearer {tokens['access_token']}"}

    async def _token(self, realm: str, form: Mapping[str, str]) -> dict[str, str]:
        answer = await self.http.post(f"/realms/{realm}/protocol/openid-connect/token", data=form)
        assert answer.status_code == 200, answer.text
        tokens: dict[str, str] = answer.json()
        return tokens
