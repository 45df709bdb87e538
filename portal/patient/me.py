"""My details: who I am, language, pharmacy, who acts for me, who looked at my data."""

import asyncio

from starlette.responses import Response

from portal.patient.looks import looks
from portal.session import cookies
from portal.web.away import Away, or_none, unless_away
from portal.web.languages import known
from portal.web.pages import Pages
from portal.web.visit import Visit
from schemas.access import Action
from schemas.api.preferences import Preferences

pages = Pages()


@pages.get("/patients/{patient}/me", Action.PEOPLE_READ)
async def me(visit: Visit) -> Response:
    """Everything that a patient can see and choose about themselves."""
    notification = visit.api.notification
    person, preferences, proxies, pharmacies, seen = await asyncio.gather(
        unless_away(or_none(notification.person(visit.patient))),
        unless_away(notification.preferences(visit.patient)),
        unless_away(or_none(notification.proxies(visit.patient))),
        unless_away(visit.pharmacies()),
        looks(visit),
    )
    return await visit.render(
        "patient/me.html",
        person=person,
        preferences=preferences,
        proxies=proxies.proxies if proxies and not isinstance(proxies, Away) else proxies or (),
        pharmacies=pharmacies,
        looks=seen[0],
        all_looks=seen[1],
        saved="saved" in visit.request.query_params,
    )


@pages.post("/patients/{patient}/me", Action.PREFERENCES_WRITE)
async def choose(visit: Visit) -> Response:
    """Save language and pharmacy, and show pages in that language from now on."""
    language = known(visit.form.text("language"))
    pharmacy = visit.form.text("pharmacy")
    await visit.api.notification.prefer(
        visit.patient, Preferences(language=language, pharmacy=pharmacy or None)
    )
    response = visit.redirect(f"/patients/{visit.patient}/me?saved")
    if language is not None:
        cookies.write(response, cookies.LANGUAGE, language, cookies.LANGUAGE_S)
    return response


@pages.post("/patients/{patient}/proxies/{proxy}/end", Action.PROXIES_REVOKE)
async def end_proxy(visit: Visit) -> Response:
    """Let somebody no longer act for the patient."""
    await visit.api.notification.revoke_proxy(visit.patient, visit.request.path_params["proxy"])
    return visit.redirect(f"/patients/{visit.patient}/me?saved")
