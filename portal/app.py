"""The portal's ASGI app: everything that it is made of, and how it is put together."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from herhaal_client import Addresses, Services
from portal import rooms
from portal.live import events
from portal.live.open_streams import ASK_EVERY_S, OpenStreams
from portal.login import pages as login
from portal.login.oidc import Oidc
from portal.session import store
from portal.session.database import Database
from portal.session.kept_forms import KEPT, KeptForms
from portal.session.sealing import Sealer
from portal.session.sessions import KNOWN_AFTER, Sessions
from portal.settings import PortalSettings
from portal.web import about
from portal.web.assets import Assets
from portal.web.directory import Directory
from portal.web.guard import guarded
from portal.web.headers import PageHeaders
from portal.web.hosts import OneHost
from portal.web.names import Names
from portal.web.notices import Notice, notice_page
from portal.web.rendering import Templates
from portal.web.site import Site
from portal.web.starts import Starts
from runtime.errors import is_transient
from runtime.http.load_shedding import LoadShedding
from runtime.http.time_limit import TimeLimit

log = structlog.get_logger()

PROVIDER_S = 5.0
"""How long the provider may take to answer."""

FORGET_EVERY_S = 600.0


def create_app(
    settings: PortalSettings,
    on_failure: Callable[[BaseException], None],
    streams: OpenStreams,
) -> ASGIApp:
    """Make the app. `on_failure` is called with the error when the portal fails for good.

    `streams` are ended by who stops the process.
    """
    assets = Assets()
    http = httpx.AsyncClient(timeout=PROVIDER_S)
    site = _site(settings, assets, http)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            running.push_async_callback(http.aclose)
            await running.enter_async_context(site.services)
            running.push_async_callback(site.database.close)
            for task in (_open(site), _forget(site), _watch(site, streams)):
                started = asyncio.create_task(task)
                started.add_done_callback(lambda done: _report(done, on_failure))
                running.callback(started.cancel)
            yield

    app = Starlette(
        routes=[*_routes(site, assets), events.route(site, streams)],
        lifespan=lifespan,
        exception_handlers={HTTPException: _unknown(site), Exception: _broken(site)},
    )
    app.router.redirect_slashes = False
    inner = LoadShedding(TimeLimit(app))
    return PageHeaders(OneHost(inner, settings.portal_url), [_origin(settings.issuer.url)])


def _site(settings: PortalSettings, assets: Assets, http: httpx.AsyncClient) -> Site:
    sealer = Sealer.from_hex(settings.portal_key.get_secret_value())
    database = Database()
    secret = settings.portal_client_secret
    oidc = Oidc(
        settings.issuer,
        settings.portal_client,
        secret.get_secret_value() if secret else None,
        f"{settings.portal_url}/login/callback",
        f"{settings.portal_url}/",
        http,
    )
    addresses = Addresses(
        settings.ordering_url,
        settings.medication_url,
        settings.notification_url,
        settings.metrics_url,
    )
    idle = timedelta(minutes=settings.session_idle_minutes)
    longest = timedelta(hours=settings.session_hours)
    return Site(
        settings,
        database,
        sealer,
        oidc,
        Sessions(database, sealer, oidc, idle, longest),
        KeptForms(database, sealer),
        Templates(assets),
        Services(addresses),
        Names(),
        Directory(),
        Starts(),
    )


def _routes(site: Site, assets: Assets) -> Sequence[Route]:
    pages = [page for room in (login.pages, *rooms.ALL) for page in room.all]
    return [
        *login.routes(site),
        *about.routes(site),
        *(Route(page.path, guarded(site, page), methods=[page.method]) for page in pages),
        Route("/assets/{name}", assets.serve),
        Route("/favicon.ico", assets.icon),
        Route("/livez", _alive),
        Route("/readyz", _ready(site)),
    ]


async def _open(site: Site) -> None:
    owner = site.settings.database_owner
    await site.database.open(
        site.settings.database.get_secret_value(),
        owner.get_secret_value() if owner else None,
        site.settings.api_connections,
    )


async def _watch(site: Site, streams: OpenStreams) -> None:
    """End the streams of sessions that have ended."""
    while True:
        await asyncio.sleep(ASK_EVERY_S)
        try:
            await streams.end_the_dead(site.sessions.alive)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("waiting for PostgreSQL", error=type(error).__name__)


async def _forget(site: Site) -> None:
    """Forget what is over, now and then."""
    while True:
        await asyncio.sleep(FORGET_EVERY_S)
        now = datetime.now(UTC)
        idle = timedelta(minutes=site.settings.session_idle_minutes)
        try:
            async with site.database.transaction() as db:
                await store.remove_old(
                    db,
                    sessions_before=now - KNOWN_AFTER,
                    seen_before=now - idle - KNOWN_AFTER,
                    logins_before=now - login.LOGIN_FOR,
                    kept_before=now - KEPT,
                )
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("waiting for PostgreSQL", error=type(error).__name__)


async def _alive(_: Request) -> Response:
    return JSONResponse({"alive": True})


def _ready(site: Site) -> Callable[[Request], object]:
    async def ready(_: Request) -> Response:
        problems = await _problems(site)
        body = {"service": "portal", "ready": not problems, "problems": problems}
        return JSONResponse(body, 503 if problems else 200)

    return ready


async def _problems(site: Site) -> list[str]:
    if not site.database.ready:
        return ["waiting for PostgreSQL"]
    try:
        async with site.database.connection() as db:
            await db.execute("select 1")
    except Exception as error:
        if not is_transient(error):
            raise
        return ["PostgreSQL does not answer"]
    return []


def _unknown(site: Site) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, _: Exception) -> Response:
        return notice_page(site, request, Notice.NOT_FOUND)

    return answer


def _broken(site: Site) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        log.error("page failed", error=type(error).__name__)
        return notice_page(site, request, Notice.BROKEN)

    return answer


def _report(task: "asyncio.Task[None]", on_failure: Callable[[BaseException], None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.critical("portal failed", error=type(error).__name__)
        on_failure(error)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
