"""The directory: practices, pharmacies and outside systems. Public facts only.

Opening hours are in the OpenStreetMap `opening_hours` format; clock times are Europe/Amsterdam.
"""

from datetime import date, time
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from schemas.access import Party, RegionName
from schemas.base import (
    NO_NUL,
    NOT_BLANK,
    Body,
    Many,
    Model,
    Name,
    PharmacyAgb,
    PracticeAgb,
    SystemName,
    Text,
    UtcDatetime,
    Version,
)
from schemas.numbers import WHOLE


def _without_offset(clock: time) -> time:
    if clock.tzinfo is not None:
        raise ValueError("clock times are Europe/Amsterdam and carry no offset")
    return clock


ClockTime = Annotated[time, AfterValidator(_without_offset)]
# OpenStreetMap allows 255 characters in a value.
OpeningHours = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=NO_NUL), *NOT_BLANK
]


class Closure(Model):
    """Closed from `first` to `last`, both days included."""

    first: date
    last: date
    why: Text | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("a closure ends before it starts")
        return self


class Processing(Model):
    """How fast a practice works: decided before `cutoff`, ready `working_days` later, from `ready_from` on."""

    cutoff: ClockTime
    working_days: Annotated[int, Field(ge=0, le=20), WHOLE]
    ready_from: ClockTime


class Policy(Model):
    """Which repeats a practice wants a person to review."""

    review_everything: bool = False
    review_high_risk: bool = True
    review_remarks: bool = True
    review_larger_supply: bool = True
    review_larger_quantity: bool = True
    overview_patience_minutes: Annotated[int, Field(ge=1, le=10_080), WHOLE] = 60


class PracticeEntry(Model):
    """A GP practice, as entered by its region."""

    agb: PracticeAgb
    name: Name
    region: Name
    list_size: Annotated[int, Field(ge=0), WHOLE]
    phone: Name
    opening_hours: OpeningHours
    closures: tuple[Closure, ...] = ()
    processing: Processing
    policy: Policy = Policy()


class PharmacyEntry(Model):
    """A pharmacy, as entered by its region; prescriptions are collected at its address."""

    agb: PharmacyAgb
    name: Name
    address: Name
    city: Name
    phone: Name
    opening_hours: OpeningHours
    closures: tuple[Closure, ...] = ()
    repeat_service: bool = False


class Practice(PracticeEntry, Body):
    """A GP practice; `version` rises with every change of the entry."""

    TYPE: ClassVar[str] = "directory.practice.v1"
    KEY: ClassVar[str] = "agb"

    version: Version


class Pharmacy(PharmacyEntry, Body):
    """A pharmacy, where prescriptions are collected; `version` rises with every change of the entry."""

    TYPE: ClassVar[str] = "directory.pharmacy.v1"
    KEY: ClassVar[str] = "agb"

    version: Version


SystemKind = Literal[Party.PORTAL, Party.PRACTICE_SYSTEM, Party.PHARMACY_SYSTEM]


class SystemEntry(Model):
    """An outside system that writes and reads for those that it serves, and whom to call about it.

    A portal or a practice system serves practices, by code or by whole regions; a pharmacy system serves
    pharmacies.
    """

    name: SystemName
    kind: SystemKind
    contact: Name
    practices: Annotated[Many[PracticeAgb], Field(max_length=300)] = ()
    pharmacies: Annotated[Many[PharmacyAgb], Field(max_length=1000)] = ()
    regions: Annotated[Many[RegionName], Field(max_length=100)] = ()


class System(SystemEntry, Body):
    """An outside system; `version` rises with every change of the entry.

    From `removed_at` on it may do nothing. Its entry stays, as records of it may wait to be judged.
    """

    TYPE: ClassVar[str] = "directory.system.v1"
    KEY: ClassVar[str] = "name"

    version: Version
    removed_at: UtcDatetime | None = None


class Directory(Model):
    """The content of a directory file: a region's practices and pharmacies, and the systems that serve them."""

    practices: tuple[PracticeEntry, ...]
    pharmacies: tuple[PharmacyEntry, ...]
    systems: tuple[SystemEntry, ...] = ()
