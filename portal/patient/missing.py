"""My medicine is not in the list: tell the practice in one's own words, with the next order or by telephone."""

from datetime import timedelta

from starlette.responses import Response

from portal.patient.hours import in_words, ordinary_week
from portal.patient.medicines import PAGE
from portal.patient.order_form import new_fields
from portal.patient.shelf import read_shelf
from portal.web.field_errors import FieldError, shown
from portal.web.forms import Form
from portal.web.languages import mark
from portal.web.pages import Pages
from portal.web.visit import Visit
from schemas.access import Action
from schemas.base import LONGEST_TEXT
from schemas.records.directory import Remarks

MISSING = "/patients/{patient}/missing"
LONGEST_NAME = 300

pages = Pages()


@pages.get(MISSING, Action.ORDERS_PLACE)
async def missing(visit: Visit) -> Response:
    """Ask which medicine is missing, and say how the practice hears of it."""
    kept = await visit.site.kept.kept(
        visit.session.claims.sub, MISSING.format(patient=visit.patient)
    )
    return await _show(visit, Form(kept or ()), error=None)


@pages.post(MISSING, Action.ORDERS_PLACE, kept_for=MISSING)
async def add_to_remark(visit: Visit) -> Response:
    """Put the question in the remark of the order that is not sent yet: a person at the practice reads it."""
    words = visit.form.text("words")
    if not words:
        return await _show(visit, visit.form, mark("Write which medicine you miss"))
    page, sub = PAGE.format(patient=visit.patient), visit.session.claims.sub
    order = Form(await visit.site.kept.keep_first(sub, page, new_fields()))
    asked = visit.translate("I miss this medicine in my list:") + f" {words}"
    remark = "\n".join(filter(None, (order.text("remark"), asked)))
    if len(words) > LONGEST_NAME or len(remark) > LONGEST_TEXT:
        return await _show(visit, visit.form, mark("Make it shorter, please"))
    await visit.site.kept.keep(sub, page, [*order.without("remark"), ("remark", remark)])
    await visit.site.kept.forget(sub, MISSING.format(patient=visit.patient))
    return visit.redirect(page)


async def _show(visit: Visit, form: Form, error: str | None) -> Response:
    shelf = await read_shelf(visit)
    practice = shelf.practice
    monday = shelf.today - timedelta(days=shelf.today.weekday())
    hours = ordinary_week(practice.opening_hours, monday) if practice else ()
    return await visit.render(
        "patient/missing.html",
        422 if error else 200,
        practice=practice,
        hours=[in_words(each, visit.language) for each in hours],
        can_order=bool(shelf.can_be_ordered) and shelf.remarks is not Remarks.NOT_ALLOWED,
        form=form,
        errors=shown(visit, [FieldError("words", error)] if error else []),
        most=LONGEST_NAME,
    )
