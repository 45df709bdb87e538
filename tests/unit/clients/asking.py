"""Services that answer from memory, for tests of the client."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from herhaal_client import Addresses, Clients, Retries, Services, Token
from schemas.api.ordering import ReceivedView
from tests.unit.schemas.test_api_bodies import ID

ADDRESSES = Addresses(
    ordering="http://ordering",
    medication="http://medication",
    notification="http://notification",
    metrics="http://metrics/behind/an-ingress/",
)
TOKEN = "aHVzaA.c2VjcmV0.ZG9udC10ZWxs"
RECEIVED = ReceivedView(order_id=ID)

Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass
class Scripted:
    """Replies in order, the last one again and again; keeps the requests, and the seconds of each wait."""

    replies: Sequence[Reply]
    requests: list[httpx.Request] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies[min(len(self.requests), len(self.replies)) - 1]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx.Response) else reply(request)

    def clients(
        self, token: Token = TOKEN, traceparent: str | None = None, **retries: Any
    ) -> Clients:
        """The clients of services that reply so; nothing is opened, so nothing is to be closed."""
        services = Services(
            ADDRESSES,
            retries=Retries(sleep=self.sleep, **retries),
            transport=httpx.MockTransport(self.answer),
        )
        return services.as_bearer(token, traceparent)


def replying(*replies: Reply) -> Scripted:
    """Services that reply so, in this order."""
    return Scripted(replies)


def a_problem(status: int, code: str = "some-code", **more: Any) -> httpx.Response:
    """An answer as `runtime.http.problems` makes them."""
    headers = {"content-type": "application/problem+json", **more.pop("headers", {})}
    body = {"type": f"urn:herhaal:problem:{code}", "title": "Title", "status": status, **more}
    return httpx.Response(status, headers=headers, json=body)


def received() -> httpx.Response:
    """The answer that accepts an order."""
    return httpx.Response(202, content=RECEIVED.model_dump_json())
