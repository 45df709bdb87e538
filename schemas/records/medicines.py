"""The list of medicine groups by ATC code: which need more care, for how long, and why.

It is data that a GP and a pharmacist sign, not knowledge in code.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from schemas.base import (
    NO_NUL,
    NOT_BLANK,
    NOT_EMPTY,
    Atc,
    Body,
    Many,
    Model,
    Name,
    Prk,
    RiskClass,
    Version,
)
from schemas.numbers import WHOLE

NATIONAL = "nl"
"""The name of the list that counts where a region has none of its own."""

ShortText = Annotated[
    str, StringConstraints(min_length=1, max_length=300, pattern=NO_NUL), *NOT_BLANK
]
Year = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
Certainty = Literal["H", "M", "L"]


class Wording(Model):
    """A text in each language."""

    nl: ShortText
    en: ShortText


class MedicineGroup(Model):
    """What counts for medicines whose ATC code begins with one of `atc`: the longest such prefix decides.

    None: not known, or nothing to say. `note` is for people, also on what software cannot know, such as an age.
    """

    atc: Annotated[Many[Atc], Field(max_length=10), *NOT_EMPTY]
    name: Wording
    valid_from: date
    sources: Annotated[Many[ShortText], Field(max_length=5), *NOT_EMPTY]
    sure: Certainty
    """H: official or a standard; M: one practice, region or foreign system; L: to be checked."""
    risk_class: RiskClass | None = None
    weekly: bool = False
    """Is taken once a week: a dosage text that says daily is an alarm."""
    must_not_stop: Literal[1, 2] | None = None
    """1: dangerous within days; 2: dangerous, less fast."""
    control_months: Annotated[int, Field(ge=1, le=60), WHOLE] | None = None
    """Months after which the control that the note names is due again."""
    most_days: Annotated[int, Field(ge=1, le=366), WHOLE] | None = None
    """The longest supply, in days."""
    except_prk: Annotated[Many[Prk], Field(max_length=10)] = ()
    """Medicines for which this group does not count."""
    note: Wording | None = None


class MedicineListEntry(Model):
    """A list of groups, as written in a file.

    `name` is `nl`, or the region for whose practices it counts instead. `signed_by` names the GP and the
    pharmacist who checked it; None is a starter list that nobody has signed.
    """

    name: Name
    dated: date
    atc_version: Year
    """The year of the ATC index whose codes these are."""
    signed_by: Name | None = None
    groups: Annotated[tuple[MedicineGroup, ...], Field(max_length=120), *NOT_EMPTY]


class MedicineList(MedicineListEntry, Body):
    """A list of medicine groups; `version` rises with every change."""

    TYPE: ClassVar[str] = "directory.medicines.v1"
    KEY: ClassVar[str] = "name"

    version: Version
