"""Login in many tabs, at once, too late, by attackers: one session, of who logged in, under an id that is
new."""

import secrets

import pytest

from deploy.local import LocalStack
from tests.harness.portal import portal_database, session_row
from tests.integration.portal.browser import OURS, goes_to_login
from tests.integration.portal.conftest import Browsers

ORDERS = "/patients/pat_example01/orders"
MESSAGES = "/patients/pat_example01/messages"
LARGEST_COOKIE = 4096


async def test_two_tabs_log_in_beside_each_other(browsers: Browsers) -> None:
    """Given a login begun in two tabs; when both are finished; then each is on its own page."""
    anna = await browsers.new()
    first, second = await anna.begin(ORDERS), await anna.begin(MESSAGES)
    assert (await anna.get(await anna.choose(first))).headers["location"] == ORDERS
    assert (await anna.get(await anna.choose(second))).headers["location"] == MESSAGES
    assert (await anna.get(ORDERS)).status_code == 200


async def test_many_logins_that_were_left_do_no_harm(browsers: Browsers) -> None:
    anna = await browsers.new()
    for _ in range(20):
        await anna.begin()
    await anna.login()
    sizes = [len(f"{name}={one.value}") for name, one in anna.cookies.items()]
    assert max(sizes) < LARGEST_COOKIE
    assert (await anna.get(ORDERS)).status_code == 200


async def test_a_login_is_finished_once(browsers: Browsers) -> None:
    """Given a way back that was used; when it is used again; then it leads to the start page, logged in as
    before."""
    anna = await browsers.new()
    back = await anna.choose(await anna.begin())
    await anna.get(back)
    session = anna.session
    again = await anna.get(back)
    assert (again.status_code, again.headers["location"]) == (303, "/")
    assert anna.session == session


async def test_a_login_takes_ten_minutes_at_most(browsers: Browsers) -> None:
    anna = await browsers.new()
    back = await anna.choose(await anna.begin())
    async with portal_database(browsers.stack) as db:
        await db.execute("update logins set begun_at = begun_at - interval '11 minutes'")
    assert (await anna.get(back)).headers["location"] == "/"
    assert anna.session == ""


async def test_a_login_is_finished_at_the_browser_where_it_began(browsers: Browsers) -> None:
    """Given an attacker's way back; when somebody else opens it; then they are not logged in as the
    attacker."""
    attacker, victim = await browsers.new(), await browsers.new()
    back = await attacker.choose(await attacker.begin(), "pat_example02")
    await victim.begin()
    assert (await victim.get(back)).headers["location"] == "/"
    assert victim.session == ""


async def test_an_answer_of_another_issuer_is_refused(browsers: Browsers) -> None:
    anna = await browsers.new()
    back = await anna.choose(await anna.begin())
    issuer = back.partition("&iss=")[0]
    answer = await anna.get(f"{issuer}&iss=https%3A%2F%2Fevil.example")
    assert answer.status_code == 403
    assert anna.session == ""


async def test_a_code_of_another_login_is_refused(browsers: Browsers) -> None:
    """Given a code that was made for another login; then its verifier does not fit."""
    anna, other = await browsers.new(), await browsers.new()
    stolen = (await other.choose(await other.begin())).partition("code=")[2].partition("&")[0]
    back = await anna.choose(await anna.begin())
    own = back.partition("code=")[2].partition("&")[0]
    assert (await anna.get(back.replace(own, stolen))).status_code == 403
    assert anna.session == ""


async def test_who_changes_their_mind_is_at_the_start_page(browsers: Browsers) -> None:
    anna = await browsers.new()
    back = await anna.choose(await anna.begin(), "nobody")
    assert "error=access_denied" in back
    assert (await anna.get(back)).headers["location"] == "/"


async def test_a_session_id_that_an_attacker_set_is_never_adopted(browsers: Browsers) -> None:
    """Given a cookie that somebody else put there; when Anna logs in; then her session has an id of its own,
    and the one before ends."""
    anna = await browsers.new()
    planted = secrets.token_urlsafe(32)
    anna.plant(planted)
    assert goes_to_login(await anna.get(ORDERS))
    await anna.login()
    assert anna.session not in ("", planted)
    first = anna.session
    await anna.login()
    assert anna.session != first
    assert await session_row(browsers.stack, first) is None


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil", "x"]
)
async def test_login_and_language_lead_to_pages_of_ours_only(browsers: Browsers, path: str) -> None:
    anna = await browsers.new()
    assert (await anna.login(to=path)).headers["location"].startswith("/patients/pat_example01/")
    chosen = await anna.http.get("/language/en", params={"to": path})
    assert chosen.headers["location"] == "/"


async def test_another_host_gets_no_page(browsers: Browsers, stack: LocalStack) -> None:
    """Given a Host header that is not ours; then a page leads to our own address, and a form is refused."""
    anna = await browsers.login()
    page = await anna.get(ORDERS, host="evil.example")
    assert (page.status_code, page.headers["location"]) == (307, f"{stack.endpoints['portal']}/")
    form = await anna.http.post("/logout", headers=OURS | {"host": "evil.example"})
    assert form.status_code == 421


async def test_no_page_may_be_kept(browsers: Browsers) -> None:
    anna = await browsers.login()
    pages = ("medicines", "orders", "messages", "me", "missing", "nothing")
    paths = ["/", "/login", "/login/callback", *(f"/patients/pat_example01/{one}" for one in pages)]
    kept = {path: (await anna.get(path)).headers["cache-control"] for path in paths}
    assert set(kept.values()) == {"no-store"}
