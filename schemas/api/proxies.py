"""Bodies of notification's API about proxies: who stands in for a patient (mantelzorg)."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, StringConstraints

from schemas.api.people import Phone, Short
from schemas.base import Actor, Model, Name, PatientId, UtcDatetime
from schemas.unprintable import Unprintable

ProxyId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~:@|-]{1,100}$")]
"""The `sub` of a proxy's token, of characters that a URL has as they are."""


class ProxyKind(StrEnum):
    """Why somebody stands in for a patient."""

    AUTHORISED = "authorised"
    """The patient wants it."""
    PARENT = "parent"
    """A parent or guardian of a child under 16."""
    LEGAL_REPRESENTATIVE = "legal_representative"
    """A mentor or curator whom a court appointed."""


class ConsentBy(StrEnum):
    """Who agreed."""

    PATIENT = "patient"
    PARENT = "parent"
    COURT = "court"


class ConsentHow(StrEnum):
    """How consent was given."""

    IN_PERSON = "in_person"
    WRITTEN = "written"
    PHONE = "phone"
    ONLINE = "online"


class Consent(Model):
    """Who agreed, how, and on which day."""

    by: ConsentBy
    how: ConsentHow
    on: date


class Proxy(Unprintable):
    """Who stands in for a patient. Without `until` (UTC) it is until somebody takes it back."""

    kind: ProxyKind
    name: Name
    relation: Short | None = None
    phone: Phone | None = None
    until: UtcDatetime | None = None
    consent: Consent


class ProxyRequest(Proxy):
    """A proxy to grant; `by` as in other requests.

    One for a child ends at the 12th or 16th birthday at the latest, whatever `until` says.
    """

    by: Actor | None = None


class ProxyView(Proxy):
    """A proxy as it was granted, by whom and when (UTC); `proxy` is the `sub` of the proxy's tokens."""

    proxy: ProxyId
    granted_by: Actor
    granted_at: UtcDatetime


class ProxiesView(BaseModel):
    """Those who stand in for a patient now."""

    proxies: list[ProxyView]


class StandsInView(BaseModel):
    """A patient for whom somebody stands in, and until when (UTC)."""

    patient: PatientId
    kind: ProxyKind
    until: UtcDatetime | None


class StandsInForView(BaseModel):
    """The patients for whom somebody stands in now."""

    patients: list[StandsInView]
