"""How to take a medicine, in plain words, and never half translated."""

import pytest

from portal.patient.dosage import Dosage, in_words


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
