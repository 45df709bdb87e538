"""Renders templates in a language, with everything that a page of ours may use."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from portal.web import formats
from portal.web.assets import Assets
from portal.web.away import is_away
from portal.web.languages import translations
from schemas.reasons import LANGUAGES, Language

TEMPLATES = Path(__file__).parents[1] / "templates"


class Templates:
    """The templates, once for each language: what a template says is known while it is compiled."""

    def __init__(self, assets: Assets) -> None:
        self._by_language = {language: _environment(language, assets) for language in LANGUAGES}

    def render(self, name: str, language: Language, content: Mapping[str, Any]) -> str:
        """Render a template."""
        return self._by_language[language].get_template(name).render(content)

    def text(self, language: Language, message: str) -> str:
        """A text of the code in a language."""
        return translations(language).gettext(message)


def _environment(language: Language, assets: Assets) -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    made.globals |= {"language": language, "asset": assets.url}
    made.filters |= {
        name: partial(_in_language, write, language) for name, write in formats.FILTERS.items()
    }
    made.filters |= {"exact": formats.exact, "capitalize_first": _capitalized}
    made.tests["away"] = is_away
    return made


def _in_language(write: Any, language: Language, value: Any) -> str:
    written: str = write(value, language)
    return written


def _capitalized(text: str) -> str:
    """A text with a capital first letter, and the rest as it is."""
    return text[:1].upper() + text[1:]
