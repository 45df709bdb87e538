"""The pages of the issuer, in Dutch and English: choose who you are, logged out, an error."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deploy.local.issuer.people import Person
from schemas.access import Party

HERE = Path(__file__).parent
LANGUAGES = ("nl", "en")

ROLES: Mapping[Party, Mapping[str, str]] = {
    Party.PATIENT: {"nl": "Patiënten", "en": "Patients"},
    Party.PROXY: {"nl": "Mantelzorgers", "en": "Proxies"},
    Party.ASSISTANT: {"nl": "Assistenten", "en": "Practice assistants"},
    Party.GP: {"nl": "Huisartsen", "en": "GPs"},
    Party.MANAGER: {"nl": "Praktijkmanagers", "en": "Practice managers"},
    Party.PHARMACIST: {"nl": "Apothekers", "en": "Pharmacists"},
    Party.REGION: {"nl": "Regio", "en": "Region"},
    Party.OPERATOR: {"nl": "Beheerders", "en": "Operators"},
}

TEXTS: Mapping[str, Mapping[str, str]] = {
    "nl": {
        "title": "Wie bent u?",
        "lead": "Dit is een proefomgeving. Alle personen zijn verzonnen en er is geen wachtwoord."
        " Kies met wie u wilt inloggen.",
        "as": "Log in als",
        "other": "English",
        "out_title": "U bent uitgelogd",
        "out": "U kunt dit venster sluiten.",
        "error_title": "Inloggen lukt zo niet",
        "error": "Ga terug naar de pagina waar u vandaan komt en probeer het opnieuw.",
    },
    "en": {
        "title": "Who are you?",
        "lead": "This is a test environment. Everybody here is made up and there is no password."
        " Choose who you want to log in as.",
        "as": "Log in as",
        "other": "Nederlands",
        "out_title": "You are logged out",
        "out": "You can close this window.",
        "error_title": "You cannot log in this way",
        "error": "Go back to the page that you came from and try again.",
    },
}

_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def language_of(wanted: str) -> str:
    """The first of `ui_locales` (space-separated) that there is, Dutch otherwise."""
    asked = [tag.partition("-")[0].lower() for tag in wanted.split()]
    return next((tag for tag in asked if tag in LANGUAGES), LANGUAGES[0])


def login_page(people: Sequence[Person], given: Mapping[str, str], language: str) -> str:
    """The login page: everybody by role, with the request's parameters in a form."""
    groups = [
        (ROLES[role][language], [(one, one.about(language)) for one in group])
        for role, group in groupby(people, key=lambda one: one.claims.role)
    ]
    given = {name: value for name, value in given.items() if name != "person"}
    other = next(tag for tag in LANGUAGES if tag != language)
    return _render(
        language,
        "title",
        groups=groups,
        given=given,
        switch=given | {"ui_locales": other},
        other=other,
    )


def logged_out_page(language: str) -> str:
    """The page that says that one is logged out."""
    return _render(language, "out_title", lead="out")


def error_page(detail: str, language: str) -> str:
    """The page about a request that leads nowhere; `detail` is in English, for who builds the client."""
    return _render(language, "error_title", lead="error", detail=detail)


def _render(language: str, title: str, lead: str = "lead", **content: object) -> str:
    text = TEXTS[language]
    return _TEMPLATES.get_template("page.html").render(
        {"groups": (), "given": {}, "switch": {}, "other": "", "detail": ""} | content,
        language=language,
        text=text,
        title=text[title],
        lead=text[lead],
    )
