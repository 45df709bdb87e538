"""The directory: practices, pharmacies and outside systems. Public facts only.

Opening hours are in the OpenStreetMap `opening_hours` format; clock times are Europe/Amsterdam.
"""

from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from schemas.access import Party, RegionName
from schemas.base import (
    LONGEST_TEXT,
    NO_NUL,
    NOT_BLANK,
    NOT_EMPTY,
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
from schemas.numbers import WHOLE, Quantity


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


class AutoApprove(StrEnum):
    """Which repeats the policy itself approves, without a person."""

    AUTHORISED_ONLY = "authorised_only"
    """Those that a GP has authorised for this patient, until the authorisation ends."""
    ALL_PLAIN = "all_plain"
    """Also those without an authorisation, as long as nothing else needs a person."""


class Approver(StrEnum):
    """Who approves a repeat that is as usual."""

    POLICY = "policy"
    ASSISTANT = "assistant"
    GP = "gp"


class Remarks(StrEnum):
    """Whether an order may have a remark."""

    NOT_ALLOWED = "not_allowed"
    OPTIONAL = "optional"
    MANDATORY = "mandatory"


class ExpiredAuthorisation(StrEnum):
    """What becomes of a repeat whose authorisation has ended."""

    REVIEW = "review"
    REFUSE = "refuse"


Weekday = Literal["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
WEEKDAYS: tuple[Weekday, ...] = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


class OrderHours(Model):
    """When orders are taken: on these days, from `first` until `last`, that minute included."""

    days: Annotated[Many[Weekday], Field(max_length=7), *NOT_EMPTY] = WEEKDAYS
    first: ClockTime = time(0, 0)
    last: ClockTime = time(23, 59)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("order hours end before they start")
        return self


MOST_DAYS_UNDER_WAY = 92
Days = Annotated[int, Field(ge=0, le=3650), WHOLE]


class Policy(Model):
    """What a practice approves without a person, who looks at the rest, and what can be ordered when.

    Class A of medicines always goes to the GP, whatever a policy says. Too early is more than `too_early_days`,
    or that share of the supply (per cent) if it is less, before the supply runs out. `most_times_usual` is how
    many times the usual quantity needs no person. A larger supply goes to the assistant up to so many days more
    than usual, then to the GP. An approved line counts as under way for `under_way_days`, unless it is
    dispensed sooner.
    """

    auto_approve: AutoApprove = AutoApprove.AUTHORISED_ONLY
    approver: Approver = Approver.POLICY
    approver_class_b: Approver = Approver.GP
    expired_authorisation: ExpiredAuthorisation = ExpiredAuthorisation.REVIEW
    too_early_days: Days = 14
    too_early_share: Annotated[int, Field(ge=0, le=100), WHOLE] = 25
    too_early_days_class_a: Days = 3
    most_times_usual: Quantity = Decimal(1)
    larger_supply_assistant_days: Days = 31
    lines_at_most: Annotated[int, Field(ge=1, le=50), WHOLE] = 15
    remarks: Remarks = Remarks.OPTIONAL
    remark_length: Annotated[int, Field(ge=1, le=LONGEST_TEXT), WHOLE] = 500
    order_hours: OrderHours | None = None
    duplicate_other_strength: bool = False
    under_way_days: Annotated[int, Field(ge=0, le=MOST_DAYS_UNDER_WAY), WHOLE] = 7
    restart_gap_days: Days = 365
    control_overdue_days: Days = 60
    withdraw_when_stopped: bool = False
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
