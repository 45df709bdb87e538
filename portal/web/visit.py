"""One request of somebody who is logged in: who it is, and what a page needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from herhaal_client import Clients
from portal.session.sessions import Session
from portal.web.away import Away, unless_away
from portal.web.forms import Form
from portal.web.names import PatientName
from portal.web.navigation import links_of
from portal.web.site import Site
from schemas.access import Party
from schemas.api.directory import PharmacyView, PracticeView
from schemas.reasons import Language


@dataclass(frozen=True)
class Visit:
    """A request to a page. `form` is what was sent, empty for a page that is only looked at."""

    request: Request
    site: Site
    session: Session
    language: Language
    api: Clients
    form: Form
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def patient(self) -> str:
        """The patient in the path; the guard has compared it with the session."""
        return str(self.request.path_params["patient"])

    @property
    def role(self) -> Party:
        """The role of who is logged in."""
        return self.session.claims.role

    @property
    def partial(self) -> bool:
        """Whether htmx asks, to change a part of a page."""
        return self.request.headers.get("hx-request") == "true"

    def translate(self, message: str) -> str:
        """A text of the code in the page's language."""
        return self.site.templates.text(self.language, message)

    async def pharmacies(self) -> Sequence[PharmacyView]:
        """All pharmacies of the directory."""
        return await self.site.directory.pharmacies(self.api)

    async def practice(self, agb: str) -> PracticeView | None:
        """A practice of the directory; None when it is not in it."""
        return await self.site.directory.practice(self.api, agb)

    async def patient_name(self) -> PatientName | None:
        """The name of the patient in the path, for who stands in; a patient needs nobody to say it."""
        if self.role is not Party.PROXY:
            return None
        return await self.site.names.of(self.api, self.session.id, self.patient)

    async def render(self, template: str, status: int = 200, /, **content: Any) -> Response:
        """Render a page: its content, and who and where one is."""
        unread = {} if "unread" in content else {"unread": await self._unread()}
        shared = await self._shared()
        html = self.site.templates.render(template, self.language, {**shared, **unread, **content})
        return HTMLResponse(html, status)

    def redirect(self, path: str) -> Response:
        """Lead on to another page of ours."""
        if self.partial:
            return Response(headers={"HX-Redirect": path})
        return RedirectResponse(path, 303)

    async def _unread(self) -> int:
        """How many messages a patient, or who stands in, has not read; 0 while nobody can tell."""
        patient = self.request.path_params.get("patient")
        if patient is None or self.role not in (Party.PATIENT, Party.PROXY) or self.partial:
            return 0
        inbox = await unless_away(self.api.notification.messages(patient, limit=0))
        return 0 if isinstance(inbox, Away) else inbox.unread

    async def _shared(self) -> Mapping[str, Any]:
        patient = self.request.path_params.get("patient")
        name = await self.patient_name() if patient else None
        return {
            "path": self.request.url.path,
            "query": self.request.url.query,
            "session": self.session,
            "csrf": self.session.csrf,
            "role": self.role,
            "patient": patient,
            "name": name,
            "links": links_of(self.session.claims, patient),
            "now": self.now,
        }
