"""Sessions: refreshed once for all, ended for good, and worth nothing to who stole them."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from deploy.local import LocalStack
from portal.session.cookies import SESSION
from tests.harness.portal import change_session, portal_database, second_portal, session_row
from tests.integration.portal.browser import Browser, goes_to_login
from tests.integration.portal.conftest import Browsers

MEDICINES = "/patients/pat_example01/medicines"
ORDERS = "/patients/pat_example01/orders"
RUN_OUT = "access_until = now() - interval '1 minute'"


@contextmanager
def held(stack: LocalStack, name: str) -> Iterator[None]:
    """Hold a process of the stack: it answers nothing meanwhile."""
    pid = stack.pids[name]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_many_pages_at_once_refresh_once(browsers: Browsers, stack: LocalStack) -> None:
    """Given a token that has run out, and two processes of the portal; when eight pages are asked for at once;
    then all are answered, twice in a row: a refresh token that is used twice would have ended the session."""
    anna = await browsers.login()
    host = {"host": httpx.URL(anna.site).netloc.decode()}
    async with second_portal(stack) as other:
        for _ in range(2):
            await change_session(stack, anna.session, RUN_OUT)
            asked = [
                anna.http.get(f"{site}{ORDERS}", headers=host) for site in (anna.site, other) * 4
            ]
            assert [answer.status_code for answer in await asyncio.gather(*asked)] == [200] * 8


async def test_a_refresh_whose_answer_was_lost_leads_to_login_and_back(
    browsers: Browsers, stack: LocalStack
) -> None:
    """Given a portal that was killed after the issuer's answer and before it was stored, so that the row has
    the refresh token that is used up; then the next page leads to login, and back to it."""
    anna = await browsers.login()
    before = await session_row(stack, anna.session)
    assert before is not None
    await change_session(stack, anna.session, RUN_OUT)
    assert (await anna.get(ORDERS)).status_code == 200
    async with portal_database(stack) as db:
        await db.execute(
            f"update sessions set sealed = $2, {RUN_OUT} where id_hash = $1",
            before.id_hash,
            before.sealed,
        )
    await stack.kill("portal")
    await stack.start("portal")
    answer = await anna.get(ORDERS)
    assert goes_to_login(answer)
    assert await session_row(stack, anna.session) is None
    assert (await anna.login(to=ORDERS)).headers["location"] == ORDERS


async def _asked(browser: Browser, path: str) -> "asyncio.Task[httpx.Response]":
    """Ask for a page, which the portal begins to answer."""
    task = asyncio.create_task(browser.get(path))
    await asyncio.sleep(0.5)
    assert not task.done()
    return task


@pytest.mark.parametrize("path", ["/logout", "/logout/everywhere"])
async def test_a_slow_page_does_not_revive_a_session(
    browsers: Browsers, stack: LocalStack, path: str
) -> None:
    """Given a page that waits for a service; when its session is ended meanwhile, here or from another browser;
    then the session stays away, and the page sets no cookie for one."""
    anna = await browsers.login()
    elsewhere = await browsers.login()
    who = anna if path == "/logout" else elsewhere
    csrf, session = await who.csrf(), anna.session
    with held(stack, "ordering"):
        slow = await _asked(anna, ORDERS)
        assert (await who.post(path, csrf)).status_code == 303
    answer = await slow
    assert SESSION not in answer.headers.get("set-cookie", "")
    assert await session_row(stack, session) is None
    anna.plant(session)
    assert goes_to_login(await anna.get(ORDERS))


async def test_a_refresh_under_way_does_not_revive_a_session(
    browsers: Browsers, stack: LocalStack
) -> None:
    """Given a refresh that waits for the issuer; when the person logs out everywhere from another browser; then
    the session is away after both."""
    anna, elsewhere = await browsers.login(), await browsers.login()
    csrf = await elsewhere.csrf()
    await elsewhere.get("/language/nl")
    await change_session(stack, anna.session, RUN_OUT)
    with held(stack, "issuer"):
        slow = await _asked(anna, ORDERS)
        ended = asyncio.create_task(elsewhere.post("/logout/everywhere", csrf))
        await asyncio.sleep(0.5)
    await slow
    assert (await ended).status_code == 303
    assert await session_row(stack, anna.session) is None
    assert goes_to_login(await anna.get(ORDERS))


async def test_a_stolen_cookie_is_worth_nothing_after_logout(browsers: Browsers) -> None:
    anna, thief = await browsers.login(), await browsers.new()
    thief.plant(anna.session)
    assert (await thief.get(ORDERS)).status_code == 200
    answer = await anna.post("/logout")
    assert answer.headers["clear-site-data"] == '"cache"'
    assert anna.session == ""
    assert goes_to_login(await thief.get(ORDERS))


async def test_logout_everywhere_ends_all_sessions_of_this_person_only(browsers: Browsers) -> None:
    here, there = await browsers.login(), await browsers.login()
    bram = await browsers.login("pat_example02")
    await here.post("/logout/everywhere")
    assert goes_to_login(await there.get(ORDERS))
    assert (await bram.get("/patients/pat_example02/orders")).status_code == 200


async def test_a_cookie_is_not_for_scripts_nor_for_other_sites(browsers: Browsers) -> None:
    anna = await browsers.login()
    said = {name: value for name, value in anna.cookies[SESSION].items() if value}
    assert said == {"path": "/", "secure": True, "httponly": True, "samesite": "lax"}


@pytest.mark.parametrize("end", ["seen_at = now() - interval '31 minutes'", "ends_at = now()"])
async def test_a_session_ends_by_itself(browsers: Browsers, stack: LocalStack, end: str) -> None:
    anna = await browsers.login()
    await change_session(stack, anna.session, end)
    answer = await anna.get(f"{ORDERS}?a=b")
    assert answer.headers["location"] == f"/login?to={ORDERS}%3Fa%3Db"
