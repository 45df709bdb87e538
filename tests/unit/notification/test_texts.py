"""The texts of messages to patients."""

import hashlib
from datetime import date
from decimal import Decimal

import pytest

from schemas.base import Actor, Role
from schemas.reasons import LANGUAGES, Language, Reason, ReasonCode
from schemas.records.notifications import Kind
from schemas.records.orders import DecidedLine, OrderEvent, Outcome
from services.notification.domain.decisions import Decision, Parties, decide
from services.notification.domain.order import Order, evolve
from services.notification.domain.pickup import Window
from services.notification.texts import CURRENT_VERSION, TEMPLATES, Text, Texts, window
from tests.unit.notification.made import (
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
SIMVASTATINE = a_line("Simvastatine 40 mg tablet", Outcome.APPROVED, number=2)
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


def _numbered(line: DecidedLine, number: int) -> DecidedLine:
    return line.model_copy(update={"line": number})


def _after(event: OrderEvent) -> Order:
    return evolve(None, event)


def test_the_answer_in_dutch_has_the_pickup_first_and_then_the_refusals_with_reasons() -> None:
    text = _text(decided(METFORMINE, EARLY, RISKY), "nl")
    assert text.subject == (
        "Een deel van uw bestelling: ophalen vanaf woensdag 25 november 2026, 15:30 uur"
    )
    assert text.body == (
        "Ophalen\n"
        "Woensdag 25 november 2026 tussen 15:30 en 17:30\n"
        "Apotheek De Gouden Vijzel\n"
        "Marktplein 4, Lindewaard\n"
        "Telefoon: 0123-456730\n"
        'U kunt alleen ophalen wat hieronder bij "Goedgekeurd" staat.\n'
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
    assert text.subject == "Part of your order: collect from Wednesday 25 November 2026, 15:30"
    assert text.body.startswith(
        "Collecting\nWednesday 25 November 2026 between 15:30 and 17:30\nApotheek De Gouden Vijzel\n"
    )
    assert 'You can collect only what is listed under "Approved" below.' in text.body
    assert "Please order it again from Thursday 10 December 2026." in text.body


PICKUP_NL = "ophalen vanaf woensdag 25 november 2026, 15:30 uur"
PICKUP_EN = "collect from Wednesday 25 November 2026, 15:30"


@pytest.mark.parametrize(
    ("lines", "given", "nl", "en"),
    [
        ((METFORMINE,), parties(), f"Uw medicijn: {PICKUP_NL}", f"Your medicine: {PICKUP_EN}"),
        (
            (METFORMINE, SIMVASTATINE),
            parties(),
            f"Uw medicijnen: {PICKUP_NL}",
            f"Your medicines: {PICKUP_EN}",
        ),
        (
            (METFORMINE, EARLY, RISKY),
            parties(),
            f"Een deel van uw bestelling: {PICKUP_NL}",
            f"Part of your order: {PICKUP_EN}",
        ),
        (
            (METFORMINE,),
            no_parties(),
            "Uw bestelling is goedgekeurd",
            "Your order is approved",
        ),
        (
            (METFORMINE, EARLY),
            no_parties(),
            "Een deel van uw bestelling is goedgekeurd",
            "Part of your order is approved",
        ),
        (
            (RISKY,),
            parties(),
            "De praktijk bekijkt uw bestelling",
            "The practice is looking at your order",
        ),
        (
            (RISKY, EARLY),
            parties(),
            "De praktijk bekijkt een deel van uw bestelling",
            "The practice is looking at part of your order",
        ),
        (
            (WAITING,),
            parties(),
            "Wij hebben uw bestelling ontvangen",
            "We have received your order",
        ),
        (
            (EARLY,),
            parties(),
            "Uw bestelling is niet goedgekeurd",
            "Your order is not approved",
        ),
    ],
)
def test_the_subject_has_the_outcome_of_the_order_and_says_when_it_is_about_a_part(
    lines: tuple[DecidedLine, ...], given: Parties, nl: str, en: str
) -> None:
    event = decided(*lines)
    assert (_text(event, "nl", given).subject, _text(event, "en", given).subject) == (nl, en)


def test_without_a_promise_the_pharmacy_will_tell() -> None:
    closed = parties(a_practice(), a_pharmacy("2027 Jun 01 09:00-12:00"))
    one, two = decided(METFORMINE), decided(METFORMINE, SIMVASTATINE)
    assert "De apotheek laat u weten wanneer u dit medicijn kunt ophalen.\n" in (
        _text(one, "nl", closed).body
    )
    assert "De apotheek laat u weten wanneer u deze medicijnen kunt ophalen.\n" in (
        _text(two, "nl", closed).body
    )
    assert "Marktplein 4, Lindewaard" in _text(one, "nl", closed).body


def test_the_answer_on_a_line_says_how_the_rest_of_the_order_stands() -> None:
    """Given one approved, one refused and two reviewed lines; when a person approves one of these."""
    first = decided(_numbered(RISKY, 1), EARLY, _numbered(METFORMINE, 3), _numbered(RISKY, 4))
    order = _after(first)
    text = _text(line_decided(Outcome.APPROVED, medicine=RISKY.medicine), "nl", order=order)
    assert text.subject == f"Een deel van uw bestelling: {PICKUP_NL}"
    assert (
        "De rest van uw bestelling\n"
        "- Omeprazol 20 mg capsule: niet goedgekeurd (zie ons eerdere bericht)\n"
        "- Metformine 500 mg tablet: goedgekeurd (zie ons eerdere bericht)\n"
        "- Oxycodon 5 mg tablet: de praktijk kijkt hier nog naar\n"
    ) in text.body
    english = _text(line_decided(Outcome.APPROVED), "en", order=order)
    assert english.subject == f"Part of your order: {PICKUP_EN}"
    assert "- Oxycodon 5 mg tablet: the practice is still looking at this\n" in english.body


def test_the_answer_on_the_only_line_of_an_order_has_no_rest() -> None:
    text = _text(line_decided(Outcome.APPROVED), "nl", order=_after(decided(_numbered(RISKY, 1))))
    assert text.subject == f"Uw medicijn: {PICKUP_NL}"
    assert "De rest van" not in text.body


def test_the_next_step_of_a_line_in_review_is_given_once() -> None:
    text = _text(line_decided(Outcome.REVIEW, reasons=RISKY.reasons), "nl")
    assert text.body.count("U hoeft niets te doen") == 1


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("nl", "- Lactulose siroop (aantal: 300 ml)"),
        ("en", "- Lactulose siroop (quantity: 300 ml)"),
    ],
)
def test_an_approved_medicine_has_its_amount_with_the_unit(language: Language, shown: str) -> None:
    what = {"medicine": "Lactulose siroop", "quantity": Decimal(300), "unit": "ml"}
    first = decided(METFORMINE.model_copy(update=what))
    for event in (first, line_decided(Outcome.APPROVED, **what)):
        assert f"{shown}\n" in _text(event, language).body


def test_an_amount_of_less_than_one_and_one_without_a_unit() -> None:
    event = decided(METFORMINE.model_copy(update={"quantity": Decimal("0.4"), "unit": "ml"}))
    assert "(aantal: 0,4 ml)" in _text(event, "nl").body
    assert "(aantal: 90)" in _text(decided(METFORMINE), "nl").body


def test_a_medicine_that_the_order_named_otherwise_has_both_names() -> None:
    """Given an order with metformine's code and another name; in review, and approved after that."""
    otherwise = {"ordered_as": "Oxycodon tablet mga 80 mg"}
    reason = Reason(code=ReasonCode.NAME_CONTRADICTS_CODE)
    in_review = a_line("Metformine 500 mg tablet", Outcome.REVIEW, reason)
    first = decided(in_review.model_copy(update=otherwise))
    for event in (first, line_decided(Outcome.APPROVED, **otherwise)):
        assert "\n  In uw bestelling stond: Oxycodon tablet mga 80 mg\n" in _text(event, "nl").body
        assert "\n  Your order said: Oxycodon tablet mga 80 mg\n" in _text(event, "en").body


def test_an_approval_that_the_overview_overruled_is_not_explained_as_one() -> None:
    """Given an assistant who approved a line; when the medicine had been stopped; then only that is said."""
    stopped = (Reason(code=ReasonCode.STOPPED_MEDICATION),)
    event = line_decided(
        Outcome.REFUSED, reasons=stopped, reviewed_as=Outcome.APPROVED, explanation="Akkoord."
    )
    body = _text(event, "nl").body
    assert "Dit medicijn is gestopt." in body
    assert "Akkoord." not in body


def test_contact_data_that_is_not_in_the_directory_is_left_out() -> None:
    text = _text(decided(METFORMINE), "nl", no_parties())
    assert "Uw apotheek laat u weten wanneer" in text.body
    assert text.body.endswith("Vragen?\nBel uw huisartsenpraktijk.\n")


def test_a_name_from_outside_cannot_add_lines_or_turn_the_text_around() -> None:
    """The medicine's name comes from a portal."""
    forged = a_line("Metformine\n\nVragen?\nBel 0900-1234 \u202ekcis", Outcome.APPROVED)
    text = _text(decided(forged), "nl")
    assert "- Metformine Vragen? Bel 0900-1234 kcis (aantal: 90)\n" in text.body


@pytest.mark.parametrize("outcome", Outcome)
def test_every_reason_and_outcome_has_a_tidy_text_without_codes(outcome: Outcome) -> None:
    plain: list[OrderEvent] = [
        decided(a_line("Metformine", outcome)),
        line_decided(outcome),
        *(cancelled(1, by=Actor(role=role, id="1")) for role in Role),
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
