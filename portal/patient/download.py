"""Download my data: everything that the services hold of a patient, in one file."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
from pydantic import BaseModel
from starlette.responses import Response

from herhaal_client.service import RecordsClient
from portal.web.away import or_none
from portal.web.pages import Pages
from portal.web.visit import Visit
from schemas.access import Action
from schemas.api.audit import AuditEntryView
from schemas.api.notification import MessageView

MOST_PAGES = 20
"""Pages of a list in a download: 20,000 entries of each audit trail, 4,000 messages."""

pages = Pages()


@pages.get("/patients/{patient}/download", Action.AUDIT_READ)
async def download(visit: Visit) -> Response:
    """Everything that the services hold of the patient, as JSON: all of it, or nothing."""
    ordering, medication, notification = (
        visit.api.ordering,
        visit.api.medication,
        visit.api.notification,
    )
    person, overview, orders, messages, proxies, preferences = await asyncio.gather(
        or_none(notification.person(visit.patient)),
        or_none(medication.overview(visit.patient)),
        ordering.of_patient(visit.patient, 1000),
        _all_messages(visit),
        or_none(notification.proxies(visit.patient)),
        notification.preferences(visit.patient),
    )
    trails = await asyncio.gather(
        *(_whole_trail(visit, service) for service in (ordering, medication, notification))
    )
    content = {
        "made_at": visit.now,
        "patient": visit.patient,
        "person": _json(person),
        "medication": _json(overview),
        "orders": _json(orders)["orders"],
        "messages": [_json(each) for each in messages],
        "proxies": _json(proxies),
        "preferences": _json(preferences),
        "who_looked": sorted(
            [_json(entry) for trail in trails for entry in trail], key=lambda entry: entry["at"]
        ),
    }
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
    return Response(
        orjson.dumps(content, option=orjson.OPT_INDENT_2),
        headers=headers,
        media_type="application/json",
    )


async def _all_messages(visit: Visit) -> Sequence[MessageView]:
    found: list[MessageView] = []
    for _ in range(MOST_PAGES):
        before = found[-1].message_id if found else None
        page = (await visit.api.notification.messages(visit.patient, before, 200)).messages
        found += page
        if len(page) < 200:
            break
    return found


async def _whole_trail(visit: Visit, service: RecordsClient) -> Sequence[AuditEntryView]:
    found: list[AuditEntryView] = []
    before: int | None = None
    for _ in range(MOST_PAGES):
        page = await service.audit(visit.patient, before=before, limit=1000)
        found += page.entries
        before = page.next
        if before is None:
            break
    return found


def _json(value: BaseModel | None) -> Any:
    return None if value is None else value.model_dump(mode="json", by_alias=True)
