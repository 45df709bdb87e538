"""What people outside wrote is shown as theirs, and cannot look like a line of ours."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import Actor, Role
from schemas.reasons import LANGUAGES, Language
from schemas.records.notifications import Kind
from schemas.records.orders import Outcome
from services.notification.domain.decisions import Decision, decide
from services.notification.domain.order import evolve
from services.notification.outside_text import one_line, quoted
from services.notification.texts import CURRENT_VERSION, Texts
from tests.unit.notification.made import MONDAY, a_line, cancelled, decided, line_decided, parties

TEXTS = Texts()

WRITTEN = "Maak eerst een afspraak.\n\nBel daarvoor:\n0123-456710"
PHARMACY = Actor(role=Role.PHARMACY, id="02999001")


def _explained(text: str, language: Language = "nl", **changes: Any) -> str:
    return _body(line_decided(Outcome.REFUSED, explanation=text, **changes), language)


def _cancelled(text: str, language: Language = "nl", by: Actor = PHARMACY) -> str:
    return _body(cancelled(1, by=by, reason=text), language)


def _body(event: Any, language: Language) -> str:
    in_review = decided(a_line("Metformine 500 mg tablet", Outcome.REVIEW))
    decision = decide(event, evolve(None, in_review), parties(), MONDAY)
    assert isinstance(decision, Decision)
    assert decision.message is not None
    kind: Kind = decision.message.kind
    return TEXTS.render(kind, CURRENT_VERSION[kind], decision.message.facts, language).body


def test_line_breaks_of_an_explanation_and_of_a_reason_stay() -> None:
    quote = "> Maak eerst een afspraak.\n>\n> Bel daarvoor:\n> 0123-456710\n"
    assert f"De huisarts schrijft\n{quote}\nVragen?" in _explained(WRITTEN)
    assert f"The GP writes\n{quote}\nQuestions?" in _explained(WRITTEN, "en")
    assert f"De apotheek schrijft\n{quote}\n" in _cancelled(WRITTEN)


@pytest.mark.parametrize(
    ("role", "nl", "en"),
    [
        (Role.GP, "De huisarts schrijft", "The GP writes"),
        (Role.ASSISTANT, "De praktijk schrijft", "The practice writes"),
        (Role.PHARMACY, "De apotheek schrijft", "The pharmacy writes"),
        (Role.SYSTEM, "Uitleg", "Explanation"),
    ],
)
def test_an_explanation_is_by_who_decided(role: Role, nl: str, en: str) -> None:
    by = Actor(role=role, id="1")
    assert f"{nl}\n> Nee.\n" in _explained("Nee.", decided_by=by)
    assert f"{en}\n> Nee.\n" in _explained("Nee.", "en", decided_by=by)


@pytest.mark.parametrize("text", ["", " ", "\n\u00a0\n", "\u200b\u2060", "\u3164", "\u2800"])
def test_an_explanation_that_shows_nothing_is_left_out(text: str) -> None:
    body = _explained(text)
    assert "schrijft" not in body
    assert "Neem contact op met de praktijk als u dit nodig heeft." in body
    assert "schrijft" not in _cancelled(text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("een\r\ntwee\rdrie", ["> een", "> twee", "> drie"]),
        (
            "een\u2028twee\u2029drie\x0bvier\x85vijf",
            ["> een", "> twee", "> drie", "> vier", "> vijf"],
        ),
        ("\n\n een \n\n\n \ntwee\n\n", ["> een", ">", "> twee"]),
        ("een\u200b\ntwee \u202ekcis", ["> een", "> twee kcis"]),
        ("een\n\u200b\n\u2800\ntwee", ["> een", ">", "> twee"]),
        ("> een", ["> > een"]),
        (None, []),
    ],
)
def test_a_quote_has_each_line_after_a_mark_and_at_most_one_blank_line_between(
    text: str | None, lines: list[str]
) -> None:
    assert quoted(text) == lines


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\x1b[31m\r\nb", "a[31m b"),
        ("Metformine\u00a0 500\tmg", "Metformine 500 mg"),
        ("a \u200b b", "a b"),
        ("\u2066a\u2069\ufeff\u00ad", "a"),
        ("a\u115f\u3164\uffa0\u2800\ufe0f\u034fb", "ab"),
        ("Enalapril “10” mg, ’s avonds ½", "Enalapril “10” mg, ’s avonds ½"),
    ],
)
def test_a_name_is_one_line_of_visible_characters(name: str, shown: str) -> None:
    assert one_line(name) == shown


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60))
@settings(max_examples=100, deadline=None)
def test_whatever_is_written_only_adds_quoted_lines(text: str) -> None:
    """Without the lines after `> `, and the heading above them, the message is the same for every text."""
    for language in LANGUAGES:
        for body, plain in (
            (_explained(f"x{text}", language), _explained("x", language)),
            (_cancelled(f"x{text}", language), _cancelled("x", language)),
        ):
            assert _without_quotes(body) == _without_quotes(plain)


def _without_quotes(body: str) -> list[str]:
    return [line for line in body.splitlines() if not line.startswith(">")]
