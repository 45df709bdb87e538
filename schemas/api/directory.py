"""Bodies of the directory, as ordering shows it: public facts only."""

from pydantic import BaseModel

from schemas.access import RegionName
from schemas.base import Name, PracticeAgb
from schemas.records.directory import (
    Closure,
    OpeningHours,
    OrderHours,
    PharmacyEntry,
    Remarks,
)


class PharmacyView(PharmacyEntry):
    """A pharmacy where an order can be collected."""


class PharmaciesView(BaseModel):
    """All pharmacies of the directory, by city and name."""

    pharmacies: list[PharmacyView]


class PracticeView(BaseModel):
    """A practice, when it can be reached, and what it asks of an order. Clock times are Europe/Amsterdam.

    `remarks` is whether an order may or must have a remark, of at most `remark_length` characters;
    `order_hours` is when orders are taken, None for always. An order of more than `lines_at_most` medicines
    is looked at by a person.
    """

    agb: PracticeAgb
    name: Name
    region: RegionName
    phone: Name
    opening_hours: OpeningHours
    closures: tuple[Closure, ...]
    remarks: Remarks
    remark_length: int
    order_hours: OrderHours | None
    lines_at_most: int
