"""Explanations: which rules were asked, on which facts, and what each said, as the journal kept it."""

from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from schemas.api.explanations import DecisionView, ExplanationView, RuleView
from schemas.base import Role
from schemas.records.directory import Approver, Policy
from schemas.records.medication import Authorisation, Dispensed, Status
from schemas.records.orders import OrderReview, OrderTimer, Outcome
from services.ordering.domain import rules
from services.ordering.domain.past import past_of
from services.ordering.explanations.explain import PolicyOf, explanation
from services.ordering.explanations.reader import Reader
from tests.harness.made import (
    AMOXICILLINE,
    GP,
    METFORMINE,
    OMEPRAZOL,
    a_cancellation,
    an_order,
    entry,
)
from tests.unit.ordering.pasts import PATIENT_READS, PRACTICE_READS, known_policy, past
from tests.unit.ordering.story import ANNA, NOON, Story, given, later, overview

ORDER = an_order(ANNA)
KNOWN = known_policy()
NOT_KNOWN: PolicyOf = known_policy(version=99)


def explained(
    *batches: Story, policy_of: PolicyOf = KNOWN, reader: Reader = PRACTICE_READS
) -> ExplanationView:
    return explanation(past(*batches), policy_of, reader)


def only(view: ExplanationView) -> DecisionView:
    (decision,) = view.decisions
    return decision


def rule_of(decision: DecisionView, name: str) -> RuleView:
    return next(rule for rule in decision.lines[0].rules if rule.rule == name)


def facts_of(rule: RuleView) -> dict[str, str]:
    return {fact.label: fact.value for fact in rule.facts}


def reviewed(outcome: Outcome, **changes: object) -> OrderReview:
    fields = {"order_id": ORDER.order_id, "patient": ANNA, "line": 1, "decided_by": GP}
    return OrderReview.model_validate(fields | {"outcome": outcome} | changes)


def test_an_approved_line_was_asked_every_rule_in_the_order_of_the_table() -> None:
    decision = only(explained(given(overview(version=7)).when(ORDER)))
    (line,) = decision.lines
    assert (line.outcome, line.text) == (Outcome.APPROVED, "Approved by the practice's rules.")
    assert [rule.rule for rule in line.rules] == [rule.name for rule in rules.RULES]
    assert [rule.version for rule in line.rules] == [rule.version for rule in rules.RULES]
    assert not any(rule.held for rule in line.rules)
    assert (decision.by, decision.at, decision.not_kept) == (Role.POLICY, NOON, [])
    assert (decision.versions.rules, decision.versions.overview) == (rules.VERSION, 7)
    assert (decision.versions.policy, decision.versions.medicines) == (3, None)


def test_a_refused_line_says_which_rule_held_with_its_facts_and_no_review_was_asked() -> None:
    supply = Dispensed(on=date(2026, 11, 1), quantity=Decimal(90), days=90)
    medicine = entry(dosage="1x daags 1", days_supply=None, dispensed=(supply,))
    line = only(explained(given(overview(medicine)).when(ORDER))).lines[0]
    assert [rule.rule for rule in line.rules] == [rule.name for rule in rules.REFUSALS]
    (held,) = [rule for rule in line.rules if rule.held]
    assert held.rule == "too_early"
    assert held.answer == (
        "There was enough of the medicine, and the order did not say why more is needed already."
    )
    assert facts_of(held) == {
        "Supply lasts until": "29 January 2027",
        "Last supply is for": "90 days",
        "Can be ordered from": "15 January 2027",
        "Ordered on": "23 November 2026",
        "Class of the medicine": "C: ordinary",
        "Remark in the order": "no",
        "Supply asked for until": "none",
    }


def test_the_facts_are_those_of_the_decision_whatever_the_overview_says_today() -> None:
    """Given a refusal of a temporary medicine, that is chronic since; then it says temporary."""
    story = given(overview(entry(status=Status.TEMPORARY))).when(ORDER)
    later_batch = story.next_batch().when(overview(entry(), version=2), at=later(5))
    rule = rule_of(only(explained(story, later_batch)), "temporary")
    assert (rule.held, facts_of(rule)) == (True, {"Status of the medicine": "temporary"})


def test_what_a_practice_chose_is_told_only_while_that_is_known() -> None:
    """Given another policy since; then it says so, and facts of the policy are left out."""
    policy = Policy(approver=Approver.ASSISTANT)
    story = given(overview(), policy=policy).when(ORDER)
    told = only(explained(story, policy_of=known_policy(policy)))
    assert facts_of(rule_of(told, "everything_reviewed")) == {
        "An ordinary repeat is decided by": "an assistant"
    }
    forgotten = only(explained(story, policy_of=NOT_KNOWN))
    rule = rule_of(forgotten, "everything_reviewed")
    assert (rule.held, rule.facts) == (True, [])
    assert forgotten.not_kept == ["The practice's choices of then are not kept any more."]


def test_a_patient_reads_what_held_and_nothing_of_the_practices_choices() -> None:
    medicine = entry(authorisation=Authorisation(by=Role.GP, on=NOON.date(), until=NOON.date()))
    overdue = medicine.model_copy(update={"control_due": date(2026, 1, 1)})
    line = only(explained(given(overview(overdue)).when(ORDER), reader=PATIENT_READS)).lines[0]
    assert [rule.rule for rule in line.rules] == ["control_long_overdue"]
    assert facts_of(line.rules[0]) == {
        "Check due on": "1 January 2026",
        "Decided on": "23 November 2026",
    }


def test_each_line_has_its_own_rules() -> None:
    story = given(overview(entry(), entry(AMOXICILLINE, Status.STOPPED)))
    story.when(an_order(ANNA, METFORMINE, AMOXICILLINE, OMEPRAZOL))
    decision = only(explained(story, reader=PATIENT_READS))
    assert [[rule.rule for rule in line.rules] for line in decision.lines] == [
        [],
        ["stopped"],
        ["not_in_overview"],
    ]


def test_a_later_decision_by_the_rules_is_explained_too() -> None:
    """Given an order that waits; when the overview comes; then both decisions are there, with their facts."""
    story = given().when(ORDER)
    arrived = story.next_batch().when(overview(version=9), at=later(3))
    first, second = explained(story, arrived).decisions
    assert rule_of(first, "overview_not_arrived").held
    assert first.lines[0].outcome is Outcome.WAITING
    assert second.lines[0].text == (
        "The medication overview has arrived. Approved by the practice's rules."
    )
    assert (second.at, second.versions.overview) == (later(3), 9)
    assert len(second.lines[0].rules) == len(rules.RULES)


def test_lines_that_an_overview_decides_together_are_one_decision() -> None:
    story = given().when(an_order(ANNA, METFORMINE, AMOXICILLINE))
    arrived = story.next_batch().when(overview(entry()), at=later(3))
    _, second = explained(story, arrived).decisions
    assert [line.outcome for line in second.lines] == [Outcome.APPROVED, Outcome.E_CONSULT]
    assert all(rule.facts for rule in second.lines[1].rules if rule.rule == "not_in_overview")


def test_a_missing_overview_sends_a_line_to_a_person_and_no_rule_is_asked() -> None:
    story = given().when(ORDER)
    due = later(60)
    timer = OrderTimer(order_id=ORDER.order_id, patient=ANNA, kind="overview_overdue", due_at=due)
    late = story.next_batch().when(timer, at=due)
    second = explained(story, late).decisions[-1]
    assert (second.by, second.lines[0].rules, second.not_kept) == (Role.SYSTEM, [], [])
    assert second.lines[0].text == (
        "The medication overview did not arrive in time. Passed on to an assistant."
    )


def test_what_a_person_decided_is_told_with_their_words_and_no_rules() -> None:
    story = given(overview(entry(high_risk=True))).when(ORDER)
    decided = story.next_batch().when(
        reviewed(Outcome.REFUSED, explanation="Eerst controle."), at=later(5)
    )
    first, second = explained(story, decided).decisions
    assert first.lines[0].text == "Passed on to a GP."
    assert (second.by, second.words) == (Role.GP, "Eerst controle.")
    assert (second.lines[0].text, second.lines[0].rules) == ("A GP did not approve this.", [])


def test_an_approval_that_the_overview_overruled_says_which_rule_held() -> None:
    story = given(overview(entry(high_risk=True))).when(ORDER)
    decided = story.next_batch().when(
        overview(entry(high_risk=True, status=Status.STOPPED), version=2), at=later(4)
    )
    approved = decided.next_batch().when(reviewed(Outcome.APPROVED), at=later(5))
    second = explained(story, decided, approved).decisions[-1]
    assert "had changed meanwhile" in second.lines[0].text
    (rule,) = second.lines[0].rules
    assert (rule.rule, rule.held, facts_of(rule)) == (
        "stopped",
        True,
        {"Status of the medicine": "stopped"},
    )


def test_an_approval_that_the_practices_rule_withdrew_says_why() -> None:
    policy = Policy(withdraw_when_stopped=True)
    story = given(overview(), policy=policy).when(ORDER)
    stopped = overview(entry(status=Status.STOPPED), version=2)
    after = story.next_batch().when(stopped, at=later(5))
    second = explained(story, after, policy_of=known_policy(policy)).decisions[-1]
    assert second.lines[0].text.startswith("The approval was withdrawn")
    assert [rule.rule for rule in second.lines[0].rules if rule.held] == ["stopped"]
    overruling = [rule.name for rule in rules.RULES if rule.overrules]
    assert [rule.rule for rule in second.lines[0].rules] == overruling


def test_the_quantity_is_that_of_then_whatever_a_person_made_of_it() -> None:
    story = given(overview(entry(high_risk=True))).when(ORDER)
    decided = story.next_batch().when(reviewed(Outcome.APPROVED, quantity=Decimal(30)), at=later(5))
    first = explained(story, decided).decisions[0]
    assert facts_of(rule_of(first, "larger_quantity"))["Ordered, all lines together"] == "90 stuk"


def test_the_orders_own_name_is_a_fact_only_where_it_was_another() -> None:
    other = an_order(ANNA, (METFORMINE[0], "Pantoprazol 40 mg"))
    named = only(explained(given(overview()).when(other)))
    assert facts_of(rule_of(named, "name_contradicts_code")) == {
        "Name in the order": "Pantoprazol 40 mg",
        "In the medication overview": METFORMINE[1],
    }
    plain = only(explained(given(overview()).when(ORDER)))
    assert [*facts_of(rule_of(plain, "name_contradicts_code"))] == ["In the medication overview"]


def test_an_order_whose_facts_are_gone_says_so_and_still_has_its_reasons() -> None:
    """Given an order from before the journal; then it is not complete, and says what is not kept."""
    story = given(overview(entry(status=Status.STOPPED))).when(ORDER)
    view = explanation(past_of(story.order, []), KNOWN, PRACTICE_READS)
    assert not view.complete
    decision = only(view)
    assert decision.not_kept == ["The facts that the rules read then are not kept any more."]
    (rule,) = decision.lines[0].rules
    assert (rule.rule, rule.held, rule.version, rule.facts) == ("stopped", True, None, [])


def test_a_journal_that_lost_its_first_note_still_explains_the_later_one() -> None:
    story = given().when(an_order(ANNA, METFORMINE, AMOXICILLINE))
    arrived = story.next_batch().when(overview(entry()), at=later(3))
    told = past(story, arrived)
    view = explanation(past_of(told.order, told.notes[2:]), KNOWN, PRACTICE_READS)
    assert not view.complete
    assert {line.line for decision in view.decisions for line in decision.lines} == {1, 2}


def test_rules_that_have_changed_since_are_not_told_as_those_of_then() -> None:
    told = past(given(overview(entry(status=Status.STOPPED))).when(ORDER))
    older = replace(told.notes[0], rules=rules.VERSION + 1)
    decision = only(explanation(past_of(told.order, [older]), KNOWN, PRACTICE_READS))
    assert decision.not_kept == [
        "The rules have changed since: only what held then can still be shown."
    ]
    (rule,) = decision.lines[0].rules
    assert (rule.rule, rule.version) == ("stopped", None)


def test_a_cancelled_order_keeps_the_explanation_of_its_decision() -> None:
    story = given(overview(entry(high_risk=True))).when(ORDER)
    gone = story.next_batch().when(a_cancellation(ORDER), at=later(1))
    decision = only(explained(story, gone))
    assert decision.lines[0].outcome is Outcome.REVIEW


def test_it_is_in_dutch_too() -> None:
    story = given(overview(entry(high_risk=True))).when(ORDER)
    line = only(explained(story, reader=Reader("nl", of_practice=False))).lines[0]
    assert line.text == "Voorgelegd aan een huisarts."
    (rule,) = line.rules
    assert rule.answer.startswith("Het medicijn heeft extra zorg nodig")
