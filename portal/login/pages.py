"""Login, its way back, and logout."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from portal.login.oidc import Attempt, LoginRefused, ProviderAway
from portal.session import cookies, store
from portal.session.sealing import Unreadable
from portal.session.sessions import Over, Session, hash_of
from portal.session.store import LoginRow
from portal.web.away import Away, unless_away
from portal.web.guard import with_notices
from portal.web.language_choice import choose_language, language_of, local_path
from portal.web.navigation import home_of
from portal.web.notices import Notice, notice_page
from portal.web.pages import Pages
from portal.web.site import Site
from portal.web.visit import Visit
from schemas.access import Party

log = structlog.get_logger()

LOGIN_FOR = timedelta(minutes=10)
"""How long a login may take at the provider."""

pages = Pages()


def routes(site: Site) -> list[Route]:
    """The pages for which nobody needs to be logged in."""
    login = _Login(site)
    return [
        Route("/", with_notices(site, login.start)),
        Route("/login", with_notices(site, login.begin)),
        Route("/login/callback", with_notices(site, login.finish)),
        Route("/language/{language}", choose_language),
    ]


@pages.post("/logout", None)
async def logout(visit: Visit) -> Response:
    """End this session, here and at the provider."""
    await visit.site.sessions.end(visit.session)
    return await _leave(visit)


@pages.post("/logout/everywhere", None)
async def logout_everywhere(visit: Visit) -> Response:
    """End all sessions of this person, at every browser."""
    await visit.site.sessions.end_everywhere(visit.session)
    return await _leave(visit)


async def _leave(visit: Visit) -> Response:
    try:
        url = await visit.site.oidc.logout_url(visit.session.tokens.id_token, visit.language)
    except ProviderAway:
        url = None
    response = RedirectResponse(url or "/", 303)
    cookies.remove(response, cookies.SESSION)
    # What the browser still has of our pages in memory goes too.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


class _Login:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def start(self, request: Request) -> Response:
        """The start page: one's own first page for who is logged in, a welcome for everybody else."""
        session = await self._session(request)
        if session is not None:
            return RedirectResponse(home_of(session.claims), 303)
        html = self._site.templates.render(
            "web/welcome.html", language_of(request), {"path": "/", "query": ""}
        )
        return HTMLResponse(html)

    async def begin(self, request: Request) -> Response:
        """Begin a login: note it, and lead to the provider."""
        attempt = Attempt.begin()
        browser = cookies.read(request, cookies.BROWSER) or cookies.new_secret()
        to = local_path(request.query_params.get("to", ""))
        id = cookies.read(request, cookies.SESSION)
        found = await self._site.sessions.find(id, in_use=False) if id else None
        whose = found.sub if isinstance(found, Over) else None
        await self._note(attempt, browser, to, whose)
        url = await self._site.oidc.login_url(attempt, language_of(request))
        response = RedirectResponse(url, 303)
        cookies.write(response, cookies.BROWSER, browser)
        return response

    async def finish(self, request: Request) -> Response:
        """The way back from the provider, with a code: a new session, and on to the page."""
        try:
            return await self._finish(request)
        except LoginRefused as refused:
            log.warning("login refused", reason=refused.code)
            return notice_page(self._site, request, Notice.LOGIN_REFUSED)

    async def _finish(self, request: Request) -> Response:
        answer = _single(request.url.query)
        browser = cookies.read(request, cookies.BROWSER)
        known = await self._take(answer.get("state", ""), browser)
        if known is None:
            # Used already, too old, or begun at another browser.
            return RedirectResponse("/", 303)
        attempt, to, whose = known
        self._site.oidc.check_sender(answer.get("iss"))
        if "code" not in answer:
            # The person changed their mind, or the provider refused.
            return RedirectResponse("/", 303)
        tokens, claims = await self._site.oidc.redeem(answer["code"], attempt)
        before = cookies.read(request, cookies.SESSION)
        session = await self._site.sessions.begin(tokens, claims, before)
        # A page of the person before is none for this one.
        on = to if whose in (None, claims.sub) and to != "/" else home_of(claims)
        response = RedirectResponse(on, 303)
        cookies.write(response, cookies.SESSION, session.id)
        if cookies.LANGUAGE not in request.cookies and (
            preferred := await self._preferred(session)
        ):
            cookies.write(response, cookies.LANGUAGE, preferred, cookies.LANGUAGE_S)
        return response

    async def _preferred(self, session: Session) -> str | None:
        """The language that a patient prefers, if there is an answer now."""
        claims = session.claims
        if claims.role is not Party.PATIENT or len(claims.patients) != 1:
            return None
        api = self._site.services.as_bearer(session.tokens.access)
        found = await unless_away(api.notification.preferences(claims.patients[0]))
        return None if isinstance(found, Away) else found.language

    async def _session(self, request: Request) -> Session | None:
        id = cookies.read(request, cookies.SESSION)
        found = await self._site.sessions.find(id) if id else None
        return found if isinstance(found, Session) else None

    async def _note(self, attempt: Attempt, browser: str, to: str, whose: str | None) -> None:
        state = hash_of(attempt.state)
        content = [attempt.nonce, attempt.verifier, to, whose]
        sealed = self._site.sealer.seal(content, state)
        row = LoginRow(state, hash_of(browser), sealed, datetime.now(UTC))
        async with self._site.database.connection() as db:
            await store.add_login(db, row)

    async def _take(
        self, state: str, browser: str | None
    ) -> tuple[Attempt, str, str | None] | None:
        """The login that comes back, where to go, and whose session was over when it began, if one was."""
        if browser is None:
            return None
        async with self._site.database.connection() as db:
            row = await store.take_login(db, hash_of(state), hash_of(browser))
        if row is None or datetime.now(UTC) - row.begun_at > LOGIN_FOR:
            return None
        try:
            nonce, verifier, to, whose = self._site.sealer.open(row.sealed, row.state_hash)
        except Unreadable:
            return None
        return Attempt(state, nonce, verifier), to, whose


def _single(query: str) -> dict[str, Any]:
    """The parameters of an answer; one that is there twice makes it worth nothing."""
    pairs = parse_qsl(query)
    found = dict(pairs)
    return found if len(found) == len(pairs) else {}
