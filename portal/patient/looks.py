"""Who looked at a patient's data or changed them, in words."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.web.away import Away, unless_away
from portal.web.languages import mark
from portal.web.visit import Visit
from schemas.access import Action, Party
from schemas.api.audit import AuditEntryView

SHOWN = 25
"""The newest entries on the page; all of them are in the download."""

ASKED = 200
"""Entries of each service that are looked through: one's own looks are not shown."""

_LOOKS = frozenset(
    {
        Action.ORDERS_READ,
        Action.ORDERS_HISTORY,
        Action.ORDERABLE_READ,
        Action.OVERVIEW_READ,
        Action.MESSAGES_READ,
        Action.MESSAGES_MARK,
        Action.AUDIT_READ,
        Action.PEOPLE_READ,
        Action.PROXIES_READ,
        Action.PREFERENCES_READ,
    }
)


@dataclass(frozen=True)
class Look:
    """Somebody looked at the patient's data or changed them, or was not allowed to; texts are in English."""

    at: datetime
    who: str
    what: str
    refused: bool


_WHO: Mapping[str, str] = {
    Party.PATIENT: mark("The patient"),
    Party.PROXY: mark("Somebody who acts for you"),
    Party.ASSISTANT: mark("An assistant of your practice"),
    Party.GP: mark("A GP of your practice"),
    Party.PHARMACIST: mark("Your pharmacy"),
    Party.PORTAL: mark("Another patient portal"),
    Party.PRACTICE_SYSTEM: mark("The computer system of your practice"),
    Party.PHARMACY_SYSTEM: mark("The computer system of your pharmacy"),
    Party.OPERATOR: mark("Technical management"),
}

_WHAT: Mapping[str, str] = {
    Action.ORDERS_PLACE: mark("placed an order"),
    Action.ORDERS_READ: mark("looked at orders"),
    Action.ORDERS_CANCEL: mark("cancelled an order"),
    Action.ORDERS_HISTORY: mark("looked at what happened to an order"),
    Action.PRESCRIPTIONS_READ: mark("looked at prescriptions"),
    Action.ORDERABLE_READ: mark("looked at what can be ordered"),
    Action.OVERVIEW_READ: mark("looked at the medication list"),
    Action.OVERVIEW_IMPORT: mark("sent a new medication list"),
    Action.STATUS_SET: mark("changed a medicine in the list"),
    Action.REVIEWS_READ: mark("looked at orders that wait for a decision"),
    Action.REVIEWS_DECIDE: mark("decided about an order"),
    Action.MESSAGES_READ: mark("looked at messages"),
    Action.MESSAGES_MARK: mark("marked messages as read"),
    Action.AUDIT_READ: mark("looked at who saw these data"),
    Action.PEOPLE_WRITE: mark("changed name, address or contact details"),
    Action.PEOPLE_READ: mark("looked at name and address"),
    Action.PEOPLE_FIND: mark("searched by name"),
    Action.PROXIES_READ: mark("looked at who acts for you"),
    Action.PROXIES_GRANT: mark("let somebody act for you"),
    Action.PROXIES_REVOKE: mark("ended that somebody acts for you"),
    Action.PREFERENCES_READ: mark("looked at your choices"),
    Action.PREFERENCES_WRITE: mark("changed your choices"),
}

OTHER_WHO = mark("Somebody else")
OTHER_WHAT = mark("did something with your data")


async def looks(visit: Visit) -> tuple[Sequence[Look], bool]:
    """The newest entries of the three services, newest first, and whether all of them could be asked.

    What somebody only looked at themselves is not among them.
    """
    services = (visit.api.ordering, visit.api.medication, visit.api.notification)
    answers = await asyncio.gather(
        *(unless_away(service.audit(visit.patient, limit=ASKED)) for service in services)
    )
    told = [answer for answer in answers if not isinstance(answer, Away)]
    own = visit.session.claims.sub
    entries = [
        entry
        for answer in told
        for entry in answer.entries
        if entry.action not in _LOOKS or own not in (entry.actor, entry.for_id)
    ]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return [_look(entry, own) for entry in entries[:SHOWN]], len(told) == len(answers)


def _look(entry: AuditEntryView, own: str) -> Look:
    """An entry in words. Who acts for somebody else is that somebody's portal, so the person counts."""
    role = entry.for_role or entry.role
    mine = own in (entry.actor, entry.for_id)
    return Look(
        entry.at,
        mark("You") if mine else _WHO.get(role, OTHER_WHO),
        _WHAT.get(entry.action, OTHER_WHAT),
        entry.outcome == "refused",
    )
