"""What the practice sends itself, what was approved and is so no longer, and what it looked at and keeps."""

from datetime import date

import pytest

from schemas.base import Actor, Role
from schemas.reasons import LANGUAGES, Language, Reason, ReasonCode
from schemas.records.orders import OrderEvent, Outcome
from services.notification.domain.decisions import Decision, Parties, decide
from services.notification.domain.messages import Answer
from services.notification.domain.order import Order, evolve
from services.notification.texts import CURRENT_VERSION, Text, Texts
from tests.unit.notification.made import (
    MONDAY,
    a_line,
    a_practice,
    decided,
    line_decided,
    parties,
)

TEXTS = Texts()
METFORMINE = a_line("Metformine 500 mg tablet", Outcome.APPROVED)
SIMVASTATINE = a_line("Simvastatine 40 mg tablet", Outcome.APPROVED, number=2)
STOPPED = (Reason(code=ReasonCode.STOPPED_MEDICATION),)
SENT = {"sent_by_practice": True}
NOT_CONNECTED = Parties(a_practice(), None, parties().calendar)
"""A practice, and a pharmacy that is not in the directory."""


def _decision(
    event: OrderEvent, order: Order | None = None, given: Parties | None = None
) -> Decision:
    decision = decide(event, order, given or parties(), MONDAY)
    assert isinstance(decision, Decision)
    return decision


def _text(decision: Decision, language: Language) -> Text:
    assert decision.message is not None
    kind = decision.message.kind
    return TEXTS.render(kind, CURRENT_VERSION[kind], decision.message.facts, language)


def test_what_the_practice_sends_itself_has_no_pickup_and_says_who_knows() -> None:
    decision = _decision(decided(METFORMINE.model_copy(update=SENT)), given=NOT_CONNECTED)
    assert decision.promise is None
    text = _text(decision, "nl")
    assert text.subject == "Uw bestelling is goedgekeurd"
    assert text.body == (
        "De praktijk stuurt het recept zelf\n"
        "- Metformine 500 mg tablet (aantal: 90)\n"
        "Dit is goedgekeurd. Huisartsenpraktijk De Linde stuurt het recept zelf naar de apotheek "
        "die u koos.\n"
        "Wij weten niet wanneer het klaarligt. Vraag dat aan de apotheek.\n"
        "\n"
        "Vragen?\n"
        "Bel Huisartsenpraktijk De Linde: 0123-456710\n"
    )
    assert "sends the prescription itself to the pharmacy you chose" in _text(decision, "en").body


def test_an_order_of_both_kinds_says_both_and_promises_only_what_we_send() -> None:
    """Given one line that goes to the pharmacy and one that the practice sends; then each is under its own
    heading, and the promise is about the first."""
    decision = _decision(decided(METFORMINE, SIMVASTATINE.model_copy(update=SENT)))
    assert decision.promise is not None
    assert decision.promise.lines == (1,)
    text = _text(decision, "nl")
    assert text.subject.startswith("Een deel van uw bestelling: ophalen vanaf woensdag 25 november")
    assert "\n\nGoedgekeurd\n- Metformine 500 mg tablet (aantal: 90)\n\n" in text.body
    assert (
        "\n\nDe praktijk stuurt het recept zelf\n- Simvastatine 40 mg tablet (aantal: 90)\n"
        in text.body
    )


def test_a_line_that_is_approved_later_and_sent_by_the_practice_has_no_pickup_either() -> None:
    first = _decision(decided(a_line("Metformine 500 mg tablet", Outcome.REVIEW)))
    decision = _decision(line_decided(Outcome.APPROVED, **SENT), first.order)
    assert decision.promise is None
    text = _text(decision, "en")
    assert text.subject == "A medicine you ordered is approved"
    assert "Collecting" not in text.body
    assert "We do not know when it is ready. Please ask the pharmacy." in text.body


@pytest.mark.parametrize("by", [Role.GP, Role.POLICY])
def test_what_was_approved_and_is_withdrawn_is_told_with_whom_to_call(by: Role) -> None:
    """Given an approved line with a pickup window; when it is refused; then the window no longer holds."""
    first = _decision(decided(METFORMINE))
    reasons = STOPPED if by is Role.POLICY else ()
    words = None if by is Role.POLICY else "U gebruikt nu iets anders."
    event = line_decided(
        Outcome.REFUSED, reasons=reasons, explanation=words, decided_by=Actor(role=by, id="1")
    )
    decision = _decision(event, first.order)
    assert decision.promise is None
    text = _text(decision, "nl")
    assert text.subject == "Een medicijn dat was goedgekeurd, ligt toch niet voor u klaar"
    assert "Niet meer goedgekeurd\n- Metformine 500 mg tablet\n" in text.body
    assert "Dat geldt niet meer: het ligt niet voor u klaar." in text.body
    assert "Stuurden wij u een ophaaltijd? Die geldt niet meer." in text.body
    assert (
        "Wat nu?\nBel de praktijk. Doe dat ook als u het medicijn al heeft opgehaald." in text.body
    )
    assert (words or "Dit medicijn is gestopt.") in text.body
    assert "Bel Huisartsenpraktijk De Linde: 0123-456710" in text.body
    assert "A medicine that was approved will not be ready" in _text(decision, "en").subject


def test_the_window_of_the_rest_of_the_order_still_holds() -> None:
    first = _decision(decided(METFORMINE, SIMVASTATINE))
    decision = _decision(line_decided(Outcome.REFUSED, reasons=STOPPED), first.order)
    body = _text(decision, "nl").body
    assert "geldt alleen nog voor de rest van uw bestelling" in body
    assert "- Simvastatine 40 mg tablet: goedgekeurd (zie ons eerdere bericht)" in body


def test_what_was_refused_before_is_not_withdrawn() -> None:
    first = _decision(decided(a_line("Metformine 500 mg tablet", Outcome.REVIEW)))
    decision = _decision(line_decided(Outcome.REFUSED), first.order)
    assert decision.message is not None
    assert isinstance(decision.message.facts, Answer)
    assert not decision.message.facts.withdrawn


def test_what_the_practice_looked_at_again_and_keeps_is_no_news() -> None:
    """Given an approved line; when a person approves it again; then no message, and the first promise
    stands."""
    first = _decision(decided(METFORMINE))
    kept = _decision(line_decided(Outcome.APPROVED), first.order)
    assert (kept.message, kept.promise) == (None, None)
    assert kept.order == evolve(first.order, line_decided(Outcome.APPROVED))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", [ReasonCode.TOO_EARLY, ReasonCode.UNKNOWN_PATIENT])
def test_a_line_that_a_person_looks_at_asks_nothing_of_the_patient(
    code: ReasonCode, language: Language
) -> None:
    """Given a line in review that is early, or whose overview did not come; then wait, and order nothing."""
    reasons = (Reason(code=code, earliest_date=date(2026, 12, 10)),)
    for event in (
        decided(a_line("Metformine", Outcome.REVIEW, *reasons)),
        line_decided(Outcome.REVIEW, reasons=reasons),
    ):
        body = _text(_decision(event), language).body
        assert ("U hoeft niets te doen" if language == "nl" else "You need not do anything") in body
        assert "10 december" not in body.lower()


def test_outside_order_hours_the_times_of_the_practice_are_named() -> None:
    reason = Reason(code=ReasonCode.OUTSIDE_ORDER_HOURS, earliest_date=date(2026, 11, 30))
    decision = _decision(decided(a_line("Metformine", Outcome.REFUSED, reason)))
    assert (
        "Bestel het opnieuw vanaf maandag 30 november 2026, op de tijden van de praktijk.\n"
        in _text(decision, "nl").body
    )
