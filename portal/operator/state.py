"""How each service is: ready or not, what waits, dead letters. Numbers only."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from herhaal_client import Clients
from portal.web.away import Away, unless_away
from portal.web.languages import mark
from portal.web.pages import Pages
from portal.web.visit import Visit
from schemas.access import Action
from schemas.api.state import StateView, Waits

SERVICES: Mapping[str, Callable[[Clients], Awaitable[StateView]]] = {
    "ordering": lambda api: api.ordering.state(),
    "medication": lambda api: api.medication.state(),
    "notification": lambda api: api.notification.state(),
    "metrics": lambda api: api.metrics.state(),
}
"""The services, by the name that operators know."""

WAITING: Mapping[Waits, str] = {
    Waits.INTAKE: mark("Orders that are not decided yet"),
    Waits.ORDERS_WITHOUT_OVERVIEW: mark("Orders that wait for a medication list"),
    Waits.LINES_IN_REVIEW: mark("Order lines that a practice must look at"),
    Waits.OUTBOX: mark("Batches that Kafka has not acknowledged"),
    Waits.TIMERS: mark("Messages for a later time"),
}
"""What can wait, in words, in English."""

pages = Pages()


@dataclass(frozen=True)
class Row:
    """A service: what it says of itself, or that it is away; and in English what waits."""

    name: str
    state: StateView | Away
    waiting: Sequence[tuple[str, int]]


@pages.get("/operator/state", Action.STATE_READ)
async def state(visit: Visit) -> Response:
    """How each service is now."""
    found = await asyncio.gather(*(unless_away(ask(visit.api)) for ask in SERVICES.values()))
    rows = [Row(name, one, _waiting(one)) for name, one in zip(SERVICES, found, strict=True)]
    return await visit.render("operator/state.html", rows=rows)


def _waiting(state: StateView | Away) -> Sequence[tuple[str, int]]:
    counts = {} if isinstance(state, Away) else state.waiting
    return [(text, counts[what]) for what, text in WAITING.items() if what in counts]
