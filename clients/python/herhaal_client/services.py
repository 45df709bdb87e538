"""All four services over shared connections, and a cheap view on them for each bearer."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from herhaal_client.api import Api, Token
from herhaal_client.medication import MedicationClient
from herhaal_client.metrics import MetricsClient
from herhaal_client.notification import NotificationClient
from herhaal_client.ordering import OrderingClient
from herhaal_client.retries import Retries

CONNECTIONS = httpx.Limits(max_connections=100, max_keepalive_connections=20)
STREAMS = httpx.Limits(max_connections=None, max_keepalive_connections=0)


@dataclass(frozen=True)
class Addresses:
    """The base URL of each service, such as `https://ordering.example.org`."""

    ordering: str
    medication: str
    notification: str
    metrics: str


@dataclass(frozen=True)
class Clients:
    """The four APIs as one bearer."""

    ordering: OrderingClient
    medication: MedicationClient
    notification: NotificationClient
    metrics: MetricsClient


class Services:
    """The four services. As a context manager, it closes its connections at the end.

    Streams of events have connections of their own: there may be thousands, and httpx looks through all of a
    pool for each request. `transport` sends everything, if it is given, instead of httpx's own.
    """

    def __init__(
        self,
        addresses: Addresses,
        *,
        retries: Retries | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._addresses = addresses
        self._retries = retries or Retries()
        self._http = httpx.AsyncClient(limits=CONNECTIONS, transport=transport)
        self._streams = httpx.AsyncClient(limits=STREAMS, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections, also those of open streams."""
        await self._streams.aclose()
        await self._http.aclose()

    def as_bearer(self, token: Token, traceparent: str | None = None) -> Clients:
        """Give the APIs with this token, and this W3C trace context; it opens nothing and needs no closing."""

        def api(base_url: str) -> Api:
            return Api(self._http, base_url, token, traceparent, self._retries, self._streams)

        to = self._addresses
        return Clients(
            OrderingClient(api(to.ordering)),
            MedicationClient(api(to.medication)),
            NotificationClient(api(to.notification)),
            MetricsClient(api(to.metrics)),
        )
