"""Bodies of notification's API about people: who a pseudonym is."""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from schemas.base import NO_NUL, NOT_BLANK, Actor, Name, PatientId, PracticeAgb
from schemas.unprintable import Unprintable

_ELEVEN_TEST = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def _is_bsn(bsn: str) -> str:
    """Check the eleven-test (elfproef) of a BSN; its error does not quote the number."""
    if sum(int(digit) * weight for digit, weight in zip(bsn, _ELEVEN_TEST, strict=True)) % 11:
        raise PydanticCustomError("bsn", "is no BSN: it fails the eleven-test")
    return bsn


def _is_born(day: date) -> date:
    if not 1880 <= day.year <= 2199:
        raise PydanticCustomError("birth_date", "must be from 1880 to 2199")
    return day


_POSTCODE = re.compile(r"^([1-9][0-9]{3}) ?([A-Za-z]{2})$")


def _canonical_postcode(sent: str) -> str:
    """Write a Dutch postcode as `1234 AB`; leave a foreign one as it is."""
    dutch = _POSTCODE.match(sent.strip())
    return f"{dutch[1]} {dutch[2].upper()}" if dutch else sent.strip()


Bsn = Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$"), AfterValidator(_is_bsn)]
BirthDate = Annotated[date, AfterValidator(_is_born)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=NO_NUL), *NOT_BLANK]
Postcode = Annotated[
    str,
    StringConstraints(min_length=1, max_length=12, pattern=NO_NUL),
    *NOT_BLANK,
    AfterValidator(_canonical_postcode),
]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 ()/-]{4,29}$", max_length=31)]
Email = Annotated[
    str, StringConstraints(pattern=r"^[^@\s\x00]{1,64}@[^@\s\x00]{1,185}$", max_length=250)
]


class Person(Unprintable):
    """Who a patient is. `prefix` is the tussenvoegsel, such as "van der"; the surname is without it."""

    bsn: Bsn | None = None
    initials: Short
    prefix: Short | None = None
    surname: Name
    partner_surname: Name | None = None
    birth_date: BirthDate
    street: Name
    house_number: Short
    postcode: Postcode
    city: Name
    phones: Annotated[tuple[Phone, ...], Field(max_length=5)] = ()
    email: Email | None = None


class PersonRequest(Person):
    """A patient's data, whole: what is left out is not known any more. `by` as in other requests."""

    by: Actor | None = None

    def person(self) -> Person:
        """The person alone."""
        return Person.model_validate(self.model_dump(include=set(Person.model_fields)))


class RegisterRequest(PersonRequest):
    """A person to register or update, recognised by BSN.

    `patient` is the pseudonym that the practice uses already; without it a new person gets one. `practice` is
    that of the token for a person who works there; a system must name it.
    """

    patient: PatientId | None = None
    practice: PracticeAgb | None = None


class RegisteredView(Unprintable):
    """The pseudonym of the person who was registered or updated."""

    patient: PatientId


class PersonView(Person):
    """A patient's data, as a practice registered them."""

    patient: PatientId
    practice: PracticeAgb


class Purpose(StrEnum):
    """Why somebody is looked up."""

    ORDER = "order"
    """An order that is heard on the phone or at the counter."""
    TREATMENT = "treatment"
    CONTACT = "contact"
    """To call or write the patient."""
    ADMINISTRATION = "administration"
    """To correct the patient's data, or to register a proxy."""


class SearchRequest(Unprintable):
    """Whom to find: somebody with this BSN, or with this surname and birth date.

    The surname may have its prefix or not, in any spelling, and may be the partner's.
    """

    bsn: Bsn | None = None
    surname: Name | None = None
    birth_date: BirthDate | None = None
    why: Purpose

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_name = self.surname is not None and self.birth_date is not None
        half = (self.surname is None) != (self.birth_date is None)
        if half or by_name == (self.bsn is not None):
            raise PydanticCustomError("search", "needs either bsn, or both surname and birth_date")
        return self


class FoundPerson(Unprintable):
    """Somebody who matches, with what tells two people of the same name and birth date apart."""

    patient: PatientId
    initials: str
    prefix: str | None
    surname: str
    partner_surname: str | None
    birth_date: date
    street: str
    house_number: str
    postcode: str
    city: str


class FoundView(Unprintable):
    """All who match, in no order of preference: a person chooses, also when there is only one."""

    people: list[FoundPerson]
