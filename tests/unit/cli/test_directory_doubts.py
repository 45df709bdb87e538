"""A directory file without errors is warned about what is surely not meant."""

from datetime import date
from pathlib import Path

import pytest

from cli.directory.file import check
from cli.directory.hours import doubtful_hours
from schemas.records.directory import Closure
from tests.unit.cli.test_directory_file import GOOD, TODAY


def _doubts(hours: str, *closures: Closure, practice: bool = False) -> list[str]:
    return list(doubtful_hours(hours, closures, TODAY, practice=practice))


def _warnings(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "directory.yaml"
    file.write_text(text, encoding="utf-8")
    checked = check(file, TODAY)
    assert checked.lines(warnings=False) == []
    return [line.removeprefix(f"{file}:") for line in checked.lines(warnings=True)]


@pytest.mark.parametrize(
    "hours",
    [
        "24/7",
        "Mo-Fr 08:30-12:30,13:30-17:30; Sa 09:00-12:00; PH off",
        "Mo-Fr 08:00-17:30; Dec 24,Dec 31 08:00-16:00; PH off",
        "Mo-We,Fr 08:00-18:00; Th 08:00-21:00; PH off",
        "Mo-Fr 08:00-18:00; Sa-Su,PH off",
        "Mo-Fr 08:00-12:00, Mo-Fr 13:00-17:00; PH off",
        "Mo-Fr 08:00-17:00; PH 10:00-12:00",
        "Mo-Su,PH 08:00-22:00",
        "Mo-Su 20:00-02:00; PH off",
        "Mo-Fr 17:00-08:00; Sa-Su,PH 00:00-24:00",
        "Mo-Fr 08:00-17:00; PH -1 day 08:00-12:00; PH off",
        'Mo-Fr 08:00-17:00; PH off "feestdag"',
        "Mo-Fr 08:00-17:00; Dec 25-Dec 26 off; PH off",
        "We 08:00-12:00; PH off",
        "Sa-Tu 10:00-12:00; PH off",
    ],
)
def test_usual_hours_of_a_pharmacy_raise_no_doubt(hours: str) -> None:
    assert _doubts(hours) == []


PUBLIC_HOLIDAYS = (
    "is open on public holidays, such as Friday 25 December 2026; "
    "write `; PH off` at the end, or the hours on those days, such as `; PH 10:00-12:00`"
)


@pytest.mark.parametrize("practice", [True, False])
@pytest.mark.parametrize(
    "hours",
    ["Mo-Fr 08:30-12:30", "Mo-Fr 08:00-17:00; Dec 24 08:00-12:00", "Mo-Fr 08:00-17:00; Sa-Su off"],
)
def test_hours_that_forget_public_holidays(hours: str, practice: bool) -> None:
    assert _doubts(hours, practice=practice) == [PUBLIC_HOLIDAYS]


def test_public_holidays_that_are_closures_are_not_forgotten() -> None:
    christmas = Closure(first=date(2026, 12, 25), last=date(2026, 12, 26))
    (doubt,) = _doubts("Mo-Fr 08:30-12:30", christmas)
    assert "Friday 1 January 2027" in doubt
    assert _doubts("2026 Dec Mo-Fr 08:00-12:00", christmas) == []


@pytest.mark.parametrize(
    ("hours", "doubt"),
    [
        (
            "PH off; Mo-Fr 08:00-17:00",
            "the rule `PH off` has no effect: a later rule replaces it; put it at the end",
        ),
        (
            "Mo-Fr 08:00-12:00; Mo-Fr 13:00-17:00; PH off",
            "the rule `Mo-Fr 08:00-12:00` has no effect in the coming year: it is over, or a later rule "
            "replaces it; write the hours of a day together, such as Mo-Fr 08:00-12:00,13:00-17:00",
        ),
        (
            'Mo-Fr 08:30-17:30; Sa "op afspraak"; PH off',
            'hours with a comment ("op afspraak") are not used for promises; '
            "leave the comment out if they may be",
        ),
        (
            'Mo-Fr 08:30-17:30 "via achteringang"; PH off',
            'every opening has a comment ("via achteringang"), so nothing is ever promised',
        ),
        (
            "Mo-Fr 08:00-17:00; PH off || 18:00-20:00",
            "hours after || count only on days that the rules before it leave out; use a comma",
        ),
        (
            "Mo-Fr 08:00-17:00; Sa 09:00-09:01; PH off",
            "is open on Saturday 28 November 2026 from 09:00 to 09:01; "
            "nothing is promised in less than half an hour",
        ),
        (
            "Mo-Fr 17:30-08:30; PH off",
            "17:30-08:30 closes before it opens, the next day; write 08:30-17:30 if that is meant",
        ),
        ("Mo-Fr 08:00-08:00; PH off", "08:00-08:00 is a day and a night; write 24/7 if that is meant"),
        ("Sa 09:00-12:00; PH off", "is never open from Monday to Friday"),
    ],
)  # fmt: skip
def test_hours_that_are_surely_not_meant(hours: str, doubt: str) -> None:
    assert _doubts(hours) == [doubt]


@pytest.mark.parametrize("hours", ["24/7", "Mo-Fr 17:00-08:00; PH off", "Mo-Fr; PH off"])
def test_a_practice_that_is_open_at_night(hours: str) -> None:
    (doubt,) = _doubts(hours, practice=True)
    assert doubt.startswith("is open at night, as hardly any practice is; write for example Mo-Fr")


@pytest.mark.parametrize(
    ("cutoff", "hours", "doubted"),
    [
        ("11:00", "Mo-Fr 08:00-17:00; PH off", False),
        ("17:00", "Mo-Fr 08:00-17:00; PH off", False),
        ("12:30", "Mo-Fr 08:00-12:00,13:00-17:00; PH off", False),
        ("14:00", "Mo-Th 08:00-17:00; Fr 08:00-12:00; PH off", False),
        ("23:59", "Mo-Fr 08:00-17:00; PH off", False),
        ("18:00", "Mo-Fr 08:00-17:00; PH off", True),
        ("08:00", "Mo-Fr 08:00-17:00; PH off", True),
        ("00:00", "Mo-Fr 08:00-17:00; PH off", True),
    ],
)
def test_a_cutoff_outside_of_the_practices_opening_hours(
    tmp_path: Path, cutoff: str, hours: str, doubted: bool
) -> None:
    text = GOOD.replace("cutoff: 11:00", f"cutoff: {cutoff}")
    found = _warnings(tmp_path, text.replace("Mo-Fr 08:00-17:00; PH off", hours))
    assert found == doubted * [
        "9: practices[0].processing.cutoff: warning: is outside of the opening hours on every working day; "
        "write 23:59 if decisions of the whole day count"
    ]


@pytest.mark.parametrize(
    ("ready", "doubted"), [("00:00", False), ("17:00", False), ("17:01", True), ("18:00", True)]
)
def test_ready_after_every_pharmacy_has_closed(tmp_path: Path, ready: str, doubted: bool) -> None:
    text = GOOD.replace("24/7", "Mo-Fr 08:30-17:30; PH off")
    found = _warnings(tmp_path, text.replace("ready_from: 15:30", f"ready_from: {ready}"))
    assert found == doubted * [
        "11: practices[0].processing.ready_from: warning: is less than half an hour before every pharmacy "
        "here closes, so nothing can be collected on the day that it is ready"
    ]


def test_a_closure_that_is_longer_than_promises_reach(tmp_path: Path) -> None:
    assert _warnings(tmp_path, GOOD.replace("last: 2026-12-26", "last: 2027-12-26")) == [
        "22: pharmacies[0].closures[0]: warning: is 368 days; nothing is promised in that time"
    ]


def test_a_practice_that_dispenses_itself_is_in_both_lists(tmp_path: Path) -> None:
    assert _warnings(tmp_path, GOOD.replace('"02999001"', '"01999001"')) == []
    assert _warnings(tmp_path, GOOD.replace('"02999001"', '"01999002"')) == [
        "15: pharmacies[0].agb: warning: "
        "is the code of a GP practice, which is not among the practices here"
    ]
