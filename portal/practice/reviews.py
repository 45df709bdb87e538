"""To review: the lines on which somebody at the practice decides, those placed first on top."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from starlette.responses import Response

from herhaal_client import Invalid
from portal.practice.review_rows import (
    Answer,
    Row,
    answer_of,
    row_of,
    row_of_order,
    row_of_signalled,
)
from portal.web.away import Away, or_none, unless_away
from portal.web.forms import Form
from portal.web.languages import mark
from portal.web.own import own_practice
from portal.web.pages import Pages
from portal.web.visit import Visit
from schemas.access import Action
from schemas.api.ordering import LineView, OrderView
from schemas.api.reviews import ReviewsView
from schemas.base import Reviewer

PAGE = "/practice/reviews"
"""Under this name a refusal is kept that could not be sent."""

SHOWN = 25
"""Lines on a page; the name of each patient is asked for."""

FILTERS: Mapping[Reviewer, str] = {
    Reviewer.ASSISTANT: mark("For the assistant"),
    Reviewer.GP: mark("For the GP"),
    Reviewer.PHARMACY: mark("For the pharmacy"),
}
"""Whose lines can be shown alone, in English."""

pages = Pages()


@dataclass(frozen=True)
class Queue:
    """A page of lines in review: how many there are in all, and where the next page begins.

    `signalled` are the approved lines whose medicine was stopped since; on the first page alone.
    """

    rows: Sequence[Row]
    signalled: Sequence[Row]
    total: int
    next: str | None


@pages.get(PAGE, Action.REVIEWS_READ)
async def reviews(visit: Visit) -> Response:
    """The lines in review, and what became of the one that was just decided."""
    answer, kept = await asyncio.gather(
        _just_decided(visit), visit.site.kept.kept(visit.session.claims.sub, PAGE)
    )
    return await show(visit, answer=answer, typed=Form(kept or ()))


async def show(
    visit: Visit,
    status: int = 200,
    *,
    answer: Answer | None = None,
    row: Row | None = None,
    typed: Form | None = None,
) -> Response:
    """The whole page. `row` stands in for the same one of the list; `typed` is a refusal not sent yet."""
    queue = await unless_away(_queue(visit))
    if not isinstance(queue, Away):
        rows = [_with_typed(each, typed) for each in queue.rows]
        again = [_with_typed(each, typed) for each in queue.signalled]
        if row is not None and row.changed:
            queue = replace(queue, rows=rows, signalled=_with(again, row))
        else:
            queue = replace(queue, rows=_with(rows, row), signalled=again)
    return await visit.render(
        "practice/reviews.html",
        status,
        queue=queue,
        answer=answer,
        errors=row.errors if row else (),
        after=after_of(visit),
        reviewer=reviewer_of(visit),
        reviewers=FILTERS,
    )


def reviewer_of(visit: Visit) -> Reviewer | None:
    """Whose lines are shown alone; None for everybody's."""
    wanted = visit.form.text("reviewer") or visit.request.query_params.get("reviewer", "")
    return next((each for each in FILTERS if each == wanted), None)


def after_of(visit: Visit) -> str:
    """Where this page of the list begins; empty for the first one."""
    return visit.form.text("after") or visit.request.query_params.get("after", "")


async def _queue(visit: Visit) -> Queue:
    found = await _page(visit, after_of(visit))
    patients = [each.patient for each in found.reviews]
    patients += [each.patient for each in found.signalled]
    names = await visit.site.names.of_all(visit.api, visit.session.id, patients)
    rows = [row_of(visit, each, names[each.patient]) for each in found.reviews]
    again = [row_of_signalled(visit, each, names[each.patient]) for each in found.signalled]
    return Queue(rows, again, found.total, found.next)


async def _page(visit: Visit, after: str) -> ReviewsView:
    """A page of the list; the first one for a cursor that somebody made up."""
    practice, reviewer = own_practice(visit), reviewer_of(visit)
    try:
        return await visit.api.ordering.reviews(practice, after or None, SHOWN, reviewer)
    except Invalid:
        return await visit.api.ordering.reviews(practice, None, SHOWN, reviewer)


def _with_typed(row: Row, typed: Form | None) -> Row:
    if typed is None or typed.text("row") != row.id:
        return row
    return replace(row, typed=typed.text("explanation"))


def _with(rows: Sequence[Row], row: Row | None) -> Sequence[Row]:
    """The list with `row` in place of the one that it is, or on top if that is not there."""
    if row is None:
        return rows
    if all(each.id != row.id for each in rows):
        return [row, *rows]
    return [row if each.id == row.id else each for each in rows]


async def _just_decided(visit: Visit) -> Answer | None:
    """What became of the line that the address names; None when it names none of ours."""
    order_id, _, number = visit.request.query_params.get("decided", "").rpartition("-")
    try:
        known = UUID(order_id), int(number)
    except ValueError:
        return None
    order = await unless_away(or_none(visit.api.ordering.show(known[0])))
    if not isinstance(order, OrderView):
        return None
    line = line_of(order, known[1])
    return None if line is None else await answer_about(visit, order, line)


async def answer_about(visit: Visit, order: OrderView, line: LineView) -> Answer:
    """What became of a line of an order."""
    name = await visit.site.names.of(visit.api, visit.session.id, order.patient)
    return answer_of(visit, row_of_order(visit, order, line, name), order, line)


def line_of(order: OrderView, number: int) -> LineView | None:
    """The line of this number."""
    return next((line for line in order.lines if line.line == number), None)
