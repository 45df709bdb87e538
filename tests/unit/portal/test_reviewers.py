"""Who is to decide a line in review, and what was approved and stopped since."""

from datetime import date
from uuid import UUID

import pytest

from portal.practice import deciding, reviews
from portal.practice.words import CHANGED, REVIEWERS, SIGNALS
from schemas.base import Reviewer
from schemas.reasons import Reason, ReasonCode
from schemas.records.orders import Outcome, Signal, StatusSignal
from tests.unit.portal.reviewing import (
    ANNA,
    ID,
    LIST,
    NAMED,
    ORDER,
    PERSON,
    REFUSE,
    STOPPED,
    WAITING,
    an_order,
    deciding_as,
    listed,
)
from tests.unit.portal.visits import ASSISTANT, Told, a_visit, answering, look


async def test_a_line_says_who_is_to_decide_from_when_it_is_not_early_and_what_is_due() -> None:
    """Given an early line of a medicine in another order, whose check-up is due; then the row has it all."""
    early = Reason(code=ReasonCode.TOO_EARLY, earliest_date=date(2026, 12, 11))
    other = UUID(int=5)
    twice = Reason(code=ReasonCode.DUPLICATE_ORDER, other_order=other)
    changes = {"reasons": (early, twice), "signals": (Signal.CONTROL_DUE,)}
    told = Told({LIST: listed(WAITING.model_copy(update=changes)), PERSON: NAMED})
    _, html = await look(reviews.pages, "GET", reviews.PAGE, a_visit(ASSISTANT, told))
    assert 'class="badge care">GP<' in html
    assert "Too early: from Friday 11 December" in html
    assert f'href="/practice/patients/{ANNA}#order-{other}"' in html
    assert "Check-up is due" in html


@pytest.mark.parametrize("wanted", ["gp", "assistant", "pharmacy", "made-up", ""])
async def test_the_list_is_of_one_reviewer_if_the_address_says_so(wanted: str) -> None:
    """Given lines of a reviewer alone; then ordering is asked for them, and the next page is theirs too."""
    told = Told({LIST: listed(WAITING, next="1-2-3"), PERSON: NAMED})
    visit = a_visit(ASSISTANT, told, query={"reviewer": wanted})
    _, html = await look(reviews.pages, "GET", reviews.PAGE, visit)
    known = wanted in {*Reviewer}
    (asked,) = [each for each in told.requests if each.url.path.endswith("/reviews")]
    assert asked.url.params.get("reviewer") == (wanted if known else None)
    assert (f"after=1-2-3&amp;reviewer={wanted}" in html) == known
    assert html.count('aria-current="true"') == 1


async def test_what_was_approved_and_stopped_since_stands_above_with_two_ways_out() -> None:
    told = Told({LIST: listed(WAITING, signalled=(STOPPED,)), PERSON: NAMED})
    _, html = await look(reviews.pages, "GET", reviews.PAGE, a_visit(ASSISTANT, told))
    above, _, below = html.partition("To decide</h2>")
    for text in ("Stopped since", "Keep it", "Withdraw the prescription", "Approved on"):
        assert text in above
        assert text not in below
    assert "the practice sent" not in html.lower()


async def test_what_the_practice_sent_itself_it_must_also_call_about() -> None:
    by_hand = STOPPED.model_copy(update={"sent_by_practice": True})
    told = Told({LIST: listed(signalled=(by_hand,)), PERSON: NAMED})
    _, html = await look(reviews.pages, "GET", reviews.PAGE, a_visit(ASSISTANT, told))
    assert "call the pharmacy too" in html
    assert "There is nothing to review" in html


@pytest.mark.parametrize("htmx", [True, False])
async def test_a_withdrawal_without_words_comes_back_in_its_own_row(htmx: bool) -> None:
    order = an_order(Outcome.APPROVED)
    line = order.lines[0].model_copy(update={"signal": StatusSignal.STOPPED})
    order = order.model_copy(update={"lines": (line,)})
    told = Told({ORDER: answering(order), PERSON: NAMED, LIST: listed(signalled=(STOPPED,))})
    visit = deciding_as(told, REFUSE | {"explanation": ""}, htmx=htmx)
    status, html = await look(deciding.pages, "POST", deciding.DECIDE, visit)
    assert status == 422
    assert "Why do you withdraw this?" in html
    assert html.count(f'id="row-{ID}-1"') == 1
    assert told.sent("PUT") == []


def test_everything_that_ordering_says_in_codes_has_words_for_the_practice() -> None:
    assert SIGNALS.keys() == {*Signal}
    assert CHANGED.keys() == {*StatusSignal}
    assert REVIEWERS.keys() == {*Reviewer} == {*reviews.FILTERS}
