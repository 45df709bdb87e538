"""Lines in review at a practice: the list, and a decision with everything that can come of it."""

import httpx
import pytest

from herhaal_client import NotFound
from portal.practice import deciding, reviews
from portal.practice.words import REASONS
from portal.web.forms import BadForm
from schemas.reasons import ReasonCode
from schemas.records.orders import Outcome
from tests.unit.clients.asking import a_problem
from tests.unit.portal.reviewing import (
    ANNA,
    APPROVE,
    GP,
    ID,
    LIST,
    ME,
    NAMED,
    ORDER,
    PERSON,
    PUT,
    REFUSE,
    WAITING,
    an_order,
    deciding_as,
    listed,
)
from tests.unit.portal.visits import ASSISTANT, KeptInMemory, Told, a_visit, answering, look


async def test_a_line_says_who_it_is_for_what_and_why() -> None:
    told = Told({LIST: listed(WAITING), PERSON: NAMED})
    status, html = await look(reviews.pages, "GET", reviews.PAGE, a_visit(ASSISTANT, told))
    assert status == 200
    for text in (
        "A.M. Voorbeeld",
        "Metformine",
        "90 pieces",
        "High-risk medicine",
        "28 November 2026",
    ):
        assert text in html
    assert "&lt;b&gt;Graag&lt;/b&gt; bellen" in html
    assert "Metformine for A.M. Voorbeeld" in html


async def test_a_name_that_nobody_knows_is_said_so_and_no_pseudonym_is_shown() -> None:
    told = Told({LIST: listed(WAITING)})
    _, html = await look(reviews.pages, "GET", reviews.PAGE, a_visit(ASSISTANT, told))
    assert "Name not known" in html
    assert "order of 28 November 2026" in html
    assert f">{ANNA}" not in html


async def test_each_patient_is_asked_for_once() -> None:
    told = Told({LIST: listed(WAITING, WAITING.model_copy(update={"line": 2})), PERSON: NAMED})
    await look(reviews.pages, "GET", reviews.PAGE, a_visit(ASSISTANT, told))
    assert len([each for each in told.requests if each.url.host == "notification"]) == 1


async def test_nothing_to_review_is_said_so() -> None:
    _, html = await look(
        reviews.pages, "GET", reviews.PAGE, a_visit(ASSISTANT, Told({LIST: listed()}))
    )
    assert "There is nothing to review" in html


async def test_a_next_page_is_offered_and_a_made_up_cursor_gives_the_first() -> None:
    def paged(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("after") == "made-up":
            return a_problem(422, "invalid")
        return listed(WAITING, next="1-2-3")

    told = Told({LIST: paged, PERSON: NAMED})
    visit = a_visit(ASSISTANT, told, query={"after": "made-up"})
    status, html = await look(reviews.pages, "GET", reviews.PAGE, visit)
    assert status == 200
    assert "/practice/reviews?after=1-2-3" in html


async def test_when_ordering_is_away_the_list_says_so() -> None:
    told = Told({LIST: httpx.ConnectError("refused")})
    status, html = await look(reviews.pages, "GET", reviews.PAGE, a_visit(ASSISTANT, told))
    assert (status, "We cannot show this part now" in html) == (200, True)


async def test_an_approval_is_sent_and_the_row_says_what_was_decided_and_for_whom() -> None:
    told = Told(
        {
            ORDER: answering(an_order()),
            PUT: answering(an_order(Outcome.APPROVED, ME)),
            PERSON: NAMED,
        }
    )
    status, html = await look(deciding.pages, "POST", deciding.DECIDE, deciding_as(told, APPROVE))
    assert status == 200
    assert "Metformine for A.M. Voorbeeld" in html
    assert "You approved this on 28 November 2026" in html
    (sent,) = told.sent("PUT")
    assert sent.content == b'{"outcome":"approved"}'
    assert sent.headers["prefer"] == "wait=3"


async def test_without_javascript_a_decision_leads_back_to_the_list_which_says_it() -> None:
    told = Told(
        {
            ORDER: answering(an_order()),
            PUT: answering(an_order(Outcome.REFUSED, ME)),
            PERSON: NAMED,
            LIST: listed(),
        }
    )
    visit = deciding_as(told, REFUSE | {"after": "1-2-3", "reviewer": "gp"}, htmx=False)
    (page,) = deciding.pages.all
    answer = await page.endpoint(visit)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/practice/reviews?decided={ID}-1&after=1-2-3&reviewer=gp"
    told = Told({ORDER: answering(an_order(Outcome.REFUSED, ME)), PERSON: NAMED, LIST: listed()})
    back = a_visit(ASSISTANT, told, query={"decided": f"{ID}-1"})
    _, html = await look(reviews.pages, "GET", reviews.PAGE, back)
    assert "You refused this on 28 November 2026" in html


@pytest.mark.parametrize("htmx", [True, False])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "Write for the patient why you refuse this"),
        ("\u200b", "Write for the patient why you refuse this"),
        ("x" * 2001, "Your explanation is too long. Characters too many: 1"),
    ],
)
async def test_a_refusal_without_good_words_comes_back_with_the_reason_beside_the_field(
    words: str, said: str, htmx: bool
) -> None:
    told = Told({ORDER: answering(an_order()), PERSON: NAMED, LIST: listed(WAITING)})
    form = REFUSE | {"explanation": words}
    visit = deciding_as(told, form, htmx=htmx)
    status, html = await look(deciding.pages, "POST", deciding.DECIDE, visit)
    assert status == 422
    assert f'id="explanation-{ID}-1-error"' in html
    assert said in html
    assert 'aria-invalid="true"' in html
    assert words in html
    assert told.sent("PUT") == []
    assert html.count("<main") == (0 if htmx else 1)


@pytest.mark.parametrize("htmx", [True, False])
async def test_who_was_later_reads_who_decided_and_when(htmx: bool) -> None:
    orders = iter([an_order(), an_order(Outcome.REFUSED, GP)])
    told = Told(
        {
            ORDER: lambda _: answering(next(orders)),
            PUT: a_problem(409, "not-in-review"),
            PERSON: NAMED,
            LIST: listed(),
        }
    )
    visit = deciding_as(told, APPROVE, htmx=htmx)
    status, html = await look(deciding.pages, "POST", deciding.DECIDE, visit)
    assert status == 409
    assert "A GP refused this on 28 November 2026" in html
    assert "You approved" not in html


async def test_without_a_medication_list_nothing_is_approved_and_the_row_stays() -> None:
    told = Told({ORDER: answering(an_order()), PUT: a_problem(409, "no-overview"), PERSON: NAMED})
    status, html = await look(deciding.pages, "POST", deciding.DECIDE, deciding_as(told, APPROVE))
    assert status == 409
    assert "medication list is not here yet" in html
    assert "Refuse" in html


async def test_when_ordering_is_away_the_row_stays_and_a_word_comes_into_it() -> None:
    told = Told({ORDER: httpx.ConnectError("refused")})
    (page,) = deciding.pages.all
    answer = await page.endpoint(deciding_as(told, REFUSE))
    assert answer.status_code == 503
    assert answer.headers["hx-retarget"] == f"#news-{ID}-1"
    assert b"may not have arrived" in bytes(answer.body)


async def test_when_ordering_is_away_what_was_typed_is_kept_and_comes_back_on_the_list() -> None:
    told = Told({ORDER: httpx.ConnectError("refused")})
    visit = deciding_as(told, REFUSE, htmx=False)
    status, html = await look(deciding.pages, "POST", deciding.DECIDE, visit)
    assert (status, "what you typed is kept" in html) == (503, True)
    kept = visit.site.kept
    assert isinstance(kept, KeptInMemory)
    later = a_visit(ASSISTANT, Told({LIST: listed(WAITING), PERSON: NAMED}))
    await later.site.kept.keep(ASSISTANT.sub, reviews.PAGE, kept.forms[ASSISTANT.sub, reviews.PAGE])
    _, html = await look(reviews.pages, "GET", reviews.PAGE, later)
    assert ">Eerst prikken</textarea>" in html


async def test_a_form_for_another_patient_than_the_orders_is_no_page() -> None:
    told = Told({ORDER: answering(an_order())})
    visit = deciding_as(told, APPROVE, patient="pat_bram0001")
    with pytest.raises(NotFound):
        await look(deciding.pages, "POST", deciding.DECIDE, visit)
    assert told.sent("PUT") == []


async def test_a_decision_that_is_none_is_a_bad_form() -> None:
    told = Told({ORDER: answering(an_order())})
    with pytest.raises(BadForm):
        await look(
            deciding.pages, "POST", deciding.DECIDE, deciding_as(told, {"outcome": "cancelled"})
        )


def test_every_reason_has_words_for_the_practice() -> None:
    assert REASONS.keys() == {*ReasonCode}
