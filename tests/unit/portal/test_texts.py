"""Every text of the portal exists in Dutch and in English."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from portal.web.languages import LOCALES, translations

PORTAL = Path(__file__).parents[3] / "portal"
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "mark": None, "translate": None}
PLACES = re.compile(r"%\((\w+)\)s|\{(\w+)\}")


@cache
def texts() -> frozenset[tuple[str, ...]]:
    """All texts of code and templates: the one, and where it has a plural the other."""
    methods = [("**.py", "python"), ("templates/**.html", "jinja2")]
    options = {"templates/**.html": {"encoding": "utf-8", "extensions": "jinja2.ext.i18n"}}
    found = extract_from_dir(str(PORTAL), methods, options, KEYWORDS)
    return frozenset(_as_tuple(message) for _, _, message, _, _ in found)


@cache
def dutch() -> dict[tuple[str, ...], tuple[str, ...]]:
    with (LOCALES / "nl" / "portal.po").open("rb") as file:
        catalog = read_po(file, locale="nl")
    return {
        _as_tuple(each.id): _as_tuple(each.string) for each in catalog if each.id and not each.fuzzy
    }


def test_every_text_exists_in_dutch() -> None:
    missing = [text for text in texts() if not all(dutch().get(text, ("",)))]
    assert sorted(missing) == []


def test_no_dutch_text_is_left_of_what_is_no_longer_said() -> None:
    assert sorted(dutch().keys() - texts()) == []


def test_a_translation_has_the_same_places_for_values() -> None:
    """Given a text with a name or a number in it; then the Dutch one has the same."""
    differing = [
        one
        for english, translated in dutch().items()
        for one, other in zip(english, translated, strict=True)
        if {*PLACES.findall(one)} != {*PLACES.findall(other)}
    ]
    assert differing == []


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "Er klopt nog één ding niet"), (2, "Er kloppen nog %(num)s dingen niet")],
)
def test_a_plural_is_chosen_by_its_number(number: int, said: str) -> None:
    one, several = "One thing is not right yet", "%(num)s things are not right yet"
    assert translations("nl").ngettext(one, several, number) == said
    assert translations("en").ngettext(one, several, number) == (one if number == 1 else several)


def _as_tuple(message: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else tuple(message or ())
