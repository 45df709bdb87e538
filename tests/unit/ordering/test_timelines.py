"""Timelines: who or which rule did what, in words, for a practice and for a patient."""

from datetime import date
from typing import Literal
from uuid import UUID

import pytest
from msgspec.structs import replace

from schemas.api.explanations import TimelineView
from schemas.base import Actor, PlacedBy, Role
from schemas.reasons import LANGUAGES, Language
from schemas.records.directory import Policy
from schemas.records.medication import Status
from schemas.records.orders import (
    OrderCancel,
    OrderEscalated,
    OrderFulfilment,
    OrderReview,
    OrderTimer,
    Outcome,
    StatusSignal,
)
from services.ordering.domain.journal import note_of
from services.ordering.domain.past import Past, past_of
from services.ordering.explanations.reader import Reader
from services.ordering.intake import Received
from services.ordering.timelines import texts
from services.ordering.timelines.views import received, timeline
from tests.harness.made import AMOXICILLINE, GP, METFORMINE, an_order, entry
from tests.unit.ordering.pasts import PATIENT_READS, PRACTICE_READS, past
from tests.unit.ordering.story import ANNA, NOON, Story, given, later, overview

ORDER = an_order(ANNA)
RISKY = entry(high_risk=True)
STOPPED = entry(status=Status.STOPPED)
BY_RULES = "Approved by the practice's rules."
PLACED = "The patient placed the order."

Decided = Literal[Outcome.APPROVED, Outcome.REFUSED]


def told(*batches: Story, reader: Reader = PRACTICE_READS) -> TimelineView:
    return timeline(past(*batches), reader)


def texts_of(view: TimelineView) -> list[str]:
    return [entry.text for entry in view.entries]


def review(outcome: Decided, explanation: str | None = None) -> OrderReview:
    return OrderReview(
        order_id=ORDER.order_id,
        patient=ANNA,
        line=1,
        outcome=outcome,
        decided_by=GP,
        explanation=explanation,
    )


def test_an_approved_order_was_placed_and_approved_at_the_same_moment() -> None:
    view = told(given(overview()).when(ORDER))
    assert texts_of(view) == [PLACED, BY_RULES]
    assert [(e.event, e.at, e.by) for e in view.entries] == [
        ("order.placed", NOON, Role.PATIENT),
        ("order.decided", NOON, Role.POLICY),
    ]
    assert view.complete


def test_lines_with_the_same_outcome_are_one_entry_that_says_why() -> None:
    story = given(overview(entry(), entry(AMOXICILLINE, Status.STOPPED)))
    story.when(an_order(ANNA, METFORMINE, AMOXICILLINE))
    _, approved, refused = told(story).entries
    assert [line.medicine for line in approved.lines] == [METFORMINE[1]]
    assert [line.line for line in refused.lines] == [2]
    assert refused.details == ["The medicine had been stopped."]


def test_a_review_by_a_person_has_their_words_and_role() -> None:
    story = given(overview(RISKY)).when(ORDER)
    after = story.next_batch().when(review(Outcome.REFUSED, "Eerst controle."), at=later(5))
    _, passed_on, refused = told(story, after).entries
    assert passed_on.text == "Passed on to a GP."
    assert (refused.text, refused.words) == ("A GP did not approve this.", "Eerst controle.")
    assert (refused.by, refused.by_id, refused.at) == (Role.GP, "gp-1", later(5))


def test_a_patient_is_told_the_role_and_never_who() -> None:
    story = given(overview(RISKY)).when(
        ORDER, through="mijn-portaal", source="urn:herhaal:ordering"
    )
    after = story.next_batch().when(review(Outcome.APPROVED), at=later(5))
    view = told(story, after, reader=PATIENT_READS)
    assert [entry.by for entry in view.entries] == [Role.PATIENT, Role.POLICY, Role.GP]
    assert {(entry.by_id, entry.through) for entry in view.entries} == {(None, None)}
    assert "gp-1" not in view.model_dump_json()


def test_an_order_that_waited_says_that_the_overview_came() -> None:
    story = given().when(ORDER)
    arrived = story.next_batch().when(overview(), at=later(3))
    assert texts_of(told(story, arrived)) == [
        PLACED,
        "Waits for the medication overview.",
        f"The medication overview has arrived. {BY_RULES}",
    ]


def test_an_overview_that_did_not_come_is_told_and_one_that_comes_later_too() -> None:
    story = given().when(ORDER)
    due = later(60)
    timer = OrderTimer(order_id=ORDER.order_id, patient=ANNA, kind="overview_overdue", due_at=due)
    late = story.next_batch().when(timer, at=due)
    came = late.next_batch().when(overview(), at=later(90))
    assert texts_of(told(story, late, came))[2:] == [
        "The medication overview did not arrive in time. Passed on to an assistant.",
        f"The medication overview has arrived. {BY_RULES}",
    ]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.APPROVED, "A GP kept the approval."),
        (Outcome.REFUSED, "A GP withdrew the approval."),
    ],
)
def test_a_medicine_that_is_stopped_later_is_told_with_what_a_person_did(
    outcome: Decided, said: str
) -> None:
    story = given(overview()).when(ORDER)
    stopped = story.next_batch().when(overview(STOPPED, version=2), at=later(5))
    decided = stopped.next_batch().when(review(outcome, "Gestopt."), at=later(9))
    assert texts_of(told(story, stopped, decided))[2:] == [
        "The medicine was stopped after it was approved. The practice looks at it.",
        said,
    ]


def test_a_patient_is_not_told_what_the_practice_looked_at_again_and_kept() -> None:
    story = given(overview()).when(ORDER)
    stopped = story.next_batch().when(overview(STOPPED, version=2), at=later(5))
    kept = stopped.next_batch().when(review(Outcome.APPROVED), at=later(9))
    assert texts_of(told(story, stopped, kept, reader=PATIENT_READS)) == [PLACED, BY_RULES]


def test_an_approval_that_the_rules_withdrew_says_why() -> None:
    story = given(overview(), policy=Policy(withdraw_when_stopped=True)).when(ORDER)
    stopped = story.next_batch().when(overview(STOPPED, version=2), at=later(5))
    last = told(story, stopped).entries[-1]
    assert last.text == "The approval was withdrawn: the medicine is no longer repeated."
    assert last.details == ["The medicine had been stopped."]


def test_a_cancellation_says_who_and_with_which_words() -> None:
    story = given(overview()).when(ORDER)
    by = Actor(role=Role.PROXY, id="usr-carla")
    command = OrderCancel(
        order_id=ORDER.order_id, patient=ANNA, cancelled_by=by, reason="Al opgehaald."
    )
    last = told(story, story.next_batch().when(command, at=later(2))).entries[-1]
    assert last.text == "Somebody on behalf of the patient cancelled the order."
    assert (last.words, last.by_id, [line.line for line in last.lines]) == (
        "Al opgehaald.",
        "usr-carla",
        [],
    )


def with_events(*events: OrderEscalated | OrderFulfilment) -> Past:
    """The past of an approved order to which these events happened too."""
    before = past(given(overview()).when(ORDER))
    order = replace(before.order, seq=1 + len(events))
    return past_of(order, [*before.notes, *map(note_of, events)])


def of_order(seq: int) -> dict[str, object]:
    """What every event of the order has."""
    return ORDER.model_dump(include={"order_id", "patient", "practice", "pharmacy", "channel"}) | {
        "seq": seq,
        "line": 1,
    }


def test_escalations_and_the_pharmacys_reports_are_told() -> None:
    escalated = OrderEscalated.model_validate(
        of_order(2) | {"to_role": "gp", "escalated_at": later(60)}
    )
    report = OrderFulfilment.model_validate(
        of_order(3) | {"status": "not_dispensed", "at": later(90), "reason": "Niet leverbaar."}
    )
    view = timeline(with_events(escalated, report), PRACTICE_READS)
    assert view.complete
    assert texts_of(view)[2:] == [
        "It waited too long. Passed on to a GP.",
        "The pharmacy did not dispense it.",
    ]
    assert view.entries[-1].words == "Niet leverbaar."


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_report_and_every_signal_has_its_words(language: Language) -> None:
    statuses = OrderFulfilment.model_fields["status"].annotation
    assert {*texts.REPORTS} == {*getattr(statuses, "__args__", ())}
    assert {*texts.SIGNALS} == {*StatusSignal}
    said = [each[language] for each in (*texts.REPORTS.values(), *texts.SIGNALS.values())]
    assert len({*said}) == len(said)


def test_an_order_from_before_the_journal_tells_what_its_state_says() -> None:
    """Given an order without notes, refused by a GP and then cancelled; then it says that is not all."""
    story = given(overview(RISKY, entry(AMOXICILLINE))).when(
        an_order(ANNA, METFORMINE, AMOXICILLINE, order_id=ORDER.order_id)
    )
    after = story.next_batch().when(review(Outcome.REFUSED, "Eerst controle."), at=later(5))
    by = Actor(role=Role.PATIENT, id=ANNA)
    gone = after.next_batch().when(
        OrderCancel(order_id=ORDER.order_id, patient=ANNA, cancelled_by=by), at=later(9)
    )
    view = timeline(past_of(gone.order, []), PATIENT_READS)
    assert not view.complete
    assert texts_of(view) == [
        PLACED,
        "A GP did not approve this.",
        "The patient cancelled the order.",
    ]
    assert [entry.at for entry in view.entries] == [NOON, later(5), later(9)]


def test_a_journal_with_a_gap_is_filled_from_the_state_and_says_so() -> None:
    """Given a restore that lost the first note; then the placing is told, and nothing twice."""
    story = given(overview(RISKY)).when(ORDER)
    after = story.next_batch().when(review(Outcome.APPROVED), at=later(5))
    whole = past(story, after)
    view = timeline(past_of(whole.order, whole.notes[1:]), PRACTICE_READS)
    assert not view.complete
    assert texts_of(view) == [PLACED, "A GP approved this."]


def test_an_order_that_is_not_decided_was_received() -> None:
    order = Received(UUID(int=7), ANNA, NOON, None, None)
    (only,) = received(order, Reader("nl", of_practice=False)).entries
    assert (only.at, only.text, only.by) == (NOON, "De bestelling is ontvangen.", None)


def test_an_assistant_who_orders_for_a_patient_is_told_as_such() -> None:
    order = an_order(ANNA, placed_by=PlacedBy(role=Role.ASSISTANT, id="usr-dirk"))
    first = told(given(overview()).when(order)).entries[0]
    assert (first.text, first.by_id) == ("An assistant placed the order.", "usr-dirk")


def test_a_check_that_is_due_is_told_with_the_decision() -> None:
    story = given(overview(entry(control_due=date(2026, 11, 1)))).when(ORDER)
    assert told(story).entries[-1].details == ["The check that belongs to this medicine is due."]
