"""An order as the practice sees it: what happened to it, and which rules decided it on which facts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from starlette.responses import Response

from herhaal_client import NotFound
from portal.practice.words import STATES
from portal.web.away import Away, unless_away
from portal.web.pages import Pages
from portal.web.past import IN_DUTCH, Why, happened, whys_of
from portal.web.visit import Visit
from schemas.access import Action
from schemas.api.explanations import DecisionView, ExplanationView
from schemas.api.ordering import LineView, OrderView

ORDER = "/practice/patients/{patient}/orders/{order_id}"

pages = Pages()


@dataclass(frozen=True)
class Line:
    """One medicine of an order, and every decision about it."""

    view: LineView
    whys: Sequence[Why]


@pages.get(ORDER, Action.REVIEWS_READ)
async def order(visit: Visit) -> Response:
    """What happened to an order, and why."""
    found = await _in_path(visit)
    history = visit.api.ordering
    timeline, explanation, name, pharmacies = await asyncio.gather(
        unless_away(history.timeline(found.order_id, visit.language)),
        unless_away(history.explanation(found.order_id, visit.language)),
        visit.site.names.of(visit.api, visit.session.id, found.patient),
        unless_away(visit.pharmacies()),
    )
    known = [] if isinstance(pharmacies, Away) else pharmacies
    return await visit.render(
        "practice/order.html",
        order=found,
        name=name.full if name else None,
        label=STATES[found.state],
        pharmacy=next((each for each in known if each.agb == found.pharmacy), None),
        timeline=timeline,
        events=() if isinstance(timeline, Away) else happened(timeline, len(found.lines)),
        explanation=explanation,
        lines=() if isinstance(explanation, Away) else _lines(found, explanation),
        decisions=() if isinstance(explanation, Away) else _by_rules(explanation),
        dutch=IN_DUTCH,
    )


def _lines(found: OrderView, explanation: ExplanationView) -> Sequence[Line]:
    return [Line(line, whys_of(explanation, line.line)) for line in found.lines]


def _by_rules(explanation: ExplanationView) -> Sequence[DecisionView]:
    """The decisions of which it is known by which rules, overview and policy they were made."""
    return [each for each in explanation.decisions if each.versions.rules is not None]


async def _in_path(visit: Visit) -> OrderView:
    """The order in the path, of the patient in the path. Raises NotFound, also before it is decided."""
    try:
        order_id = UUID(visit.request.path_params["order_id"])
    except ValueError:
        raise _no_such_order() from None
    found = await visit.api.ordering.show(order_id)
    if not isinstance(found, OrderView) or found.patient != visit.patient:
        raise _no_such_order()
    return found


def _no_such_order() -> NotFound:
    return NotFound("order", "not-found", status=404)
