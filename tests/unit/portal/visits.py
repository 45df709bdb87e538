"""Visits to pages whose services answer from memory: who looks, what each service says, and what was asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from herhaal_client import Addresses, Retries, Services
from portal.login.oidc import Oidc, Tokens
from portal.session.database import Database
from portal.session.kept_forms import Fields, KeptForms
from portal.session.sealing import KEY_BYTES, Sealer
from portal.session.sessions import Session, Sessions
from portal.settings import PortalSettings
from portal.web.assets import Assets
from portal.web.directory import Directory
from portal.web.forms import Form
from portal.web.names import Names
from portal.web.pages import Pages
from portal.web.rendering import Templates
from portal.web.site import Site
from portal.web.starts import Starts
from portal.web.visit import Visit
from runtime.issuers import Issuer
from schemas.access import Claims, Party
from schemas.reasons import Language
from tests.harness.made import PHARMACY, PRACTICE
from tests.unit.clients.asking import TOKEN, Reply, a_problem

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
AN_HOUR = timedelta(hours=1)
ISSUER = Issuer("http://127.0.0.1:1", "http://127.0.0.1:1/jwks", "herhaal")
ADDRESSES = Addresses(
    "http://ordering", "http://medication", "http://notification", "http://metrics"
)

ASSISTANT = Claims(sub="usr_assistant", role=Party.ASSISTANT, practice=PRACTICE)
MANAGER = Claims(sub="usr_manager", role=Party.MANAGER, practice=PRACTICE)
PHARMACIST = Claims(sub="usr_pharmacist", role=Party.PHARMACIST, pharmacy=PHARMACY)
REGION = Claims(sub="usr_region", role=Party.REGION, region="Lindewaard")
OPERATOR = Claims(sub="usr_operator", role=Party.OPERATOR)

TEMPLATES = Templates(Assets())


def answering(body: BaseModel, status: int = 200) -> httpx.Response:
    """A service's answer."""
    return httpx.Response(status, content=body.model_dump_json(by_alias=True))


@dataclass
class Told:
    """What services say to `GET ordering/pharmacies` and so on, 404 to all else; and what was asked."""

    replies: Mapping[str, Reply]
    requests: list[httpx.Request] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.get(f"{request.method} {request.url.host}{request.url.path}")
        if isinstance(reply, Exception):
            raise reply
        if reply is None:
            return a_problem(404, "not-found")
        return reply if isinstance(reply, httpx.Response) else reply(request)

    def sent(self, method: str) -> list[httpx.Request]:
        """The requests of this method."""
        return [each for each in self.requests if each.method == method]


def a_visit(
    who: Claims,
    told: Told,
    path: str = "/",
    *,
    query: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    in_path: Mapping[str, str] | None = None,
    language: Language = "en",
    htmx: bool = False,
) -> Visit:
    """A visit of somebody to a page; `form` is what was sent."""
    scope = {
        "type": "http",
        "method": "GET" if form is None else "POST",
        "path": path,
        "query_string": urlencode(query or {}).encode(),
        "headers": [(b"hx-request", b"true")] if htmx else [],
        "path_params": dict(in_path or {}),
    }
    site = _site(told)
    tokens = Tokens(TOKEN, NOW + AN_HOUR, None, "none", "Somebody")
    session = Session("a-session", tokens, who, NOW + AN_HOUR)
    api = site.services.as_bearer(TOKEN)
    return Visit(Request(scope), site, session, language, api, Form([*(form or {}).items()]), NOW)


async def look(pages: Pages, method: str, path: str, visit: Visit) -> tuple[int, str]:
    """Ask a declared page; its status and HTML."""
    (page,) = [each for each in pages.all if (each.method, each.path) == (method, path)]
    response: Response = await page.endpoint(visit)
    return response.status_code, bytes(response.body).decode()


class KeptInMemory(KeptForms):
    """Forms that are not finished, without a database."""

    def __init__(self) -> None:
        self.forms: dict[tuple[str, str], Fields] = {}

    async def keep(self, sub: str, page: str, fields: Fields) -> None:
        self.forms[sub, page] = fields

    async def keep_first(self, sub: str, page: str, fields: Fields) -> Fields:
        return self.forms.setdefault((sub, page), fields)

    async def kept(self, sub: str, page: str) -> Fields | None:
        return self.forms.get((sub, page))

    async def forget(self, sub: str, page: str) -> None:
        self.forms.pop((sub, page), None)


async def _no_sleep(_: float) -> None:
    return None


def _site(told: Told) -> Site:
    settings = PortalSettings.model_validate(
        {
            "database": "postgresql://nobody@127.0.0.1/none",
            "issuers": (ISSUER,),
            "portal_url": "http://127.0.0.1:8100",
            "portal_key": "00" * KEY_BYTES,
            "insecure_services": True,
            **{f"{name}_url": url for name, url in vars(ADDRESSES).items()},
        }
    )
    database, sealer = Database(), Sealer(bytes(KEY_BYTES))
    oidc = Oidc(settings.issuer, "portal", None, "http://127.0.0.1:8100/", "/", httpx.AsyncClient())
    services = Services(
        ADDRESSES,
        retries=Retries(sleep=_no_sleep),
        transport=httpx.MockTransport(told.answer),
    )
    return Site(
        settings,
        database,
        sealer,
        oidc,
        Sessions(database, sealer, oidc, AN_HOUR, AN_HOUR),
        KeptInMemory(),
        TEMPLATES,
        services,
        Names(),
        Directory(),
        Starts(),
    )
