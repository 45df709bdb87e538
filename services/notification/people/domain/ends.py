"""When a proxy ends by itself.

Under 12 the parents decide; from 12 to 15 with the child's own consent; from 16 the patient alone. So what was
given for a child ends at midnight (Europe/Amsterdam) of the 12th birthday, and what was given after that at the
16th: a proxy by a parent lapses at both, in Dutch patient portals.
"""

from datetime import UTC, date, datetime, time
from enum import StrEnum

from schemas.api.proxies import Consent, ConsentBy, ProxyKind
from schemas.times import AMSTERDAM, local_date

CHILD_CONSENTS, OWN = 12, 16
"""The ages, in years, at which a child's own consent is needed, and at which the patient alone decides."""


class Refused(StrEnum):
    """Why somebody cannot stand in for a patient, in words for the answer."""

    OLD_ENOUGH = "cannot be a parent: the patient is 16 or older and decides alone"
    NOT_ASKED = "must be by the patient: from 12 years on a child consents"
    ENDED = "is past"
    NOT_YET = "is in the future"


def end_of(
    kind: ProxyKind, born: date, consent: Consent, until: datetime | None, now: datetime
) -> datetime | Refused | None:
    """The moment (UTC) at which a proxy that is granted now ends, None for never, or why there can be none.

    `until` is what was asked for. Whom a court appointed does not end with the child's age.
    """
    if consent.on > local_date(now):
        return Refused.NOT_YET
    if until is not None and until <= now:
        return Refused.ENDED
    if kind is ProxyKind.LEGAL_REPRESENTATIVE:
        return until
    if now >= birthday(born, OWN):
        return Refused.OLD_ENOUGH if kind is ProxyKind.PARENT else until
    if now < birthday(born, CHILD_CONSENTS):
        return _earlier(until, birthday(born, CHILD_CONSENTS))
    if consent.by is not ConsentBy.PATIENT:
        return Refused.NOT_ASKED
    return _earlier(until, birthday(born, OWN))


def birthday(born: date, age: int) -> datetime:
    """The moment (UTC) at which somebody reaches an age: midnight of that day in Europe/Amsterdam.

    Who is born on 29 February does so on 1 March in other years.
    """
    try:
        day = born.replace(year=born.year + age)
    except ValueError:
        day = date(born.year + age, 3, 1)
    return datetime.combine(day, time(), AMSTERDAM).astimezone(UTC)


def _earlier(until: datetime | None, limit: datetime) -> datetime:
    return limit if until is None else min(until, limit)
