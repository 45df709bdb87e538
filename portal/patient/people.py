"""For somebody else: the people whom one stands in for."""

import asyncio

from starlette.responses import Response

from portal.web.away import Away, unless_away
from portal.web.pages import Pages
from portal.web.visit import Visit
from schemas.access import Action, Party

pages = Pages()


@pages.get("/for", Action.PROXIES_READ)
async def people(visit: Visit) -> Response:
    """Everybody whom one stands in for now, to choose from."""
    named = visit.session.claims.patients
    if visit.role is Party.PROXY:
        granted = await unless_away(visit.api.notification.stands_in_for(visit.session.claims.sub))
        if isinstance(granted, Away):
            return await visit.render("patient/for.html", people=granted)
        now = {each.patient for each in granted.patients}
        named = tuple(patient for patient in named if patient in now)
    names = await asyncio.gather(
        *(visit.site.names.of(visit.api, visit.session.id, patient) for patient in named)
    )
    return await visit.render("patient/for.html", people=[*zip(named, names, strict=True)])
