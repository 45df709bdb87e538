"""Another policy, tried on past orders: what changes, what does not, and what is not judged."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from msgspec.structs import replace

from schemas.api.policies import WhyNotJudged
from schemas.base import Body, Reviewer, Role
from schemas.reasons import ReasonCode
from schemas.records.directory import (
    Approver,
    AutoApprove,
    ExpiredAuthorisation,
    Policy,
    Remarks,
)
from schemas.records.medication import Authorisation, Status
from schemas.records.orders import OrderReview, OrderTimer, Outcome
from services.ordering.domain import rules
from services.ordering.domain.trial import MOST_EXAMPLES, Trial, judge
from tests.harness.made import GP, METFORMINE, OMEPRAZOL, an_order, entry
from tests.unit.ordering.story import ANNA, NOON, Story, given, later, overview
from tests.unit.ordering.trial_story import HISTORIES, POLICIES, lived, past, tried

AS_ALWAYS = Policy()
ALL_BY_GP = Policy(approver=Approver.GP)

History = list[tuple[Body, int]]


def reviewed(order: Body, quantity: int | None = None) -> OrderReview:
    """A GP approves the only line, of another quantity if given."""
    return OrderReview.model_validate(
        {
            "order_id": getattr(order, "order_id", None),
            "patient": ANNA,
            "line": 1,
            "outcome": Outcome.APPROVED,
            "quantity": quantity,
            "decided_by": GP,
        }
    )


@for_all(HISTORIES, POLICIES)
@settings(deadline=None, max_examples=300)
def test_the_policy_that_decided_changes_nothing(history: History, policy: Policy) -> None:
    """Given anything that can happen; then all lines are judged, and none is decided otherwise."""
    trial = tried(lived(history, policy), policy)
    assert (trial.changed, trial.not_judged.total(), trial.examples) == (0, 0, [])
    assert all(decided is after for decided, after in trial.outcomes)


@for_all(HISTORIES, POLICIES, POLICIES)
@settings(deadline=None, max_examples=200)
def test_the_sums_agree(history: History, policy: Policy, other: Policy) -> None:
    """Given any other policy; then the same lines are counted by outcome, policy and reviewer."""
    story = lived(history, policy)
    trial = tried(story, other)
    orders = story.work.orders.current.values()
    assert (trial.orders, trial.lines) == (len(orders), sum(len(o.lines) for o in orders))
    assert trial.judged == trial.policies.total()
    for counted, side in ((trial.reviewers_decided, 0), (trial.reviewers_tried, 1)):
        in_review = [n for c, n in trial.outcomes.items() if c[side] is Outcome.REVIEW]
        assert counted.total() == sum(in_review)
    otherwise = sum(n for (decided, after), n in trial.outcomes.items() if decided is not after)
    assert otherwise <= trial.changed <= trial.judged
    assert bool(trial.examples) is bool(trial.changed)
    assert len(trial.examples) <= min(trial.changed, MOST_EXAMPLES)


def only(story: Story, policy: Policy) -> tuple[Outcome, Outcome, int]:
    """(decided, tried, changed) of the only line."""
    trial = tried(story, policy)
    ((decided, after),) = trial.outcomes
    return decided, after, trial.changed


def test_what_a_gp_is_to_approve_counts_as_one_more_review() -> None:
    trial = tried(given(overview()).when(an_order(ANNA)), ALL_BY_GP)
    assert trial.outcomes == {(Outcome.APPROVED, Outcome.REVIEW): 1}
    assert (trial.reviewers_decided, trial.reviewers_tried) == ({}, {Reviewer.GP: 1})
    assert trial.changed == 1


def test_another_reviewer_of_the_same_outcome_is_a_change() -> None:
    story = given(overview(), policy=ALL_BY_GP).when(an_order(ANNA))
    trial = tried(story, Policy(approver=Approver.ASSISTANT))
    assert trial.outcomes == {(Outcome.REVIEW, Outcome.REVIEW): 1}
    assert (trial.changed, len(trial.examples)) == (1, 1)


def test_a_quantity_that_a_reviewer_made_smaller_is_judged_as_it_was_ordered() -> None:
    order = an_order(ANNA, quantity=400)
    story = given(overview()).when(order, reviewed(order, quantity=90))
    assert story.order.lines[0].quantity == 90
    assert only(story, AS_ALWAYS) == (Outcome.REVIEW, Outcome.REVIEW, 0)
    assert only(story, Policy(most_times_usual=Decimal(3)))[1] is Outcome.APPROVED


def test_a_medicine_that_got_another_name_since_is_judged_by_its_name_of_then() -> None:
    order = an_order(ANNA, METFORMINE, quantity=400)
    renamed = overview(entry((METFORMINE[0], "Oxycodon 80 mg tablet")), version=2)
    story = given(overview()).when(order, renamed, reviewed(order))
    assert story.order.lines[0].medicine == "Oxycodon 80 mg tablet"
    assert only(story, AS_ALWAYS)[2] == 0


def test_a_line_that_waited_is_judged_by_what_was_decided_in_the_end() -> None:
    story = given().when(an_order(ANNA)).when(overview(), at=later(10))
    assert only(story, AS_ALWAYS) == (Outcome.APPROVED, Outcome.APPROVED, 0)
    assert only(story, ALL_BY_GP)[:2] == (Outcome.APPROVED, Outcome.REVIEW)


def test_lines_that_waited_together_are_all_judged() -> None:
    """Given two lines whose overview comes; then what was known is kept once, and counts for both."""
    story = given().when(an_order(ANNA, METFORMINE, OMEPRAZOL))
    story.when(overview(entry(METFORMINE), entry(OMEPRAZOL)), at=later(10))
    trial = tried(story, AS_ALWAYS)
    assert (trial.outcomes, trial.changed) == ({(Outcome.APPROVED, Outcome.APPROVED): 2}, 0)


def test_a_line_that_was_withdrawn_later_is_judged_as_approved() -> None:
    withdrawing = Policy(withdraw_when_stopped=True)
    stopped = overview(entry(status=Status.STOPPED), version=2)
    story = given(overview(), policy=withdrawing).when(an_order(ANNA)).when(stopped, at=later(10))
    assert story.order.lines[0].outcome is Outcome.REFUSED
    assert only(story, withdrawing) == (Outcome.APPROVED, Outcome.APPROVED, 0)


def test_a_line_that_still_waits_is_judged_as_waiting() -> None:
    assert only(given().when(an_order(ANNA)), ALL_BY_GP) == (Outcome.WAITING, Outcome.WAITING, 0)


def test_a_line_that_waited_in_vain_is_no_review_of_the_policy() -> None:
    order = an_order(ANNA)
    timer = OrderTimer(
        order_id=order.order_id, patient=ANNA, kind="overview_overdue", due_at=later(60)
    )
    story = given().when(order).when(timer, at=later(60))
    assert story.order.lines[0].outcome is Outcome.REVIEW
    assert only(story, AS_ALWAYS) == (Outcome.WAITING, Outcome.WAITING, 0)


@pytest.mark.parametrize("until", [date(2027, 3, 1), date(2026, 5, 31)])
def test_h21_what_is_known_later_does_not_count(until: date) -> None:
    """Given an authorisation until 1 March 2027 when ordered, shortened after: the policy of then approves."""
    given_on = date(2026, 1, 5)
    before, after = [
        overview(
            entry(authorisation=Authorisation(by=Role.GP, on=given_on, until=day)), version=version
        )
        for version, day in enumerate([date(2027, 3, 1), until], start=1)
    ]
    ordered = NOON.replace(month=3, day=2)
    story = given(before).when(an_order(ANNA), at=ordered)
    story.when(after, at=ordered + timedelta(days=91))
    assert only(story, AS_ALWAYS) == (Outcome.APPROVED, Outcome.APPROVED, 0)


def test_h21_what_is_supplied_later_does_not_count() -> None:
    """Given a second order that was too early; then the first, approved one is not so."""
    story = given(overview()).when(an_order(ANNA))
    story.when(an_order(ANNA), at=NOON + timedelta(days=20))
    trial = tried(story, AS_ALWAYS)
    assert trial.changed == 0
    assert trial.reasons_decided == {ReasonCode.TOO_EARLY: 1}


def test_history_is_held_as_it_was() -> None:
    """Given a policy that refuses the first order: the second one is still too early after it."""
    story = given(overview(), policy=Policy(auto_approve=AutoApprove.ALL_PLAIN))
    story.when(an_order(ANNA)).when(an_order(ANNA), at=NOON + timedelta(days=20))
    trial = tried(story, Policy(remarks=Remarks.MANDATORY))
    assert trial.outcomes == {
        (Outcome.APPROVED, Outcome.REFUSED): 1,
        (Outcome.REFUSED, Outcome.REFUSED): 1,
    }
    assert trial.reasons_tried == {ReasonCode.TOO_EARLY: 1, ReasonCode.REMARK_MISSING: 2}


def test_a_line_whose_facts_are_not_known_any_more_is_no_difference() -> None:
    ((order, notes),) = past(given(overview()).when(an_order(ANNA)))
    trial = Trial()
    trial.add(judge(order, [replace(note, known=None) for note in notes], ALL_BY_GP))
    trial.add(judge(order, [], ALL_BY_GP))
    assert (trial.not_judged, trial.changed) == ({WhyNotJudged.FACTS_UNKNOWN: 2}, 0)


def test_a_line_that_other_rules_decided_is_not_judged() -> None:
    ((order, notes),) = past(given(overview()).when(an_order(ANNA)))
    trial = Trial()
    trial.add(judge(order, [replace(n, rules=rules.VERSION - 1) for n in notes], ALL_BY_GP))
    assert (trial.not_judged, trial.judged) == ({WhyNotJudged.OTHER_RULES: 1}, 0)


def test_examples_are_of_several_kinds() -> None:
    """Given many lines of one change and then one of another; then the other one is among the examples."""
    over = Authorisation(by=Role.GP, on=date(2025, 1, 1), until=date(2026, 1, 1))
    patients = [f"pat_other{n:04d}" for n in range(MOST_EXAMPLES)]
    story = given(
        *[overview(patient=patient) for patient in patients],
        overview(entry(authorisation=over)),
    )
    story.when(*[an_order(patient) for patient in (*patients, ANNA)])
    refuse = ExpiredAuthorisation.REFUSE
    trial = tried(story, Policy(approver=Approver.GP, expired_authorisation=refuse))
    assert trial.changed == MOST_EXAMPLES + 1
    kinds = {(each.decided.outcome, each.tried.outcome) for each in trial.examples}
    assert kinds == {(Outcome.APPROVED, Outcome.REVIEW), (Outcome.REVIEW, Outcome.REFUSED)}
    assert len(trial.examples) == 6
