"""The message about a cancelled order: who cancelled it and why, and what to do now."""

from typing import Any

import pytest

from schemas.base import Actor, Role
from schemas.reasons import Language
from schemas.records.notifications import Kind
from schemas.records.orders import Outcome
from services.notification.domain.decisions import Decision, Parties, decide
from services.notification.domain.messages import Cancellation, PracticeContact
from services.notification.domain.order import Order, evolve
from services.notification.texts import CURRENT_VERSION, Text, Texts
from tests.unit.notification.made import (
    MONDAY,
    a_line,
    cancelled,
    decided,
    no_parties,
    parties,
)

TEXTS = Texts()

METFORMINE = a_line("Metformine 500 mg tablet", Outcome.APPROVED)
RISKY = a_line("Oxycodon 5 mg tablet", Outcome.REVIEW, number=2)
REFUSED = a_line("Amoxicilline 500 mg capsule", Outcome.REFUSED, number=3)
WHY = "Dit middel is niet leverbaar."


def _text(
    role: Role,
    language: Language = "nl",
    *lines: int,
    given: Parties | None = None,
    order: Order | None = None,
    **changes: Any,
) -> Text:
    event = cancelled(*(lines or (1,)), by=Actor(role=role, id="1"), **changes)
    before = order or evolve(None, decided(METFORMINE))
    decision = decide(event, before, given or parties(), MONDAY)
    assert isinstance(decision, Decision)
    assert decision.message is not None
    return _rendered(decision.message.facts, language)


def _rendered(facts: Any, language: Language = "nl") -> Text:
    return TEXTS.render(
        Kind.ORDER_CANCELLED, CURRENT_VERSION[Kind.ORDER_CANCELLED], facts, language
    )


def test_a_pharmacy_that_cancels_is_named_with_its_reason_and_is_to_be_called() -> None:
    text = _text(Role.PHARMACY, reason=WHY)
    assert text.subject == "Uw bestelling is geannuleerd"
    assert text.body == (
        "Apotheek De Gouden Vijzel heeft uw bestelling geannuleerd.\n"
        "\n"
        "De apotheek schrijft\n"
        "> Dit middel is niet leverbaar.\n"
        "\n"
        "Dit medicijn krijgt u niet\n"
        "- Metformine 500 mg tablet\n"
        "\n"
        "Ophalen\n"
        "U kunt dit medicijn niet meer ophalen. Hebben wij u een ophaaltijd gestuurd? Die geldt niet meer.\n"
        "\n"
        "Wat nu?\n"
        "Bestel nog niet opnieuw. Bel eerst de apotheek.\n"
        "\n"
        "Vragen?\n"
        "Bel Apotheek De Gouden Vijzel: 0123-456730\n"
    )


def test_the_english_text_about_a_pharmacy_that_cancels_says_the_same() -> None:
    body = _text(Role.PHARMACY, "en", reason=WHY).body
    assert body.startswith(
        "Apotheek De Gouden Vijzel has cancelled your order.\n\nThe pharmacy writes\n> Dit middel"
    )
    assert body.endswith(
        "What now?\nPlease do not order again yet. Call the pharmacy first.\n\n"
        "Questions?\nCall Apotheek De Gouden Vijzel: 0123-456730\n"
    )


def test_a_pharmacy_that_is_not_in_the_directory_is_your_pharmacy() -> None:
    body = _text(Role.PHARMACY, given=no_parties()).body
    assert body.startswith("Uw apotheek heeft uw bestelling geannuleerd.\n")
    assert body.endswith("Vragen?\nBel uw apotheek.\n")


@pytest.mark.parametrize(
    ("role", "nl", "en"),
    [
        (Role.PATIENT, "U heeft uw bestelling geannuleerd.", "You have cancelled your order."),
        (
            Role.PROXY,
            "Iemand die voor u medicijnen bestelt, heeft uw bestelling geannuleerd.",
            "Someone who orders medicines for you has cancelled your order.",
        ),
        (
            Role.ASSISTANT,
            "Huisartsenpraktijk De Linde heeft uw bestelling geannuleerd.",
            "Huisartsenpraktijk De Linde has cancelled your order.",
        ),
        (
            Role.GP,
            "De huisarts heeft uw bestelling geannuleerd.",
            "The GP has cancelled your order.",
        ),
        (
            Role.PHARMACY,
            "Apotheek De Gouden Vijzel heeft uw bestelling geannuleerd.",
            "Apotheek De Gouden Vijzel has cancelled your order.",
        ),
        (
            Role.POLICY,
            "Uw bestelling is automatisch geannuleerd, volgens een regel van de praktijk.",
            "Your order was cancelled automatically, by a rule of the practice.",
        ),
        (
            Role.SYSTEM,
            "Uw bestelling is automatisch geannuleerd.",
            "Your order was cancelled automatically.",
        ),
    ],
)
def test_the_message_begins_with_who_cancelled(role: Role, nl: str, en: str) -> None:
    assert _text(role).body.split("\n")[0] == nl
    assert _text(role, "en").body.split("\n")[0] == en


@pytest.mark.parametrize("role", [Role.PATIENT, Role.PROXY])
def test_who_cancelled_for_themselves_can_order_again_and_is_not_quoted(role: Role) -> None:
    body = _text(role, reason="Toch niet nodig.").body
    assert "Heeft u een medicijn toch nodig? Dan kunt u het opnieuw bestellen." in body
    assert "Toch niet nodig." not in body


@pytest.mark.parametrize("role", [Role.ASSISTANT, Role.GP, Role.POLICY, Role.SYSTEM])
def test_after_a_cancellation_by_the_practice_the_patient_calls_it_before_ordering_again(
    role: Role,
) -> None:
    body = _text(role, reason=WHY).body
    assert f"\n> {WHY}\n" in body
    assert "Heeft u een medicijn toch nodig? Bel dan eerst de praktijk." in body
    assert "opnieuw" not in body
    assert body.endswith("Bel Huisartsenpraktijk De Linde: 0123-456710\n")


def test_a_cancelled_order_whose_other_line_was_refused_is_cancelled_whole() -> None:
    order = evolve(None, decided(METFORMINE, RISKY, REFUSED))
    text = _text(Role.GP, "nl", 1, 2, order=order)
    assert text.subject == "Uw bestelling is geannuleerd"
    assert (
        "Deze medicijnen krijgt u niet\n"
        "- Metformine 500 mg tablet\n"
        "- Oxycodon 5 mg tablet\n"
        "\n"
        "De rest van uw bestelling\n"
        "- Amoxicilline 500 mg capsule: niet goedgekeurd (zie ons eerdere bericht)\n"
    ) in text.body


def test_a_cancellation_of_some_of_the_open_lines_is_about_a_part_of_the_order() -> None:
    order = evolve(None, decided(METFORMINE, RISKY))
    text = _text(Role.GP, "nl", 2, order=order)
    assert text.subject == "Een deel van uw bestelling is geannuleerd"
    assert text.body.startswith("De huisarts heeft een deel van uw bestelling geannuleerd.\n")
    assert "- Metformine 500 mg tablet: goedgekeurd (zie ons eerdere bericht)\n" in text.body
    assert "ophaaltijd" not in text.body
    english = _text(Role.PATIENT, "en", 2, order=order)
    assert english.subject == "Part of your order is cancelled"


def test_a_line_that_was_never_approved_has_no_pickup_to_withdraw() -> None:
    assert "Ophalen" not in _text(Role.GP, "nl", 2, order=evolve(None, decided(RISKY))).body


@pytest.mark.parametrize(
    ("by_practice", "who", "now"),
    [
        (
            True,
            "Huisartsenpraktijk De Linde heeft uw bestelling geannuleerd.",
            "Bel dan eerst de praktijk.",
        ),
        (False, "Uw bestelling is ingetrokken.", "Dan kunt u het opnieuw bestellen."),
    ],
)
def test_an_older_message_tells_whether_it_was_the_practice(
    by_practice: bool, who: str, now: str
) -> None:
    practice = PracticeContact("01999001", "Huisartsenpraktijk De Linde", "0123-456710")
    body = _rendered(Cancellation(practice, None, ("Metformine",), True, by_practice)).body
    assert body.startswith(f"{who}\n")
    assert now in body
