"""My orders: all of them, and one with its answer, where to collect, its history, and cancelling."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from starlette.responses import Response

from herhaal_client import NotFound
from portal.patient import dosage
from portal.patient.dosage import Dosage
from portal.patient.words import Why, outcome_label, state_label, whys
from portal.web import past
from portal.web.away import Away, unless_away
from portal.web.languages import mark
from portal.web.pages import Pages
from portal.web.past import IN_DUTCH, happened
from portal.web.visit import Visit
from portal.web.words import Label, amount
from schemas.access import Action
from schemas.api.explanations import ExplanationView
from schemas.api.notification import MessageView, PickupView
from schemas.api.ordering import CancelRequest, LineView, OrderView, ReceivedView
from schemas.records.orders import OrderState, Outcome

SHOWN = 50
"""Orders on the list; older ones are in the download of one's data."""

WAIT_S = 3

pages = Pages()

_OPEN = (Outcome.APPROVED, Outcome.REVIEW, Outcome.WAITING)


@dataclass(frozen=True)
class Line:
    """One medicine of an order: how much, what became of it, why, and what the practice wrote.

    `sent_by_practice`: it is approved, and the practice sends the prescription to the pharmacy itself.
    """

    medicine: str
    dosage: Dosage
    amount: str
    label: Label
    whys: Sequence[Why]
    explanation: str | None
    sent_by_practice: bool


@pages.get("/patients/{patient}/orders", Action.ORDERS_READ)
async def orders(visit: Visit) -> Response:
    """All orders, newest first."""
    found = await unless_away(visit.api.ordering.of_patient(visit.patient, SHOWN))
    return await visit.render(
        "patient/orders_part.html" if visit.partial else "patient/orders.html",
        orders=found
        if isinstance(found, Away)
        else [(order, state_label(order.state)) for order in found.orders],
    )


@pages.get("/patients/{patient}/orders/{order_id}", Action.ORDERS_READ)
async def order(visit: Visit) -> Response:
    """One order: what was decided, why, where and when to collect, and what went before."""
    return await show_order(visit, await order_in_path(visit))


@pages.get("/patients/{patient}/orders/{order_id}/cancel", Action.ORDERS_CANCEL)
async def ask_to_cancel(visit: Visit) -> Response:
    """Ask once more before an order is cancelled."""
    found = await order_in_path(visit)
    return await visit.render("patient/cancel.html", order=found)


@pages.post("/patients/{patient}/orders/{order_id}/cancel", Action.ORDERS_CANCEL)
async def cancel(visit: Visit) -> Response:
    """Cancel an order."""
    found = await order_in_path(visit)
    await visit.api.ordering.cancel(found.order_id, CancelRequest(), WAIT_S)
    return visit.redirect(f"/patients/{visit.patient}/orders/{found.order_id}")


async def show_order(visit: Visit, found: OrderView | ReceivedView) -> Response:
    """The page of an order, or for htmx the part of it that changes."""
    template = "patient/order_part.html" if visit.partial else "patient/order.html"
    if isinstance(found, ReceivedView):
        return await visit.render(template, order=None, order_id=found.order_id)
    pharmacies, messages, practice, timeline, explanation = await asyncio.gather(
        unless_away(visit.pharmacies()),
        unless_away(messages_of(visit, found.order_id)),
        unless_away(visit.practice(found.practice)),
        unless_away(visit.api.ordering.timeline(found.order_id, visit.language)),
        unless_away(visit.api.ordering.explanation(found.order_id, visit.language)),
    )
    known = [] if isinstance(pharmacies, Away) else pharmacies
    return await visit.render(
        template,
        order=found,
        order_id=found.order_id,
        label=state_label(found.state),
        heading=_HEADINGS[found.state],
        lines=[_line(visit, line) for line in found.lines],
        pharmacy=next((each for each in known if each.agb == found.pharmacy), None),
        practice=None if isinstance(practice, Away) else practice,
        messages=messages,
        pickup=None if isinstance(messages, Away) else _pickup(found, messages),
        in_calendar=not isinstance(messages, Away) and _was_promised(found, messages),
        timeline=timeline,
        events=() if isinstance(timeline, Away) else happened(timeline, len(found.lines)),
        because=() if isinstance(explanation, Away) else _because(found, explanation),
        dutch=IN_DUTCH,
        can_cancel=any(line.outcome in _OPEN for line in found.lines)
        and found.cancellation is None,
    )


_HEADINGS = {
    OrderState.APPROVED: mark("Your order is approved"),
    OrderState.PARTLY_APPROVED: mark("Your order is partly approved"),
    OrderState.IN_REVIEW: mark("Your practice is looking at your order"),
    OrderState.WAITING: mark("We are waiting for your medication list"),
    OrderState.REFUSED: mark("Your order is not approved"),
    OrderState.CANCELLED: mark("Your order is cancelled"),
}


def _line(visit: Visit, line: LineView) -> Line:
    return Line(
        line.medicine,
        dosage.in_words(line.dosage, visit.language),
        amount(line.quantity, line.unit, visit.language),
        outcome_label(line.outcome, line.reviewer),
        # What was in review before is not why it is approved now.
        () if line.outcome is Outcome.APPROVED else whys(visit, line.reasons, line.outcome),
        line.explanation,
        line.outcome is Outcome.APPROVED and line.sent_by_practice,
    )


def _because(found: OrderView, explanation: ExplanationView) -> Sequence[Sequence[past.Why]]:
    """Every decision about each line, in the order's order."""
    return [past.whys_of(explanation, line.line) for line in found.lines]


async def messages_of(visit: Visit, order_id: UUID) -> Sequence[MessageView]:
    """The messages about an order, newest first."""
    inbox = await visit.api.notification.messages(visit.patient, limit=200)
    return [message for message in inbox.messages if message.order_id == order_id]


def _pickup(order: OrderView, messages: Sequence[MessageView]) -> PickupView | None:
    """The newest promise of when to collect, while there is anything to collect."""
    if nothing_to_collect(order):
        return None
    return next((each.pickup for each in messages if each.pickup is not None), None)


def _was_promised(order: OrderView, messages: Sequence[MessageView]) -> bool:
    """Whether somebody may have a moment in their calendar at which there is nothing to collect any more."""
    return nothing_to_collect(order) and any(each.pickup is not None for each in messages)


def nothing_to_collect(order: OrderView) -> bool:
    """Whether no medicine of the order is approved: not yet, or no longer."""
    return all(line.outcome is not Outcome.APPROVED for line in order.lines)


async def order_in_path(visit: Visit) -> OrderView | ReceivedView:
    """The order in the path, of the patient in the path. Raises NotFound."""
    try:
        order_id = UUID(visit.request.path_params["order_id"])
    except ValueError:
        raise NotFound("order", "not-found", status=404) from None
    found = await visit.api.ordering.show(order_id)
    if isinstance(found, OrderView) and found.patient != visit.patient:
        raise NotFound("order", "not-found", status=404)
    return found
