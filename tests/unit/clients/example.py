"""An example of an operation: how the client asks it, what is sent, what comes back."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import date

from pydantic import BaseModel

from herhaal_client import Clients, ServerEvent
from schemas.api.audit import AuditView
from tests.unit.schemas.test_api_bodies import BODIES

PATIENT = "pat_anna0001"
DAY = date(2026, 11, 1)

TRAIL = AuditView(entries=[], next=None)
TRAIL_QUERY = {"from": "2026-11-01", "to": "2026-11-01", "before": "7", "limit": "5"}
AUDIT = "GET /patients/{patient}/audit"
EVENTS = "GET /patients/{patient}/events"


def of_kind(kind: type[BaseModel]) -> BaseModel:
    """The example of this body."""
    (body,) = [body for body in BODIES if type(body) is kind]
    return body


@dataclass(frozen=True)
class Example:
    """A method of a client, its operation, and one use of it: `query` and `body` are sent, `answer` comes back.

    A request that waits has `wait=20` as its preference.
    """

    service: str
    method: str
    operation: str
    use: Callable[[Clients], Awaitable[object]]
    answer: BaseModel | None
    status: int = 200
    query: Mapping[str, str] = field(default_factory=dict)
    body: BaseModel | None = None
    waits: bool = False

    @property
    def name(self) -> str:
        return f"{self.service}.{self.method}"


async def first_event(clients: Clients, service: str) -> ServerEvent | None:
    """The first event of a service's stream."""
    client = clients.ordering if service == "ordering" else clients.notification
    async with aclosing(client.events(PATIENT)) as events:
        async for event in events:
            return event
    return None
