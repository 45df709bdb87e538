"""A surname is found however it is typed (pitfall A7)."""

import pytest

from services.notification.people.domain.names import asked, spellings

ANGELO = spellings("D'Angelo-Müller", "van der")


@pytest.mark.parametrize(
    "typed",
    [
        "d’angelo-muller",
        "Dangelo Muller",
        "Van der D'Angelo-Müller",
        "van der dangelo müller",
        "D`Angelo–Müller",
        "D′ANGELO - MULLER",
        "D'Angelo-Müller, van der",
        "van D'Angelo-Müller",
        "D'Angelo",
        "Müller",
        "d’angelo-mu\u0308ller",
    ],
)
def test_a_prefix_an_apostrophe_a_hyphen_or_an_accent_hides_nobody(typed: str) -> None:
    assert asked(typed) & ANGELO


@pytest.mark.parametrize("typed", ["Angel", "Muller-Janssen-de Wit"[14:], "van der", "Mulder", "-"])
def test_another_name_finds_nobody(typed: str) -> None:
    assert not asked(typed) & ANGELO


@pytest.mark.parametrize(
    "typed", ["Jansen", "De Vries", "Vries", "Jansen-de Vries", "de Vries-Jansen", "vries jansen"]
)
def test_the_partners_name_counts_alone_and_in_both_orders(typed: str) -> None:
    assert asked(typed) & spellings("Jansen", None, "de Vries")


@pytest.mark.parametrize(
    ("surname", "typed"),
    [
        ("Łukasik", "lukasik"),
        ("Yılmaz", "Yilmaz"),
        ("Ĳsselstein", "ijsselstein"),
        ("Ørsted", "orsted"),
    ],
)
def test_letters_of_other_languages_become_plain_ones(surname: str, typed: str) -> None:
    assert asked(typed) & spellings(surname)


@pytest.mark.parametrize(
    ("surname", "prefix", "typed"),
    [
        ("Hooft", "'t", "t Hooft"),
        ("Hooft", "'t", "’t Hooft"),
        ("Ten", None, "Ten"),
        ("Of", "van", "van of"),
    ],
)
def test_names_that_look_like_a_prefix(surname: str, prefix: str | None, typed: str) -> None:
    assert asked(typed) & spellings(surname, prefix)


def test_a_name_of_signs_alone_has_no_spelling() -> None:
    """An empty spelling would find everybody else whose name has none."""
    assert spellings("---", "'") == set()
