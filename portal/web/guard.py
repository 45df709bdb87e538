"""Lets a request through to its page: somebody is logged in, may do this, and sent the form from our page."""

import hmac
import re
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from herhaal_client import (
    ApiError,
    Conflict,
    Forbidden,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)
from portal.login.oidc import ProviderAway
from portal.session import cookies
from portal.session.sessions import Over, Session
from portal.web.forms import BadForm, Form, read_form
from portal.web.language_choice import language_of
from portal.web.notices import Notice, notice_page
from portal.web.pages import Page
from portal.web.site import Site
from portal.web.visit import Visit
from runtime.errors import is_transient
from schemas.access import Party, scope_of
from schemas.base import PATIENT_ID

CSRF = "csrf"
LIVE = "x-live"
"""A header of what a page asks by itself, after news."""
_PATIENT = re.compile(PATIENT_ID)

Handler = Callable[[Request], Awaitable[Response]]


def guarded(site: Site, page: Page) -> Handler:
    """Make the handler of a page."""

    async def handle(request: Request) -> Response:
        return await _let_in(site, page, request)

    return with_notices(site, handle)


def with_notices(site: Site, handle: Handler) -> Handler:
    """Make a handler that says what is wrong in words, where an error is one that may be expected."""

    async def handle_with_notices(request: Request) -> Response:
        try:
            return await handle(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            notice = notice_of(error)
            if notice is None:
                raise
            return notice_page(site, request, notice)

    return handle_with_notices


async def _let_in(site: Site, page: Page, request: Request) -> Response:
    form = await read_form(request) if page.method == "POST" else Form(())
    id = cookies.read(request, cookies.SESSION)
    # What a page asks by itself is no use of a session.
    in_use = LIVE not in request.headers
    found = await site.sessions.find(id, in_use=in_use) if id else None
    match found:
        case Session():
            return await _visit(site, page, request, found, form)
        case Over(sub):
            await _keep(site, page, request, sub, form)
    return to_login(request, _page_of(page, request))


async def _visit(
    site: Site, page: Page, request: Request, session: Session, form: Form
) -> Response:
    if page.method == "POST" and not _is_ours(site, request, session, form):
        return notice_page(site, request, Notice.OLD_PAGE)
    if not _may(page, request, session):
        return notice_page(site, request, Notice.NOT_FOUND)
    api = site.services.as_bearer(session.tokens.access)
    visit = Visit(request, site, session, language_of(request), api, form)
    try:
        return await page.endpoint(visit)
    except Unavailable:
        await _keep(site, page, request, session.claims.sub, form)
        raise
    except Unauthorized:
        # A service no longer believes the token: its bearer was revoked.
        await site.sessions.end(session)
        return to_login(request, _page_of(page, request))


def _may(page: Page, request: Request, session: Session) -> bool:
    """Tell whether the role may do this at all, for the patient in the path. The services judge the rest."""
    claims = session.claims
    if page.action is not None and scope_of(claims.role, page.action) is None:
        return False
    patient = request.path_params.get("patient")
    if patient is None:
        return True
    if not _PATIENT.fullmatch(patient):
        return False
    return claims.role not in (Party.PATIENT, Party.PROXY) or patient in claims.patients


def _is_ours(site: Site, request: Request, session: Session, form: Form) -> bool:
    """Tell whether a form was sent from a page of ours, of this session."""
    return same_origin(site, request) and hmac.compare_digest(
        form.text(CSRF).encode(), session.csrf.encode()
    )


def same_origin(site: Site, request: Request) -> bool:
    """Tell whether a page of ours sent this, as the browser says; one that does not say is refused."""
    fetch = request.headers.get("sec-fetch-site")
    if fetch is not None:
        return fetch == "same-origin"
    return request.headers.get("origin") == site.settings.portal_url


async def _keep(site: Site, page: Page, request: Request, sub: str, form: Form) -> None:
    """Keep what somebody sent that could not be taken: their session was over, or a service is away."""
    if page.kept_for is not None and same_origin(site, request):
        await site.kept.keep(sub, page.kept_for.format(**request.path_params), form.without(CSRF))


def _page_of(page: Page, request: Request) -> str:
    """Where to be after login: the page itself, or the one that shows a kept form."""
    if page.method == "GET":
        query = request.url.query
        return f"{request.url.path}?{query}" if query else request.url.path
    return page.kept_for.format(**request.path_params) if page.kept_for else "/"


def to_login(request: Request, page: str) -> Response:
    """Lead to login, and back to a page: the whole window, also when only a part of the page asked."""
    path = f"/login?to={quote(page, safe='/')}"
    if request.headers.get("hx-request") == "true":
        return Response(headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)


def notice_of(error: Exception) -> Notice | None:
    """What a person reads about an error; None for one that nobody expects."""
    match error:
        case NotFound() | Forbidden():
            return Notice.NOT_FOUND
        case Conflict():
            return Notice.CHANGED_MEANWHILE
        case TooManyRequests():
            return Notice.TOO_MANY
        case Unavailable() | ProviderAway():
            return Notice.AWAY
        case BadForm() | ValidationError():
            # A request of ours that is made of a form: what is in it can be none.
            return Notice.BAD_FORM
        case ApiError():
            return None
        case _:
            return Notice.AWAY if is_transient(error) else None
