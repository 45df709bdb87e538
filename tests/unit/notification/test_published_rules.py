"""Rules that practices and pharmacies publish, with moments worked out by hand."""

from datetime import UTC, time

import pytest

from schemas.records.directory import Processing
from services.notification.domain.calendars import PharmacyCalendar
from services.notification.domain.pickup import Window, first_window, pickup_window
from tests.unit.notification.made import a_pharmacy, a_practice, amsterdam, calendar_of

OFFICE = "Mo-Fr 08:30-17:30; PH off"
EARLY_ON_EVES = "Mo-Fr 08:00-17:30; Dec 24,Dec 31 08:00-16:00; PH off"


def _text(window: Window | None) -> str:
    return f"{window.start:%a %d %b %H:%M}-{window.until:%H:%M}" if window else "no promise"


@pytest.mark.parametrize(
    ("rule", "hours", "ordered", "window"),
    [
        ("12:00 2 15:00", "Mo-Fr 08:00-17:30; PH off", "2026-11-24 19:30", "Fri 27 Nov 15:00-17:30"),
        ("12:00 2 15:00", "Mo-Fr 08:00-17:30; PH off", "2026-12-18 13:00", "Wed 23 Dec 15:00-17:30"),
        ("12:00 2 15:00", "Mo-Fr 08:00-17:30; PH off", "2026-12-23 11:00", "Mon 28 Dec 15:00-17:30"),
        ("12:00 1 00:00", OFFICE, "2026-11-24 11:30", "Wed 25 Nov 08:30-17:30"),
        ("12:00 1 00:00", OFFICE, "2026-11-27 10:00", "Mon 30 Nov 08:30-17:30"),
        ("12:00 1 00:00", OFFICE, "2027-04-26 09:00", "Wed 28 Apr 08:30-17:30"),
        ("15:00 2 00:00", OFFICE, "2026-11-23 14:00", "Wed 25 Nov 08:30-17:30"),
        ("15:00 2 00:00", OFFICE, "2026-11-27 15:30", "Wed 02 Dec 08:30-17:30"),
        ("15:00 2 00:00", OFFICE, "2026-12-23 09:00", "Mon 28 Dec 08:30-17:30"),
        ("12:00 1 12:00", EARLY_ON_EVES, "2026-12-23 11:00", "Thu 24 Dec 12:00-16:00"),
        ("12:00 1 12:00", EARLY_ON_EVES, "2026-12-24 12:00", "Tue 29 Dec 12:00-17:30"),
        ("12:00 1 12:00", EARLY_ON_EVES, "2027-03-26 11:59", "Tue 30 Mar 12:00-17:30"),
        ("23:59 2 00:00", "Mo-Su 08:30-21:00", "2026-11-23 16:00", "Wed 25 Nov 08:30-21:00"),
        ("23:59 2 00:00", "Mo-Su 08:30-21:00", "2026-11-28 10:00", "Wed 02 Dec 08:30-21:00"),
        ("23:59 2 00:00", "Mo-Su 08:30-21:00", "2027-05-04 18:30", "Fri 07 May 08:30-21:00"),
        ("12:00 2 00:00", OFFICE, "2026-11-28 10:00", "Wed 02 Dec 08:30-17:30"),
        ("12:00 2 00:00", OFFICE, "2026-11-27 12:00", "Wed 02 Dec 08:30-17:30"),
        ("23:59 2 00:00", OFFICE, "2026-12-24 10:00", "Tue 29 Dec 08:30-17:30"),
        ("23:59 2 00:00", OFFICE, "2027-05-05 17:00", "Mon 10 May 08:30-17:30"),
        ("23:59 3 00:00", OFFICE, "2026-12-31 10:00", "Wed 06 Jan 08:30-17:30"),
    ],
)  # fmt: skip
def test_from_order_to_window(rule: str, hours: str, ordered: str, window: str) -> None:
    cutoff, days, ready = rule.split()
    processing = Processing(
        cutoff=time.fromisoformat(cutoff),
        working_days=int(days),
        ready_from=time.fromisoformat(ready),
    )
    practice = a_practice(processing=processing)
    calendar = calendar_of(practice, a_pharmacy(hours))
    assert _text(pickup_window(amsterdam(ordered), processing, calendar)) == window


WITH_EVENINGS = "Mo-Fr 08:30-12:30,13:00-17:00; Sa-Su 17:00-20:00; PH off"
WITH_LUNCH = "Mo-Fr 08:00-13:00,14:00-17:30; PH off"
CLOSED_AT_NOON = "Mo-Fr 08:00-17:00; Mo-Fr 12:00-13:00 off; PH off"


@pytest.mark.parametrize(
    ("hours", "ready", "window"),
    [
        ("Mo-Fr 08:00-17:30; PH off", "2026-11-27 17:15", "Mon 30 Nov 08:00-17:30"),
        ("Mo-Fr 08:00-17:30; PH off", "2027-04-26 17:10", "Wed 28 Apr 08:00-17:30"),
        ("Mo-Fr 13:00-17:30; PH off", "2026-11-25 09:00", "Wed 25 Nov 13:00-17:30"),
        ("Mo-Fr 13:00-17:30; PH off", "2026-12-18 17:05", "Mon 21 Dec 13:00-17:30"),
        ("Mo-Fr 13:00-17:30; PH off", "2027-05-05 17:30", "Fri 07 May 13:00-17:30"),
        (WITH_EVENINGS, "2026-11-25 12:10", "Wed 25 Nov 13:00-17:00"),
        (WITH_EVENINGS, "2026-11-27 16:45", "Sat 28 Nov 17:00-20:00"),
        (WITH_EVENINGS, "2026-12-24 17:30", "Sun 27 Dec 17:00-20:00"),
        (WITH_LUNCH, "2026-11-24 12:45", "Tue 24 Nov 14:00-17:30"),
        (WITH_LUNCH, "2026-12-24 17:10", "Mon 28 Dec 08:00-13:00"),
        ("Mo-Fr 08:00-18:00; Sa 13:00-17:00; PH off", "2026-11-27 17:45", "Sat 28 Nov 13:00-17:00"),
        ("Mo-Fr 08:00-18:00; Sa 13:00-17:00; PH off", "2026-12-24 18:00", "Mon 28 Dec 08:00-18:00"),
        (CLOSED_AT_NOON, "2026-11-25 11:40", "Wed 25 Nov 13:00-17:00"),
        (CLOSED_AT_NOON, "2026-11-27 16:30", "Fri 27 Nov 16:30-17:00"),
        (CLOSED_AT_NOON, "2027-04-26 16:45", "Wed 28 Apr 08:00-12:00"),
    ],
)  # fmt: skip
def test_from_ready_to_the_first_opening(hours: str, ready: str, window: str) -> None:
    moment = amsterdam(ready)
    openings = PharmacyCalendar().openings(a_pharmacy(hours))(moment.date())
    assert _text(first_window(moment.astimezone(UTC), openings)) == window
