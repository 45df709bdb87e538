"""A dosage is read wholly or not at all."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from schemas.dosage import COUNTED, MOMENTS, Dosage, Period, read_dosage

DAY, WEEK, MONTH = Period.DAY, Period.WEEK, Period.MONTH
ONE, FOUR = Decimal(1), Decimal(4)
TWICE_A_DAY = Dosage(2, 1, DAY, ONE)
FOUR_A_WEEK = Dosage(1, 1, WEEK, FOUR)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2x daags 1",
            "2 x daags 1",
            "2X Daags 1",
            "  2x  daags 1 ",
            "2× daags 1",
            "2x per dag 1",
        ),
        *(
            "2 keer per dag 1",
            "2 maal daags 1",
            "2 maal per dag: 1",
            "2dd1",
            "2 dd 1",
            "2D1",
            "2x daags 1.",
        ),
    ],
)
def test_twice_a_day_is_written_in_many_ways(text: str) -> None:
    assert read_dosage(text) == TWICE_A_DAY


@pytest.mark.parametrize(
    ("text", "dosage"),
    [
        ("2D1T", Dosage(2, 1, DAY, ONE, what="tablet")),
        ("1w4t", Dosage(1, 1, WEEK, FOUR, what="tabletten")),
        ("2D½T", Dosage(2, 1, DAY, Decimal("0.5"), what="tablet")),
        ("1x per week 4", FOUR_A_WEEK),
        ("1 keer per week 4 tabletten", Dosage(1, 1, WEEK, FOUR, what="tabletten")),
        ("1x per week 4, op maandag", Dosage(1, 1, WEEK, FOUR, when="op maandag")),
        ("1x daags 1, voor de nacht", Dosage(1, 1, DAY, ONE, when="voor de nacht")),
        ("1x daags 1 ’s ochtends", Dosage(1, 1, DAY, ONE, when="'s ochtends")),
        ("1x daags 1 sachet", Dosage(1, 1, DAY, ONE, what="sachet")),
        ("1 tablet 2x daags, bij het eten", Dosage(2, 1, DAY, ONE, None, "tablet", "bij het eten")),
        ("3x daags 5 ml", Dosage(3, 1, DAY, Decimal(5), what="ml")),
        ("elke dag 1", Dosage(1, 1, DAY, ONE)),
        ("iedere week 1 pleister", Dosage(1, 1, WEEK, ONE, what="pleister")),
        ("om de dag 1", Dosage(1, 2, DAY, ONE)),
        ("om de week ½", Dosage(1, 2, WEEK, Decimal("0.5"))),
        ("om de 3 dagen 1 pleister", Dosage(1, 3, DAY, ONE, what="pleister")),
        ("1x per 2 weken 1", Dosage(1, 2, WEEK, ONE)),
        ("1x per maand 1", Dosage(1, 1, MONTH, ONE)),
        ("1x per 3 maanden 1", Dosage(1, 3, MONTH, ONE)),
        ("2x daags 1-2 pufjes", Dosage(2, 1, DAY, ONE, Decimal(2), "pufjes")),
        ("2x daags 1 à 2", Dosage(2, 1, DAY, ONE, Decimal(2))),
        ("1D½-1T", Dosage(1, 1, DAY, Decimal("0.5"), ONE, "tablet")),
        ("1D1-2T", Dosage(1, 1, DAY, ONE, Decimal(2), "tabletten")),
    ],
)
def test_a_regular_dosage_is_read(text: str, dosage: Dosage) -> None:
    assert read_dosage(text) == dosage


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        *(("½", "0.5"), ("1½", "1.5"), ("1 ½", "1.5"), ("¼", "0.25"), ("2¾", "2.75")),
        *(("0,5", "0.5"), ("1.5", "1.5"), ("1,25", "1.25"), ("10", "10")),
    ],
)
def test_an_amount_may_have_a_comma_a_point_or_a_fraction(written: str, amount: str) -> None:
    assert read_dosage(f"1x daags {written}") == Dosage(1, 1, DAY, Decimal(amount))


@pytest.mark.parametrize(
    "text",
    [
        # as needed, or by somebody's schedule (H20)
        *("zo nodig 1", "1-2 tabletten zo nodig", "1D1T zo nodig", "2x daags 1 zo nodig"),
        *("volgens schema trombosedienst", "volgens doseerkalender", "volgens schema"),
        # steps, cycles, several dosages
        *("3 dagen 1, dan 2", "1x daags 1, 21 dagen, 7 dagen niet", "1x daags 1, ma t/m vr"),
        *("2x daags 1; 1x daags 2", "2x daags 1, ma t/m vr; 1x daags 2, za en zo"),
        *("2x daags 1 en 1x daags 2", "1x daags 1; zo nodig 1", "2x daags 1; 2x daags 1"),
        # an end, a limit, an exception
        *(
            "2x daags 1 gedurende 7 dagen",
            "2x daags 1, maximaal 4",
            "1x daags 1, behalve op zondag",
        ),
        # what is not of the quantity's kind
        *("1x daags 500 mg", "1x daags 20 eenheden", "1x daags 1 drupel"),
        # numbers that may mean two things, or nothing
        *(
            "1x daags 1/2",
            "1x daags 1.000",
            "1x daags 1,5½",
            "1x daags 0",
            "0x daags 1",
            "2x daags",
        ),
        *("2x daags 2-1", "2x daags 1-1", "1x daags een", "2 daags 1", "1x daags -1"),
        # not said how many times: at once, or spread over the day or week?
        *(
            "elke dag 2",
            "elke dag 1-2",
            "om de week 4 tabletten",
            "2 per dag",
            "1 tablet voor de nacht",
        ),
        # parts that contradict each other
        *("2x daags 1, voor de nacht", "1x daags 1, op maandag", "2x per week 1, op maandag"),
        *("1x per maand 1, op maandag",),
        # codes of NHG table 25 that no public source explains
        *("1D1T 1128", "2D1C", "4U1T", "D1T", "2DT"),
        *("", " ", "1", "gebruik bekend", "één keer per dag één", "١x daags ١"),
    ],
)
def test_what_is_not_wholly_understood_is_unknown(text: str) -> None:
    assert read_dosage(text) is None


@pytest.mark.parametrize(
    ("text", "daily", "weekly"),
    [
        *(("1x daags 1", True, False), ("7x per week 1", True, False), ("1D1T", True, False)),
        *(("1x daags 1-2", True, False), ("1x per week 4", False, True)),
        *(("1x per week 1-2", False, True), ("1x per 7 dagen 4", False, True)),
        *(("2x per week 1", False, False), ("om de dag 1", False, False)),
        *(("om de week 1", False, False), ("1x per maand 1", False, False)),
    ],
)
def test_daily_and_weekly_are_told_apart(text: str, daily: bool, weekly: bool) -> None:
    """Given a weekly medicine (H20); when its dosage says every day; then that shows, also in a range."""
    read = read_dosage(text)
    assert read is not None
    assert (read.is_daily, read.is_weekly) == (daily, weekly)


@pytest.mark.parametrize(
    ("text", "quantity", "unit", "days"),
    [
        ("1 keer per week 4 tabletten", "12", "stuk", 21),
        ("1x per week 4", "16", "stuk", 28),
        ("2x daags 1", "180", "stuk", 90),
        ("2D1T", "180", "Stuks ", 90),
        ("1x daags 1½", "45", "stuk", 30),
        ("1x daags 1½", "46", "stuk", 30),
        ("om de dag 1", "45", "stuk", 90),
        ("1x per maand 1", "3", "stuk", 90),
        ("2x daags 2 pufjes", "200", "dosis", 50),
        ("3x daags 5 ml", "300", "ml", 20),
        ("3x daags 0,4 ml", "10", "milliliter", 8),
        ("2x daags 1", "1", "stuk", 0),
    ],
)
def test_a_quantity_lasts_whole_days(text: str, quantity: str, unit: str, days: int) -> None:
    """H20: twelve tablets at four a week are 21 days, not 3 and not 12."""
    read = read_dosage(text)
    assert read is not None
    assert read.days_of(Decimal(quantity), unit) == days


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        *(("1x daags 1 druppel", "ml"), ("2x daags 1 pufje", "stuk"), ("3x daags 5 ml", "stuk")),
        *(("2x daags 1", "ml"), ("2x daags 1", "gram"), ("2x daags 1 tablet", "dosis")),
        *(("2x daags 1-2", "stuk"), ("2x daags 1", "")),
    ],
)
def test_days_are_unknown_of_a_range_and_in_another_unit(text: str, unit: str) -> None:
    """Given 5 ml of eye drops, one drop a day; then they do not last five days."""
    read = read_dosage(text)
    assert read is not None
    assert read.days_of(Decimal(5), unit) is None


def test_the_amount_of_a_day_is_exact() -> None:
    """Given 3 a week; then 33 are 77 days: with a decimal number of them a day it would be 76."""
    three_a_week = Dosage(1, 1, WEEK, Decimal(3))
    assert three_a_week.daily_amount == Fraction(3, 7)
    assert three_a_week.days_of(Decimal(33), "stuk") == 77
    assert int(Decimal(33) / (Decimal(3) / 7)) == 76


def test_the_amount_of_a_day_is_unknown_of_a_range() -> None:
    assert Dosage(2, 1, DAY, ONE, most=Decimal(2)).daily_amount is None


def written(dosage: Dosage) -> str:
    """The dosage as a practice may write it."""
    words = {DAY: "dagen", WEEK: "weken", MONTH: "maanden"}[dosage.period]
    amount = str(dosage.amount).replace(".", ",")
    what = "" if dosage.what is None else f" {dosage.what}"
    when = "" if dosage.when is None else f", {dosage.when}"
    return f"{dosage.times}x per {dosage.every} {words} {amount}{what}{when}"


dosages = st.builds(
    Dosage,
    times=st.integers(1, 99),
    every=st.integers(1, 99),
    period=st.sampled_from(Period),
    amount=st.decimals(Decimal("0.01"), Decimal("999.99"), places=2),
    what=st.none() | st.sampled_from(sorted(COUNTED)),
    when=st.none() | st.sampled_from(["bij het eten", "na het eten", "nuchter"]),
)


@for_all(dosages, st.integers(1, 1000))
def test_what_is_written_is_read_and_lasts_as_long(dosage: Dosage, rounds: int) -> None:
    """Given a quantity for so many rounds of a dosage; then it lasts so many rounds, and never a day more."""
    read = read_dosage(written(dosage))
    assert read == dosage
    unit = dosage.what or "stuk"
    enough = dosage.amount * dosage.times * rounds
    assert read.days_of(enough, unit) == dosage.per_days * rounds
    almost = read.days_of(enough - Decimal("0.01"), unit)
    assert almost is not None
    assert almost < dosage.per_days * rounds


@for_all(st.text(max_size=60) | st.text(alphabet="0123456789 xdwt,.;-½daagspernodig", max_size=30))
def test_any_text_is_read_or_unknown(text: str) -> None:
    """Given any text; then nothing is raised, and what is read is taken, in an amount above nothing."""
    read = read_dosage(text)
    assert read is None or (read.times > 0 and read.amount > 0 and read.per_days > 0)


@pytest.mark.parametrize("tail", [" zo nodig", "; 1x daags 1", ", dan 2", " max 3", " ma"])
@for_all(dosages)
def test_a_tail_that_is_not_understood_makes_all_unknown(tail: str, dosage: Dosage) -> None:
    assert read_dosage(written(dosage) + tail) is None


@pytest.mark.parametrize("moment", MOMENTS)
def test_every_moment_is_read_at_a_weekly_dosage(moment: str) -> None:
    read = read_dosage(f"1x per week 4, {moment}")
    assert read is not None
    assert read.when == moment
