"""Made-up people with names, addresses and BSNs. Nobody here exists."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import islice

from samples.codes import bsns
from schemas.api.people import Person

_SURNAMES = (
    (None, "Voorbeeld"),
    ("van der", "D'Angelo-Müller"),
    ("de", "Proefpersoon"),
    ("'t", "Testrecht"),
    (None, "Yılmaz-Łukasik"),
    ("van", "Nergenshuizen"),
)
_STREETS = ("Verzonnenlaan", "Denkbeeldweg", "Proefstraat", "Nergenspad")


def persons(count: int, rng: random.Random) -> Sequence[Person]:
    """Make this many people, each with a BSN of nobody."""
    return [_person(bsn, rng) for bsn in islice(bsns(), count)]


def a_person(bsn: str | None = None, **changes: object) -> Person:
    """Make a person: Anna van der D'Angelo-Müller, born on 1 March 1949, unless fields are changed."""
    fields: dict[str, object] = {
        "bsn": bsn,
        "initials": "A.M.",
        "prefix": "van der",
        "surname": "D'Angelo-Müller",
        "birth_date": date(1949, 3, 1),
        "street": "Verzonnenlaan",
        "house_number": "12 b",
        "postcode": "1234 AB",
        "city": "Lindewaard",
        "phones": ("0123-456799",),
        "email": "anna@example.org",
    }
    return Person.model_validate(fields | changes)


def _person(bsn: str, rng: random.Random) -> Person:
    prefix, surname = rng.choice(_SURNAMES)
    return a_person(
        bsn,
        initials=f"{rng.choice('ABCDEFGHJKLMNPRSTVWZ')}.",
        prefix=prefix,
        surname=surname,
        birth_date=date(1930, 1, 1) + timedelta(days=rng.randrange(30_000)),
        street=rng.choice(_STREETS),
        house_number=str(rng.randrange(1, 200)),
    )
