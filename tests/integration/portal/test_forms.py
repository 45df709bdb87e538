"""Forms come from a page of ours, of this session; htmx is told what a whole window would be."""

import pytest

from deploy.local import LocalStack
from tests.harness.portal import change_session, session_row
from tests.integration.portal.browser import OURS
from tests.integration.portal.conftest import Browsers

ORDERS = "/patients/pat_example01/orders"
CHECK = "/patients/pat_example01/order/check"
HTMX = {"hx-request": "true"}


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
    ],
    ids=str,
)
async def test_a_form_of_another_site_does_nothing(
    browsers: Browsers, stack: LocalStack, headers: dict[str, str]
) -> None:
    """Given the right token, and a browser that names another site, or none; then nothing is done."""
    anna = await browsers.login()
    assert (await anna.post("/logout", headers=headers)).status_code == 403
    assert await session_row(stack, anna.session) is not None


async def test_a_form_needs_the_token_of_its_session(browsers: Browsers, stack: LocalStack) -> None:
    anna, bram = await browsers.login(), await browsers.login("pat_example02")
    for token in ("", "0" * 64, await bram.csrf(), "é"):
        assert (await anna.post("/logout", token)).status_code == 403
    assert (await anna.http.post("/logout", headers=OURS)).status_code == 403
    assert await session_row(stack, anna.session) is not None


async def test_an_older_browser_says_its_origin(browsers: Browsers) -> None:
    anna = await browsers.login()
    assert (await anna.post("/logout", headers={"origin": anna.site})).status_code == 303


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"csrf=%ff", "application/x-www-form-urlencoded"),
        (b"a=%00", "application/x-www-form-urlencoded"),
        (b"a=" + b"x" * 300_000, "application/x-www-form-urlencoded"),
        (b"a=1&" * 301, "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
    ],
    ids=["not-utf-8", "nul", "too-large", "too-many-fields", "json"],
)
async def test_what_is_no_form_of_ours_is_said_to_be_none(
    browsers: Browsers, body: bytes, kind: str
) -> None:
    anna = await browsers.login()
    answer = await anna.http.post(CHECK, content=body, headers=OURS | {"content-type": kind})
    assert answer.status_code == 400
    assert "<h1>" in answer.text


async def test_htmx_leads_the_whole_window_to_login(browsers: Browsers, stack: LocalStack) -> None:
    """Given a session that is over; when htmx asks for a part; then the window goes to login, and back."""
    anna = await browsers.login()
    await change_session(stack, anna.session, "seen_at = now() - interval '31 minutes'")
    answer = await anna.http.get(ORDERS, headers=HTMX)
    assert answer.headers["hx-redirect"] == f"/login?to={ORDERS}"
    assert answer.text == ""


async def test_htmx_shows_in_place_that_a_service_is_away(
    browsers: Browsers, stack: LocalStack
) -> None:
    """Given that ordering is away; when htmx asks for an order; then a notice comes in its place, with no page
    around it, and the part that was there stays."""
    anna = await browsers.login()
    await stack.stop("ordering")
    try:
        answer = await anna.http.get(f"{ORDERS}/{'0' * 8}-0000-4000-8000-{'0' * 12}", headers=HTMX)
    finally:
        await stack.start("ordering")
    assert answer.status_code == 503
    assert answer.headers["hx-retarget"] == "#notices"
    assert not any(part in answer.text for part in ("<html", "<header", "<main"))


async def test_what_is_anothers_is_answered_as_what_does_not_exist(browsers: Browsers) -> None:
    anna = await browsers.login()
    answers = [
        await anna.get(path)
        for path in ("/patients/pat_example02/orders", "/patients/pat_nobody99/orders", "/nothing")
    ]
    assert {answer.status_code for answer in answers} == {404}
    headings = {answer.text.partition("<h1>")[2].partition("</h1>")[0] for answer in answers}
    assert len(headings) == 1
