"""The body of `GET /patients/{patient}/audit`, in each service that holds records of patients."""

from pydantic import BaseModel, ConfigDict

from schemas.base import UtcDatetime


class AuditEntryView(BaseModel):
    """Who did what to this patient's records, at `at` (UTC).

    `actor` in `role` is a pseudonym or a system's name; `organisation` the AGB code or region that its token
    named. A system acted for a person, `for_role` and `for_id`. `practice` is the practice that the records
    belong to, where it is known; `thing` an identifier, such as an order's. `outcome` is `allowed`, `nothing`,
    `refused` or `failed`; `reason` is a code; `purpose` is what the caller gave, where it was asked.
    """

    model_config = ConfigDict(from_attributes=True)

    at: UtcDatetime
    role: str
    actor: str
    organisation: str | None
    for_role: str | None
    for_id: str | None
    practice: str | None
    action: str
    thing: str | None
    channel: str
    outcome: str
    reason: str | None
    purpose: str | None


class AuditView(BaseModel):
    """A page of a patient's audit trail, newest first; `before` of the next page, or null at the end."""

    entries: list[AuditEntryView]
    next: int | None
