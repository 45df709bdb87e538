"""Renders messages as Dutch or English text, from a template and the facts, each time one is read.

A template version never changes once it was used, so that a message reads the same for years. The same holds
for the filters here: add a new one instead of changing the text that one gives.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path

from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from schemas.reasons import Language
from schemas.records.notifications import Kind
from schemas.times import AMSTERDAM
from services.notification.amounts import amount
from services.notification.domain.messages import AnsweredLine, Facts
from services.notification.domain.pickup import Window
from services.notification.outside_text import one_line, quoted

TEMPLATES = Path(__file__).parent / "templates"

CURRENT_VERSION: dict[Kind, int] = {
    Kind.ORDER_ANSWER: 1,
    Kind.LINE_ANSWER: 1,
    Kind.ORDER_CANCELLED: 1,
}
"""The template version that new messages get."""

_LOCALE: dict[Language, str] = {"nl": "nl_NL", "en": "en_GB"}
_MIDNIGHT: dict[Language, str] = {"nl": "24:00", "en": "midnight"}


@dataclass(frozen=True, slots=True)
class Text:
    """A message in one language: plain text, lines separated by a newline."""

    subject: str
    body: str


class Texts:
    """Renders messages. The first line of a template is the subject, the rest the text."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(["html", "xml"]),
            undefined=StrictUndefined,
            finalize=one_line,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters.update(
            day=day,
            window=window,
            clock=clock,
            upper_first=upper_first,
            next_steps=next_steps,
            quoted=quoted,
            amount=amount,
        )

    def render(self, kind: Kind, version: int, facts: Facts, language: Language) -> Text:
        """Render a message in this language."""
        template = self._environment.get_template(f"{kind}.v{version}.{language}.txt.j2")
        subject, _, body = template.render(facts=facts).partition("\n")
        return Text(subject.strip(), _tidy(body))


def day(value: date | datetime, language: Language) -> str:
    """The date in words, such as `dinsdag 24 november 2026` or `Tuesday 24 November 2026`."""
    return _day(_local_date(value), language)


def clock(moment: datetime) -> str:
    """The time of day in Europe/Amsterdam, such as `15:30`."""
    return f"{moment.astimezone(AMSTERDAM):%H:%M}"


def window(value: Window, language: Language) -> str:
    """The window in words, such as `dinsdag 24 november 2026 tussen 15:30 en 17:30`, over one day or two."""
    start, until = value.start, value.until
    first, last = day(start, language), day(until, language)
    if _ends_at_midnight(start, until):
        return _within_a_day(first, clock(start), _MIDNIGHT[language], language)
    if first == last:
        return _within_a_day(first, clock(start), clock(until), language)
    if language == "nl":
        return f"van {first} {clock(start)} tot {last} {clock(until)}"
    return f"from {clock(start)} on {first} to {clock(until)} on {last}"


def upper_first(text: str) -> str:
    """Capitalise the first letter."""
    return text[:1].upper() + text[1:]


def next_steps(lines: Iterable[AnsweredLine], language: Language) -> list[str]:
    """The next steps of all reasons of these lines, each once."""
    steps = (reason.next_step[language] for line in lines for reason in line.reasons)
    return list(dict.fromkeys(steps))


@lru_cache(maxsize=1024)
def _day(value: date, language: Language) -> str:
    return format_date(value, "EEEE d MMMM y", locale=_LOCALE[language])


def _within_a_day(on: str, start: str, until: str, language: Language) -> str:
    between, and_ = ("tussen", "en") if language == "nl" else ("between", "and")
    return f"{on} {between} {start} {and_} {until}"


def _local_date(value: date | datetime) -> date:
    return value.astimezone(AMSTERDAM).date() if isinstance(value, datetime) else value


def _ends_at_midnight(start: datetime, until: datetime) -> bool:
    next_midnight = datetime.combine(_local_date(start) + timedelta(days=1), time(), AMSTERDAM)
    return until.astimezone(UTC) == next_midnight.astimezone(UTC)


def _tidy(text: str) -> str:
    """Remove spaces at line ends, and all but one of successive empty lines."""
    paragraphs = ("\n".join(line.rstrip() for line in text.splitlines())).split("\n\n")
    return "\n\n".join(p.strip("\n") for p in paragraphs if p.strip()) + "\n"
