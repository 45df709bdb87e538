"""The rules on one line: which reasons hold, and the outcome."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from schemas.reasons import ReasonCode
from schemas.records.directory import Approver, AutoApprove, Policy
from schemas.records.medication import Status
from schemas.records.orders import OrderDecided, OrderState, Outcome
from schemas.records.prescriptions import PrescriptionApproved
from services.ordering.domain.order import state_of
from tests.harness.made import AMOXICILLINE, METFORMINE, OMEPRAZOL, an_order, entry
from tests.unit.ordering.story import (
    ANNA,
    Expected,
    approved,
    e_consult,
    given,
    overview,
    refused,
    repeat_service,
    review,
    waits,
)

TEMPORARY = ReasonCode.TEMPORARY_MEDICATION
STOPPED = ReasonCode.STOPPED_MEDICATION
COVERED = ReasonCode.COVERED_BY_REPEAT_SERVICE
MISSING = ReasonCode.NOT_IN_OVERVIEW
ELSEWHERE = ReasonCode.OTHER_PRACTICE
NO_PHARMACY = ReasonCode.UNKNOWN_PHARMACY
HIGH_RISK = ReasonCode.HIGH_RISK_MEDICATION
REMARK = ReasonCode.REMARK_NEEDS_READING
LARGER = ReasonCode.LARGER_SUPPLY
QUANTITY = ReasonCode.QUANTITY_ABOVE_LIMIT
OTHER_NAME = ReasonCode.NAME_CONTRADICTS_CODE
TWICE = ReasonCode.MEDICINE_TWICE

OXYCODON = "Oxycodon tablet mga 80 mg"

HOLIDAY = date(2027, 2, 1)
LENIENT = Policy(
    auto_approve=AutoApprove.ALL_PLAIN,
    approver_class_b=Approver.POLICY,
    most_times_usual=Decimal(100),
    too_early_days=0,
)
"""The least that a practice can have a person look at."""


def test_chronic_medication_is_approved() -> None:
    given(overview(entry())).when(an_order(ANNA)).then(approved())


def test_temporary_medication_is_refused() -> None:
    stored = overview(entry(status=Status.TEMPORARY))
    given(stored).when(an_order(ANNA)).then(refused(TEMPORARY))


def test_stopped_medication_is_refused() -> None:
    stored = overview(entry(status=Status.STOPPED))
    given(stored).when(an_order(ANNA)).then(refused(STOPPED))


def test_a_medicine_that_is_not_in_the_overview_leads_to_an_e_consult() -> None:
    given(overview(entry(METFORMINE))).when(an_order(ANNA, OMEPRAZOL)).then(e_consult())


def test_an_empty_overview_leads_to_an_e_consult_and_not_to_waiting() -> None:
    empty = overview().model_copy(update={"medications": ()})
    given(empty).when(an_order(ANNA)).then(e_consult())


def test_another_spelling_of_the_name_is_the_same_medicine() -> None:
    respelt = (METFORMINE[0], "METFORMINE tabl 500MG")
    given(overview(entry(METFORMINE))).when(an_order(ANNA, respelt)).then(approved())


def test_a_name_that_contradicts_the_code_goes_to_a_person_and_never_to_the_pharmacy() -> None:
    """Given metformine's code with oxycodon's name; then the overview's name counts, the order's is kept."""
    story = given(overview(entry(METFORMINE)), policy=LENIENT)
    story.when(an_order(ANNA, (METFORMINE[0], OXYCODON))).then(review(OTHER_NAME))
    assert story.bodies(PrescriptionApproved) == []
    (event,) = story.bodies(OrderDecided)
    assert (event.lines[0].medicine, event.lines[0].ordered_as) == (METFORMINE[1], OXYCODON)


def test_a_prescription_has_the_overviews_name_dosage_and_unit() -> None:
    listed = entry(METFORMINE, dosage="2x daags 1", unit="stuk")
    story = given(overview(listed)).when(an_order(ANNA, (METFORMINE[0], "METFORMINE 500")))
    (prescription,) = story.bodies(PrescriptionApproved)
    assert (prescription.medicine, prescription.dosage, prescription.unit) == (
        *(METFORMINE[1], "2x daags 1", "stuk"),
    )
    assert prescription.ordered_as is None


def test_a_quantity_with_decimals_is_supplied_exactly() -> None:
    drops = entry(METFORMINE, quantity=Decimal("2.5"), unit="ml")
    order = an_order(ANNA)
    line = order.lines[0].model_copy(update={"quantity": Decimal("0.4")})
    story = given(overview(drops)).when(order.model_copy(update={"lines": (line,)}))
    (prescription,) = story.bodies(PrescriptionApproved)
    assert (prescription.quantity, prescription.unit) == (Decimal("0.4"), "ml")


@pytest.mark.parametrize(("quantity", "also"), [(90, []), (91, [QUANTITY])])
def test_the_same_medicine_twice_is_judged_together(quantity: int, also: list[ReasonCode]) -> None:
    """Given 180 as usual; then two lines go to a person, and twice 91 is also more than usual."""
    order = an_order(ANNA, METFORMINE, METFORMINE, quantity=quantity)
    story = given(overview(entry(quantity=180))).when(order)
    story.then(review(TWICE, *also), review(TWICE, *also))
    assert story.bodies(PrescriptionApproved) == []


def test_the_same_medicine_twice_is_seen_with_a_padded_code() -> None:
    order = an_order(ANNA, METFORMINE, ("00005487", METFORMINE[1]))
    given(overview(entry()), policy=LENIENT).when(order).then(review(TWICE), review(TWICE))


def test_a_medicine_in_another_pharmacys_repeat_service_goes_to_a_person() -> None:
    story = given(overview(entry(repeat_service=True)), policy=LENIENT, pharmacy_repeats=False)
    story.when(an_order(ANNA)).then(review(ReasonCode.OTHER_REPEAT_SERVICE))


@pytest.mark.parametrize("policy", [None, LENIENT])
def test_a_supply_until_a_day_that_is_over_goes_to_a_person(policy: Policy | None) -> None:
    yesterday = an_order(ANNA, supply_until=date(2026, 11, 22))
    given(overview(entry()), policy=policy).when(yesterday).then(
        review(ReasonCode.SUPPLY_DATE_PASSED)
    )


def test_a_supply_until_today_is_no_longer_supply_by_local_time() -> None:
    """Given half past midnight in Amsterdam, 23:30 UTC the day before; then that day is not over."""
    night = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    story = given(overview(entry())).when(an_order(ANNA, supply_until=date(2026, 11, 23)), at=night)
    story.then(review(LARGER))


def test_a_medicine_in_the_repeat_service_is_left_to_it() -> None:
    stored = overview(entry(repeat_service=True))
    given(stored).when(an_order(ANNA)).then(repeat_service())


def test_an_order_at_another_practice_than_the_patients_is_refused() -> None:
    stored = overview(entry(), practice="01999002")
    given(stored).when(an_order(ANNA)).then(refused(ELSEWHERE))


def test_a_pharmacy_that_is_not_connected_is_the_patients_right_and_goes_to_a_person() -> None:
    given(overview(), pharmacy_in_directory=False).when(an_order(ANNA)).then(review(NO_PHARMACY))


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"status": Status.TEMPORARY, "repeat_service": True}, [TEMPORARY, COVERED]),
        ({"status": Status.STOPPED, "repeat_service": True}, [STOPPED, COVERED]),
    ],
)
def test_a_line_carries_every_reason_and_a_refusal_outweighs_the_repeat_service(
    changes: dict[str, Any], reasons: list[ReasonCode]
) -> None:
    given(overview(entry(**changes))).when(an_order(ANNA)).then(refused(*reasons))


def test_reasons_of_the_order_and_of_the_medicine_come_together() -> None:
    stored = overview(entry(status=Status.STOPPED), practice="01999002")
    story = given(stored, pharmacy_in_directory=False)
    story.when(an_order(ANNA)).then(refused(ELSEWHERE, STOPPED))


def test_another_practice_outweighs_the_e_consult() -> None:
    stored = overview(entry(), practice="01999002")
    given(stored).when(an_order(ANNA, OMEPRAZOL)).then(refused(ELSEWHERE, MISSING))


def test_without_an_overview_an_order_waits() -> None:
    given().when(an_order(ANNA)).then(waits())


def test_an_order_for_a_pharmacy_that_is_not_connected_waits_for_its_overview_too() -> None:
    given(pharmacy_in_directory=False).when(an_order(ANNA)).then(waits())


def test_high_risk_medication_is_reviewed() -> None:
    given(overview(entry(high_risk=True))).when(an_order(ANNA)).then(review(HIGH_RISK))


def test_an_order_with_a_remark_is_reviewed() -> None:
    given(overview()).when(an_order(ANNA, remark="graag witte doosjes")).then(review(REMARK))


@pytest.mark.parametrize("remark", ["", "   ", "\n\t"])
def test_a_blank_remark_needs_no_reading(remark: str) -> None:
    given(overview()).when(an_order(ANNA, remark=remark)).then(approved())


def test_an_order_for_a_longer_period_is_reviewed() -> None:
    given(overview()).when(an_order(ANNA, supply_until=HOLIDAY)).then(review(LARGER))


def test_more_than_the_usual_quantity_is_reviewed() -> None:
    stored = overview(entry(quantity=90))
    given(stored).when(an_order(ANNA, quantity=91)).then(review(QUANTITY))


def test_the_usual_quantity_is_approved() -> None:
    given(overview(entry(quantity=90))).when(an_order(ANNA, quantity=90)).then(approved())


def test_a_line_in_review_carries_every_reason() -> None:
    stored = overview(entry(high_risk=True, quantity=90))
    order = an_order(ANNA, quantity=360, remark="vier maanden weg", supply_until=HOLIDAY)
    given(stored).when(order).then(review(HIGH_RISK, REMARK, LARGER, QUANTITY))


def test_whatever_the_policy_a_remark_and_a_longer_period_are_for_a_person() -> None:
    stored = overview(entry(high_risk=True, quantity=90))
    order = an_order(ANNA, quantity=360, remark="vier maanden weg", supply_until=HOLIDAY)
    given(stored, policy=LENIENT).when(order).then(review(REMARK, LARGER))


def test_a_practice_may_leave_more_than_usual_and_high_risk_to_its_policy() -> None:
    stored = overview(entry(high_risk=True, quantity=90))
    given(stored, policy=LENIENT).when(an_order(ANNA, quantity=360)).then(approved())


def test_a_practice_that_looks_at_everything_needs_no_reason() -> None:
    policy = Policy(approver=Approver.ASSISTANT)
    given(overview(), policy=policy).when(an_order(ANNA)).then(review())


def test_a_line_that_is_refused_is_not_reviewed() -> None:
    stored = overview(entry(status=Status.TEMPORARY, high_risk=True))
    policy = Policy(approver=Approver.ASSISTANT)
    given(stored, policy=policy).when(an_order(ANNA, remark="ja?")).then(refused(TEMPORARY))


def test_a_practice_that_is_not_in_the_directory_has_the_default_policy() -> None:
    stored = overview(entry(high_risk=True))
    given(stored, practice_in_directory=False).when(an_order(ANNA)).then(review(HIGH_RISK))


def test_each_line_is_decided_by_itself() -> None:
    stored = overview(entry(METFORMINE), entry(AMOXICILLINE, Status.TEMPORARY))
    story = given(stored).when(an_order(ANNA, METFORMINE, AMOXICILLINE, OMEPRAZOL))
    story.then(approved(), refused(TEMPORARY), e_consult())


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ([Outcome.APPROVED, Outcome.APPROVED], OrderState.APPROVED),
        ([Outcome.APPROVED, Outcome.REFUSED], OrderState.PARTLY_APPROVED),
        ([Outcome.APPROVED, Outcome.REPEAT_SERVICE], OrderState.PARTLY_APPROVED),
        ([Outcome.APPROVED, Outcome.REVIEW, Outcome.REFUSED], OrderState.IN_REVIEW),
        ([Outcome.REVIEW, Outcome.WAITING], OrderState.WAITING),
        ([Outcome.REFUSED, Outcome.E_CONSULT], OrderState.REFUSED),
        ([Outcome.E_CONSULT], OrderState.REFUSED),
        ([Outcome.REPEAT_SERVICE], OrderState.REFUSED),
    ],
)
def test_the_state_of_an_order_follows_from_its_lines(
    outcomes: list[Outcome], state: OrderState
) -> None:
    assert state_of(outcomes) is state


@pytest.mark.parametrize(
    ("expected", "prescriptions"), [(approved(), 1), (refused(TEMPORARY), 0), (e_consult(), 0)]
)
def test_exactly_the_approved_lines_lead_to_prescriptions(
    expected: Expected, prescriptions: int
) -> None:
    stored = overview(entry(METFORMINE), entry(AMOXICILLINE, Status.TEMPORARY))
    of = {Outcome.APPROVED: METFORMINE, Outcome.REFUSED: AMOXICILLINE}
    story = given(stored).when(an_order(ANNA, of.get(expected[0], OMEPRAZOL)))
    story.then(expected)
    assert len(story.bodies(PrescriptionApproved)) == prescriptions
