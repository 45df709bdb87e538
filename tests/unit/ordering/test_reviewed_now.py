"""An approval is decided on the overview of its moment, not on that of the order's."""

from typing import Any

import pytest

from schemas.reasons import ReasonCode
from schemas.records.medication import Status
from schemas.records.orders import OrderLineDecided, Outcome
from schemas.records.prescriptions import PrescriptionApproved
from tests.harness.made import GP, METFORMINE, OMEPRAZOL, an_order, entry
from tests.unit.ordering.story import (
    ANNA,
    Expected,
    approved,
    e_consult,
    overview,
    refused,
    repeat_service,
    review,
)
from tests.unit.ordering.test_decisions import HIGH_RISK, TEMPORARY, decided, in_review


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ({"status": Status.STOPPED}, refused(ReasonCode.STOPPED_MEDICATION)),
        ({"status": Status.TEMPORARY}, refused(TEMPORARY)),
        ({"repeat_service": True}, repeat_service()),
        ({"prk": OMEPRAZOL[0]}, e_consult()),
    ],
)
def test_an_approval_is_decided_on_the_overview_of_that_moment(
    now: dict[str, Any], then: Expected
) -> None:
    """Given a line in review whose medicine is stopped meanwhile; when it is approved, it is not supplied."""
    order = an_order(ANNA)
    approval = decided(order).model_copy(update={"explanation": "mag"})
    story = in_review(order).when(overview(entry(**now), version=2)).when(approval)
    story.then(then)
    (event,) = story.bodies(OrderLineDecided)
    assert (event.decided_by, event.reviewed_as, event.explanation) == (GP, Outcome.APPROVED, None)
    assert story.bodies(PrescriptionApproved) == []
    story.when(approval).then_nothing()


def test_an_approval_at_another_practice_than_the_patients_now_is_refused() -> None:
    order = an_order(ANNA)
    moved = overview(entry(), practice="01999002", version=2)
    story = in_review(order).when(moved).when(decided(order))
    story.then(refused(ReasonCode.OTHER_PRACTICE))


def test_an_approval_without_an_overview_leaves_the_line_in_review() -> None:
    """Given an overview that is being read again, or was removed; then nothing can be decided on it."""
    order = an_order(ANNA)
    story = in_review(order).when_removed(ANNA).when(decided(order))
    assert story.rejected == "no_overview"
    story.then(review(HIGH_RISK))
    story.when(decided(order, outcome=Outcome.REFUSED)).then(refused())


def test_an_approved_line_is_supplied_with_the_dosage_of_that_moment() -> None:
    order = an_order(ANNA)
    story = in_review(order).when(overview(entry(dosage="1x daags 2", unit="tablet"), version=2))
    story.when(decided(order)).then(approved())
    (prescription,) = story.bodies(PrescriptionApproved)
    assert (prescription.dosage, prescription.unit) == ("1x daags 2", "tablet")


def test_an_earlier_name_in_the_overview_is_not_taken_for_the_orders() -> None:
    order = an_order(ANNA)
    renamed = overview(entry((METFORMINE[0], "Metformine Accord tablet")), version=2)
    story = in_review(order).when(renamed).when(decided(order))
    (prescription,) = story.bodies(PrescriptionApproved)
    assert (prescription.medicine, prescription.ordered_as) == ("Metformine Accord tablet", None)


def test_a_refusal_by_a_person_needs_no_overview() -> None:
    order = an_order(ANNA)
    story = in_review(order).when(overview(entry(status=Status.STOPPED), version=2))
    story.when(decided(order, outcome=Outcome.REFUSED)).then(refused())
    (event,) = story.bodies(OrderLineDecided)
    assert event.reviewed_as is None
