"""Order: check what is ticked, send it once, and say so when another order was sent in its place."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from starlette.responses import Response

from herhaal_client import Conflict
from portal.patient.medicines import PAGE, show_form
from portal.patient.order_form import Order, is_new, order_id_of, read_order, says_the_same, ticked
from portal.patient.shelf import Shelf, read_shelf
from portal.web.away import or_none
from portal.web.forms import Fields, Form
from portal.web.pages import Pages
from portal.web.visit import Visit
from portal.web.words import amount
from schemas.access import Action
from schemas.api.ordering import OrderView, PlaceRequest, ReceivedView
from schemas.base import Channel
from schemas.records.orders import OrderLine, Outcome

WAIT_S = 3
"""How long sending waits for the decision, so that the answer is on the next page at once."""

pages = Pages()


@pages.post("/patients/{patient}/order/check", Action.ORDERS_PLACE, kept_for=PAGE)
async def check(visit: Visit) -> Response:
    """Keep the form, and lead on to what would be sent: a page that one can go back to."""
    sent = await _sent(visit, order_id_of(visit.form))
    if sent is not None:
        return await _conflict(visit, sent, await read_shelf(visit))
    await _keep(visit, visit.form)
    return visit.redirect(f"/patients/{visit.patient}/order/check")


@pages.get("/patients/{patient}/order/check", Action.ORDERS_PLACE)
async def checked(visit: Visit) -> Response:
    """What would be sent, to read once more; or the form with what is not right yet."""
    page = PAGE.format(patient=visit.patient)
    kept = await visit.site.kept.kept(visit.session.claims.sub, page)
    if kept is None or is_new(kept):
        return visit.redirect(page)
    shelf = await read_shelf(visit)
    form = Form(kept)
    order = read_order(form, shelf.known)
    if not isinstance(order, Order):
        return await show_form(visit, shelf, form, order)
    return await _show_check(visit, shelf, form, order)


@pages.post("/patients/{patient}/order", Action.ORDERS_PLACE, kept_for=PAGE)
async def send(visit: Visit) -> Response:
    """Send the order, and show its answer. The same form sent again is the same order."""
    shelf = await read_shelf(visit)
    order_id = order_id_of(visit.form)
    sent = await _sent(visit, order_id)
    if isinstance(sent, OrderView):
        if says_the_same(visit.form, sent):
            return visit.redirect(f"/patients/{visit.patient}/orders/{order_id}")
        return await _conflict(visit, sent, shelf)
    order = read_order(visit.form, shelf.known)
    if not isinstance(order, Order):
        await _keep(visit, visit.form)
        return await show_form(visit, shelf, visit.form, order)
    try:
        await visit.api.ordering.place(_request(visit, shelf, order), WAIT_S)
    except Conflict:
        return await _conflict(visit, await visit.api.ordering.show(order_id), shelf)
    await visit.site.kept.forget(visit.session.claims.sub, PAGE.format(patient=visit.patient))
    return visit.redirect(f"/patients/{visit.patient}/orders/{order_id}")


async def _show_check(visit: Visit, shelf: Shelf, form: Form, order: Order) -> Response:
    units = {each.prk: each.unit for each in shelf.can_be_ordered}
    lines = [
        (shelf.known.names[one.prk], amount(one.quantity, units[one.prk], visit.language))
        for one in order.wanted
    ]
    looked_at = [each for each in shelf.can_be_ordered if each.prk in {*ticked(form)}]
    pharmacies = shelf.pharmacies if isinstance(shelf.pharmacies, list) else []
    return await visit.render(
        "patient/check.html",
        lines=lines,
        order=order,
        pharmacy=next((one for one in pharmacies if one.agb == order.pharmacy), None),
        practice=shelf.practice,
        too_many=shelf.too_many(len(lines)),
        most=shelf.practice.lines_at_most if shelf.practice else None,
        reviewed=bool(order.remark or order.supply_until or shelf.too_many(len(lines)))
        or any(one.outcome is Outcome.REVIEW for one in looked_at),
        fields=form.without("csrf"),
    )


async def _conflict(visit: Visit, order: OrderView | ReceivedView, shelf: Shelf) -> Response:
    """Another order was sent under this id: it stands. Offer to order only what is not in it."""
    had = {line.prk for line in order.lines} if isinstance(order, OrderView) else set()
    more = [prk for prk in ticked(visit.form) if prk not in had and prk in shelf.known.names]
    fields = _only(visit.form, more)
    if more:
        await _keep(visit, Form(fields))
    else:
        await visit.site.kept.forget(visit.session.claims.sub, PAGE.format(patient=visit.patient))
    return await visit.render(
        "patient/conflict.html",
        409,
        order=order,
        more=[shelf.known.names[prk] for prk in more],
        fields=fields,
    )


async def _sent(visit: Visit, order_id: UUID) -> OrderView | ReceivedView | None:
    """The order that was sent under this id already."""
    return await or_none(visit.api.ordering.show(order_id))


def _only(form: Form, prks: Sequence[str]) -> Fields:
    """A form of these medicines alone, under an id of its own."""
    kept = form.without("csrf", "order", "medicine")
    return [("order", f"{uuid4()}"), *kept, *(("medicine", prk) for prk in prks)]


async def _keep(visit: Visit, form: Form) -> None:
    page = PAGE.format(patient=visit.patient)
    await visit.site.kept.keep(visit.session.claims.sub, page, form.without("csrf"))


def _request(visit: Visit, shelf: Shelf, order: Order) -> PlaceRequest:
    return PlaceRequest(
        order_id=order.order_id,
        patient=visit.patient,
        practice=shelf.registered_at,
        pharmacy=order.pharmacy,
        channel=Channel.PORTAL,
        lines=tuple(
            OrderLine(
                line=number,
                prk=one.prk,
                medicine=shelf.known.names[one.prk],
                quantity=one.quantity,
            )
            for number, one in enumerate(order.wanted, 1)
        ),
        remark=order.remark,
        supply_until=order.supply_until,
    )
