"""Asks notification about people, as somebody with a role."""

from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import httpx

from deploy.local import LocalStack
from samples.codes import bsns, practice_code
from schemas.access import Party
from schemas.api.people import Person
from tests.harness.made import PRACTICE, as_json

OTHER_PRACTICE = practice_code(2)

_bsns = islice(bsns(), 5_000, None)
"""The tests of access use the first ones, on the same stack."""


def a_bsn() -> str:
    """A BSN that no other test uses."""
    return next(_bsns)


@dataclass(frozen=True)
class Client:
    """Somebody with a role, who asks notification."""

    stack: LocalStack
    http: httpx.AsyncClient
    role: Party = Party.ASSISTANT
    scope: dict[str, Any] = field(default_factory=lambda: {"practice": PRACTICE})

    def as_(self, role: Party, **scope: Any) -> "Client":
        """The same connection, used by somebody else."""
        return Client(self.stack, self.http, role, scope)

    async def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> httpx.Response:
        """Send a request."""
        return await self.http.request(
            method,
            f"{self.stack.endpoints['notification']}{path}",
            json=body,
            headers={"authorization": f"Bearer {self.stack.token(self.role, **self.scope)}"},
        )

    async def register(self, person: Person, **more: Any) -> httpx.Response:
        """Register a person."""
        return await self.ask("POST", "/people", as_json(person) | more)

    async def registered(self, person: Person, **more: Any) -> str:
        """Register a person; return the pseudonym."""
        answer = await self.register(person, **more)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["patient"])

    async def show(self, patient: str) -> httpx.Response:
        """Ask who a patient is."""
        return await self.ask("GET", f"/patients/{patient}/person")

    async def find(self, **by: Any) -> list[dict[str, Any]]:
        """Search; return who was found."""
        answer = await self.ask("POST", "/people/search", {"why": "order"} | by)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["people"]
        return found
