"""Bodies of the directory, as ordering shows it: public facts only."""

from pydantic import BaseModel

from schemas.access import RegionName
from schemas.base import Name, PracticeAgb
from schemas.records.directory import Closure, OpeningHours, PharmacyEntry


class PharmacyView(PharmacyEntry):
    """A pharmacy where an order can be collected."""


class PharmaciesView(BaseModel):
    """All pharmacies of the directory, by city and name."""

    pharmacies: list[PharmacyView]


class PracticeView(BaseModel):
    """A practice, and when it can be reached. Clock times are Europe/Amsterdam."""

    agb: PracticeAgb
    name: Name
    region: RegionName
    phone: Name
    opening_hours: OpeningHours
    closures: tuple[Closure, ...]
