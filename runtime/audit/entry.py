"""One entry of the audit trail: who did what to which patient's records, when, and with what outcome."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Channel(StrEnum):
    """The way in."""

    HTTP = "http"
    KAFKA = "kafka"
    CLI = "cli"
    """An operator's command."""


class Outcome(StrEnum):
    """What became of it."""

    ALLOWED = "allowed"
    """It was shown, or the command was taken."""
    NOTHING = "nothing"
    """There was nothing to show, or nothing that the caller may see."""
    REFUSED = "refused"
    """Nothing was shown or changed; the reason says why."""
    FAILED = "failed"
    """The command was taken and then could not be carried out, or an answer could not be made."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One act, as NEN 7513 asks: `actor` in `role`, of an `organisation` (AGB code or region), at `at` (UTC).

    A system acts for a person, `for_role` and `for_id`. `patient` is whose records they are (a proxy acts for
    that patient), `practice` the practice that they belong to, where that is known. `thing` is an identifier of
    what was asked for, such as an order's. `reason` is a code; `purpose` the caller's own, where it was asked.
    Nobody is named: actors and patients are pseudonyms. Absent values are left out of the JSON that a MAC
    covers, so that a field that is added later changes no older row.
    """

    at: datetime
    role: str
    actor: str
    action: str
    channel: Channel
    outcome: Outcome
    organisation: str | None = None
    for_role: str | None = None
    for_id: str | None = None
    patient: str | None = None
    practice: str | None = None
    thing: str | None = None
    reason: str | None = None
    purpose: str | None = None
