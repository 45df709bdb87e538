"""A proxy for a child ends by itself at the ages at which the law ends it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from schemas.api.proxies import Consent, ConsentBy, ConsentHow, ProxyKind
from schemas.times import AMSTERDAM
from services.notification.people.domain.ends import Refused, birthday, end_of

BORN = date(2015, 6, 1)
SECOND = timedelta(seconds=1)
TWELVE = datetime(2027, 6, 1, tzinfo=AMSTERDAM)
SIXTEEN = datetime(2031, 6, 1, tzinfo=AMSTERDAM)
PARENT = Consent(by=ConsentBy.PARENT, how=ConsentHow.WRITTEN, on=date(2020, 1, 1))
CHILD = Consent(by=ConsentBy.PATIENT, how=ConsentHow.IN_PERSON, on=date(2020, 1, 1))
BOTH = (ProxyKind.PARENT, ProxyKind.AUTHORISED)


def ends(
    at: datetime,
    consent: Consent = PARENT,
    kind: ProxyKind = ProxyKind.PARENT,
    until: datetime | None = None,
) -> datetime | Refused | None:
    return end_of(kind, BORN, consent, until, at.astimezone(UTC))


@pytest.mark.parametrize("kind", BOTH)
def test_under_twelve_it_ends_at_midnight_of_the_twelfth_birthday(kind: ProxyKind) -> None:
    assert ends(TWELVE - SECOND, kind=kind) == TWELVE
    assert ends(TWELVE - SECOND, kind=kind, until=SIXTEEN) == TWELVE


@pytest.mark.parametrize("kind", BOTH)
def test_from_twelve_the_child_consents_and_it_ends_at_sixteen(kind: ProxyKind) -> None:
    assert ends(TWELVE, kind=kind) is Refused.NOT_ASKED
    assert ends(TWELVE, CHILD, kind=kind) == SIXTEEN
    assert ends(SIXTEEN - SECOND, CHILD, kind=kind) == SIXTEEN


def test_from_sixteen_no_parent_stands_in_and_the_patient_authorises_for_as_long_as_wanted() -> (
    None
):
    assert ends(SIXTEEN, CHILD) is Refused.OLD_ENOUGH
    assert ends(SIXTEEN, CHILD, kind=ProxyKind.AUTHORISED) is None


@pytest.mark.parametrize("at", [TWELVE - SECOND, TWELVE, SIXTEEN])
def test_whom_a_court_appointed_stays(at: datetime) -> None:
    assert ends(at, kind=ProxyKind.LEGAL_REPRESENTATIVE) is None


def test_an_earlier_end_is_kept_and_a_past_one_refused() -> None:
    now = datetime(2026, 11, 28, 10, tzinfo=UTC)
    assert ends(now, until=now + SECOND) == now + SECOND
    assert ends(now, until=now) is Refused.ENDED


def test_nobody_consents_tomorrow() -> None:
    late = datetime(2019, 12, 31, 23, 59, tzinfo=AMSTERDAM)
    assert ends(late) is Refused.NOT_YET
    assert ends(late + timedelta(minutes=1)) == TWELVE


@pytest.mark.parametrize(
    ("born", "age", "at"),
    [
        (date(2016, 2, 29), 12, "2028-02-28T23:00:00+00:00"),
        (date(2088, 2, 29), 12, "2100-02-28T23:00:00+00:00"),
        (date(2012, 7, 1), 16, "2028-06-30T22:00:00+00:00"),
        (date(2015, 3, 28), 12, "2027-03-27T23:00:00+00:00"),
        (date(2015, 3, 29), 12, "2027-03-28T22:00:00+00:00"),
    ],
)
def test_a_birthday_begins_at_midnight_in_amsterdam(born: date, age: int, at: str) -> None:
    """In summer and winter time, and for who is born on 29 February, which a century may lack."""
    assert birthday(born, age) == datetime.fromisoformat(at)
