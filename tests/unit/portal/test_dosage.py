"""How to take a medicine, in plain words, and never half translated."""

import pytest

from portal.patient.dosage import Dosage, in_words
from schemas.dosage import COUNTED, MOMENTS


@pytest.mark.parametrize(
    ("written", "dutch", "english"),
    [
        ("2x daags 1", "2 keer per dag 1", "twice a day 1"),
        (
            "1x daags 1, voor de nacht",
            "1 keer per dag 1, voor de nacht",
            "once a day 1, at bedtime",
        ),
        ("3x daags 2 tabletten", "3 keer per dag 2 tabletten", "3 times a day 2 tablets"),
        ("1x per week 4", "1 keer per week 4", "once a week 4"),
        ("1W4T", "1 keer per week 4 tabletten", "once a week 4 tablets"),
        ("om de dag ½", "1 keer per 2 dagen ½", "once every 2 days ½"),
        ("1x per week 4, op maandag", "1 keer per week 4, op maandag", "once a week 4, on Monday"),
        ("2x daags 0,5-1", "2 keer per dag ½-1", "twice a day ½-1"),
        ("3x daags 2,4 ml", "3 keer per dag 2,4 ml", "3 times a day 2.4 ml"),
        ("zo nodig 1-2 pufjes", "als het nodig is 1-2 pufjes", "when needed 1-2 puffs"),
        ("volgens doseerkalender", "volgens doseerkalender", "by your dosing calendar"),
    ],
)
def test_a_usual_short_form_is_said_in_words(written: str, dutch: str, english: str) -> None:
    assert in_words(written, "nl") == Dosage(dutch, "nl")
    assert in_words(written, "en") == Dosage(english, "en")


@pytest.mark.parametrize(
    "written",
    [
        "zo nodig 1, ten hoogste 4 per dag",
        "1x daags 1, behalve op zondag",
        "2x daags 1 en 1x daags 2",
        "1x per week 4 (op maandag)",
        "",
    ],
)
def test_any_other_text_stays_as_the_practice_wrote_it(written: str) -> None:
    """Given a text that is not wholly a usual form; then nothing of it is changed, in either language."""
    assert in_words(written, "nl") == in_words(written, "en") == Dosage(written, "nl")


def test_a_weekly_dose_is_never_said_as_a_daily_one() -> None:
    assert "dag" not in in_words("1x per week 4", "nl").text
    assert "day" not in in_words("1x per week 4", "en").text


@pytest.mark.parametrize("word", [*COUNTED, *MOMENTS])
def test_every_word_that_is_read_is_said_in_both_languages(word: str) -> None:
    written = f"1x per week 1, {word}" if word in MOMENTS else f"1x per week 1 {word}"
    assert word in in_words(written, "nl").text
    assert in_words(written, "en").text.startswith("once a week 1")
