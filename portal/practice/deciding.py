"""Approve or refuse a line in review, in its row; without JavaScript on the whole page."""

from dataclasses import replace
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from herhaal_client import Conflict, NotFound, Unavailable
from portal.practice.review_rows import Answer, Row, answer_of, row_of_order
from portal.practice.reviews import PAGE, after_of, answer_about, line_of, reviewer_of, show
from portal.web.field_errors import FieldError, shown
from portal.web.forms import BadForm, Form
from portal.web.languages import mark
from portal.web.pages import Pages
from portal.web.visit import Visit
from schemas.access import Action
from schemas.api.ordering import LineView, OrderView
from schemas.api.reviews import ReviewRequest
from schemas.base import LONGEST_TEXT, is_blank
from schemas.records.orders import Outcome

WAIT_S = 3
"""How long a decision waits until it is carried out, so that the row says what became of it."""

DECIDE = "/practice/patients/{patient}/orders/{order_id}/lines/{line}/review"

pages = Pages()

NO_WORDS = mark("Write for the patient why you refuse this")
TOO_LONG = mark("Your explanation is too long. Characters too many: %(over)s")
NO_OVERVIEW = mark("This cannot be approved now: the patient's medication list is not here yet.")
NOT_SENT = mark(
    "Your decision may not have arrived. Try again in a moment: what you typed is kept."
)


@pages.post(DECIDE, Action.REVIEWS_DECIDE, kept_for=PAGE)
async def decide(visit: Visit) -> Response:
    """Decide a line, and say in its place what became of it."""
    try:
        order, line = await _in_path(visit)
        return await _decide(visit, order, line)
    except Unavailable:
        return await _not_sent(visit)


async def _decide(visit: Visit, order: OrderView, line: LineView) -> Response:
    request = read_decision(visit.form)
    if isinstance(request, FieldError):
        return await _again(visit, order, line, request)
    try:
        done = await visit.api.ordering.review(order.order_id, line.line, request, WAIT_S)
    except Conflict as conflict:
        return await _conflict(visit, conflict, order.order_id, line.line)
    await visit.site.kept.forget(visit.session.claims.sub, PAGE)
    if not visit.partial:
        place = {"after": after_of(visit), "reviewer": reviewer_of(visit)}
        shown = {"decided": f"{order.order_id}-{line.line}"} | {
            name: value for name, value in place.items() if value
        }
        return visit.redirect(f"{PAGE}?{urlencode(shown)}")
    now = done if isinstance(done, OrderView) else order
    return await _decided(visit, await answer_about(visit, now, _line(now, line.line)), 200)


def read_decision(form: Form) -> ReviewRequest | FieldError:
    """Read the form: the decision, or what is not right yet. Raises BadForm for a form that is not ours."""
    words = form.text("explanation")
    match form.text("outcome"):
        case Outcome.APPROVED:
            return ReviewRequest(outcome=Outcome.APPROVED)
        case Outcome.REFUSED if is_blank(words):
            return FieldError("explanation", NO_WORDS)
        case Outcome.REFUSED if len(words) > LONGEST_TEXT:
            return FieldError("explanation", TOO_LONG, {"over": len(words) - LONGEST_TEXT})
        case Outcome.REFUSED:
            return ReviewRequest(outcome=Outcome.REFUSED, explanation=words)
        case _:
            raise BadForm


async def _again(visit: Visit, order: OrderView, line: LineView, error: FieldError) -> Response:
    """The row once more, with what was typed and what is not right."""
    row = await _row(visit, order, line)
    beside = replace(error, field=f"explanation-{row.id}")
    wrong = replace(row, typed=visit.form.text("explanation"), errors=shown(visit, [beside]))
    return await _in_row(visit, wrong, 422)


async def _conflict(visit: Visit, conflict: Conflict, order_id: UUID, number: int) -> Response:
    """Say who decided meanwhile, or why it cannot be approved now."""
    order = await visit.api.ordering.show(order_id)
    if not isinstance(order, OrderView):
        raise conflict
    line = _line(order, number)
    row = await _row(visit, order, line)
    if conflict.code == "no-overview" or line.outcome is Outcome.REVIEW:
        return await _in_row(visit, replace(row, said=visit.translate(NO_OVERVIEW)), 409)
    answer = answer_of(visit, row, order, line)
    return await _decided(visit, replace(answer, kind="care"), 409)


async def _not_sent(visit: Visit) -> Response:
    """The row stays as it is, with a word in it; without JavaScript the page comes with what was typed."""
    if visit.partial:
        row_id = f"{visit.request.path_params['order_id']}-{visit.request.path_params['line']}"
        answer = await visit.render("practice/not_sent.html", 503, text=NOT_SENT)
        answer.headers["HX-Retarget"] = f"#news-{row_id}"
        answer.headers["HX-Reswap"] = "innerHTML"
        return answer
    await visit.site.kept.keep(visit.session.claims.sub, PAGE, visit.form.without("csrf"))
    return await visit.render("practice/reviews_away.html", 503, text=NOT_SENT)


async def _in_row(visit: Visit, row: Row, status: int) -> Response:
    if visit.partial:
        return await visit.render(
            "practice/review_row.html",
            status,
            row=row,
            after=after_of(visit),
            reviewer=reviewer_of(visit),
        )
    return await show(visit, status, row=row)


async def _decided(visit: Visit, answer: Answer, status: int) -> Response:
    if visit.partial:
        return await visit.render("practice/decided_row.html", status, answer=answer)
    return await show(visit, status, answer=answer)


async def _row(visit: Visit, order: OrderView, line: LineView) -> Row:
    name = await visit.site.names.of(visit.api, visit.session.id, order.patient)
    return row_of_order(visit, order, line, name)


async def _in_path(visit: Visit) -> tuple[OrderView, LineView]:
    """The line in the path, of an order of the patient in the path. Raises NotFound."""
    try:
        order_id = UUID(visit.request.path_params["order_id"])
        number = int(visit.request.path_params["line"])
    except ValueError:
        raise _no_such_line() from None
    order = await visit.api.ordering.show(order_id)
    if not isinstance(order, OrderView) or order.patient != visit.patient:
        raise _no_such_line()
    return order, _line(order, number)


def _line(order: OrderView, number: int) -> LineView:
    line = line_of(order, number)
    if line is None:
        raise _no_such_line()
    return line


def _no_such_line() -> NotFound:
    return NotFound("line in review", "not-found", status=404)
