"""The texts of messages to patients."""

import hashlib
from datetime import date

import pytest

from schemas.reasons import LANGUAGES, Language, Reason, ReasonCode
from schemas.records.notifications import Kind
from schemas.records.orders import DecidedLine, OrderEvent, Outcome
from services.notification.domain.decisions import Decision, Parties, decide
from services.notification.domain.order import Order
from services.notification.domain.pickup import Window
from services.notification.texts import CURRENT_VERSION, TEMPLATES, Text, Texts, one_line, window
from tests.unit.notification.made import (
    GP,
    MONDAY,
    a_line,
    a_pharmacy,
    a_practice,
    amsterdam,
    cancelled,
    decided,
    line_decided,
    no_parties,
    parties,
)

TEXTS = Texts()

METFORMINE = a_line("Metformine 500 mg tablet", Outcome.APPROVED)
EARLY = a_line(
    "Omeprazol 20 mg capsule",
    Outcome.REFUSED,
    Reason(code=ReasonCode.TOO_EARLY, earliest_date=date(2026, 12, 10)),
    number=2,
)
RISKY = a_line(
    "Oxycodon 5 mg tablet",
    Outcome.REVIEW,
    Reason(code=ReasonCode.HIGH_RISK_MEDICATION),
    Reason(code=ReasonCode.QUANTITY_ABOVE_LIMIT),
    number=3,
)
WAITING = a_line(
    "Metformine 500 mg tablet", Outcome.WAITING, Reason(code=ReasonCode.STATUS_NOT_KNOWN_YET)
)


def _text(
    event: OrderEvent,
    language: Language,
    given: Parties | None = None,
    order: Order | None = None,
) -> Text:
    decision = decide(event, order, given or parties(), MONDAY)
    assert isinstance(decision, Decision)
    assert decision.message is not None
    kind = decision.message.kind
    return TEXTS.render(kind, CURRENT_VERSION[kind], decision.message.facts, language)


def test_the_answer_in_dutch_has_the_pickup_first_and_then_the_refusals_with_reasons() -> None:
    text = _text(decided(METFORMINE, EARLY, RISKY), "nl")
    assert text.subject == "Uw medicijnen: ophalen vanaf woensdag 25 november 2026, 15:30 uur"
    assert text.body == (
        "Ophalen\n"
        "Woensdag 25 november 2026 tussen 15:30 en 17:30\n"
        "Apotheek De Gouden Vijzel\n"
        "Marktplein 4, Lindewaard\n"
        "Telefoon: 0123-456730\n"
        "Kunt u dan niet? Later ophalen mag ook, als de apotheek open is.\n"
        "\n"
        "Goedgekeurd\n"
        "- Metformine 500 mg tablet (aantal: 90)\n"
        "\n"
        "Niet goedgekeurd\n"
        "- Omeprazol 20 mg capsule\n"
        "  Het is nog te vroeg om dit medicijn te herhalen.\n"
        "  Bestel het opnieuw vanaf donderdag 10 december 2026.\n"
        "\n"
        "De praktijk kijkt hier nog naar\n"
        "- Oxycodon 5 mg tablet\n"
        "  De huisarts bekijkt elke herhaling van dit medicijn.\n"
        "  U vraagt meer dan de praktijk zonder overleg herhaalt.\n"
        "U hoeft niets te doen; u krijgt bericht zodra de praktijk heeft besloten.\n"
        "\n"
        "Vragen?\n"
        "Bel Huisartsenpraktijk De Linde: 0123-456710\n"
    )


def test_the_answer_in_english_says_the_same() -> None:
    text = _text(decided(METFORMINE, EARLY), "en")
    assert text.subject == "Your medicines: collect from Wednesday 25 November 2026, 15:30"
    assert text.body.startswith(
        "Collecting\nWednesday 25 November 2026 between 15:30 and 17:30\nApotheek De Gouden Vijzel\n"
    )
    assert "Please order it again from Thursday 10 December 2026." in text.body


@pytest.mark.parametrize(
    ("lines", "given", "subject"),
    [
        ((METFORMINE,), no_parties(), "Uw bestelling is goedgekeurd"),
        ((METFORMINE, EARLY), no_parties(), "Een deel van uw bestelling is goedgekeurd"),
        ((RISKY, EARLY), parties(), "De praktijk bekijkt uw bestelling"),
        ((WAITING,), parties(), "Wij hebben uw bestelling ontvangen"),
        ((EARLY,), parties(), "Uw bestelling is niet goedgekeurd"),
    ],
)
def test_the_subject_has_the_outcome_of_the_order(
    lines: tuple[DecidedLine, ...], given: Parties, subject: str
) -> None:
    assert _text(decided(*lines), "nl", given).subject == subject


def test_without_a_promise_the_pharmacy_will_tell() -> None:
    closed = parties(a_practice(), a_pharmacy("2027 Jun 01 09:00-12:00"))
    text = _text(decided(METFORMINE), "nl", closed)
    assert "De apotheek laat u weten wanneer u uw medicijnen kunt ophalen." in text.body
    assert "Marktplein 4, Lindewaard" in text.body


def test_contact_data_that_is_not_in_the_directory_is_left_out() -> None:
    text = _text(decided(METFORMINE), "nl", no_parties())
    assert "Uw apotheek laat u weten wanneer" in text.body
    assert text.body.endswith("Vragen?\nBel uw huisartsenpraktijk.\n")


def test_a_refusal_by_a_person_shows_what_that_person_wrote() -> None:
    event = line_decided(Outcome.REFUSED, explanation="Maak eerst\neen afspraak.")
    text = _text(event, "nl")
    assert text.subject == "Een medicijn uit uw bestelling is niet goedgekeurd"
    assert "De praktijk schrijft\nMaak eerst een afspraak.\n" in text.body


def test_a_cancelled_order_says_that_the_promise_is_off() -> None:
    decision = decide(decided(METFORMINE), None, parties(), MONDAY)
    assert isinstance(decision, Decision)
    text = _text(cancelled(1), "nl", order=decision.order)
    assert text.subject == "Uw bestelling is geannuleerd"
    assert "De ophaaltijd die wij eerder noemden, geldt niet meer." in text.body


def test_a_name_from_outside_cannot_add_lines_or_turn_the_text_around() -> None:
    """The medicine's name comes from a portal."""
    forged = a_line("Metformine\n\nVragen?\nBel 0900-1234 \u202ekcis", Outcome.APPROVED)
    text = _text(decided(forged), "nl")
    assert "- Metformine Vragen? Bel 0900-1234 kcis (aantal: 90)\n" in text.body
    assert one_line("a\x1b[31m\r\nb") == "a[31m b"


@pytest.mark.parametrize("outcome", Outcome)
def test_every_reason_and_outcome_has_a_tidy_text_without_codes(outcome: Outcome) -> None:
    plain: list[OrderEvent] = [
        decided(a_line("Metformine", outcome)),
        line_decided(outcome),
        cancelled(1),
        cancelled(1, by=GP),
    ]
    for code in ReasonCode:
        line = a_line("Metformine 500 mg tablet", outcome, Reason(code=code))
        for event in (decided(line), line_decided(outcome, reasons=line.reasons), *plain):
            for language in LANGUAGES:
                _is_tidy(_text(event, language), code)


def _is_tidy(text: Text, code: ReasonCode) -> None:
    shown = f"{text.subject}\n{text.body}"
    assert text.subject
    assert code not in shown
    assert "None" not in shown
    assert "\n\n\n" not in shown
    assert all(line == line.rstrip() for line in shown.split("\n"))


@pytest.mark.parametrize(
    ("start", "until", "nl", "en"),
    [
        (
            "2026-11-25 15:30",
            "2026-11-25 17:30",
            "woensdag 25 november 2026 tussen 15:30 en 17:30",
            "Wednesday 25 November 2026 between 15:30 and 17:30",
        ),
        (
            "2026-11-25 15:30",
            "2026-11-26 00:00",
            "woensdag 25 november 2026 tussen 15:30 en 24:00",
            "Wednesday 25 November 2026 between 15:30 and midnight",
        ),
        (
            "2026-11-27 20:00",
            "2026-11-28 02:00",
            "van vrijdag 27 november 2026 20:00 tot zaterdag 28 november 2026 02:00",
            "from 20:00 on Friday 27 November 2026 to 02:00 on Saturday 28 November 2026",
        ),
    ],
)
def test_a_window_reads_as_a_person_says_it(start: str, until: str, nl: str, en: str) -> None:
    sent = Window(amsterdam(start), amsterdam(until))
    assert (window(sent, "nl"), window(sent, "en")) == (nl, en)


def test_every_kind_has_its_current_template_in_both_languages() -> None:
    for kind in Kind:
        for language in LANGUAGES:
            assert (TEMPLATES / f"{kind}.v{CURRENT_VERSION[kind]}.{language}.txt.j2").is_file()


def test_a_template_version_never_changes() -> None:
    """Sent messages never change. To change a text, add v2 files and their sums here."""
    kept = (TEMPLATES / "SHA256SUMS").read_text().splitlines()
    now = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
        for path in sorted(TEMPLATES.glob("*.j2"))
    ]
    assert now == kept
