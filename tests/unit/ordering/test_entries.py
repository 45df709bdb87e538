"""One medicine twice in an overview: the entries in use count, together."""

from decimal import Decimal
from typing import Any

import pytest

from schemas.reasons import ReasonCode
from schemas.records.medication import EntryFlaw, Status
from schemas.records.prescriptions import PrescriptionApproved
from services.ordering.domain.overview import Entry, entry_of, read_overview
from tests.harness.made import METFORMINE, OMEPRAZOL, an_order, entry
from tests.unit.ordering.story import ANNA, approved, e_consult, given, overview, review

WEEK = "2x daags 1, ma t/m vr"
WEEKEND = "1x daags 1, za en zo"
TWO = (entry(dosage=WEEK, quantity=130), entry(dosage=WEEKEND, quantity=26))


def metformine(*entries: Any) -> Entry | None:
    """What ordering reads of metformine in an overview with these entries."""
    return entry_of(read_overview(overview(*entries, entry(OMEPRAZOL))), METFORMINE[0])


def test_two_dosages_on_other_days_are_supplied_together() -> None:
    found = metformine(*TWO)
    assert found is not None
    assert (found.dosage, found.quantity) == (f"{WEEK}; {WEEKEND}", Decimal(156))


def test_the_pharmacy_reads_both_dosages() -> None:
    story = given(overview(*TWO)).when(an_order(ANNA, quantity=156))
    story.then(approved())
    (prescription,) = story.bodies(PrescriptionApproved)
    assert prescription.dosage == f"{WEEK}; {WEEKEND}"
    given(overview(*TWO)).when(an_order(ANNA, quantity=157)).then(
        review(ReasonCode.QUANTITY_ABOVE_LIMIT)
    )


@pytest.mark.parametrize("other", [Status.STOPPED, Status.TEMPORARY])
def test_what_is_chronic_counts_and_not_what_it_was_before(other: Status) -> None:
    was = entry(status=other, dosage="1x daags 2", quantity=500, high_risk=True)
    found = metformine(was, entry())
    assert found is not None
    assert (found.status, found.dosage, found.quantity) == (
        Status.CHRONIC,
        "1x daags 1",
        Decimal(180),
    )
    assert not found.high_risk


def test_a_renewed_prescription_counts_once() -> None:
    found = metformine(entry(prescribed_on=None), entry(quantity=90))
    assert found is not None
    assert (found.dosage, found.quantity) == ("1x daags 1", Decimal(180))


def test_quantities_in_other_units_are_not_added() -> None:
    found = metformine(entry(dosage=WEEK), entry(dosage=WEEKEND, quantity=3, unit="doos"))
    assert found is not None
    assert found.quantity == 3


def test_high_risk_and_repeat_service_hold_for_all_when_they_hold_for_one() -> None:
    found = metformine(
        entry(dosage=WEEK, high_risk=True), entry(dosage=WEEKEND, repeat_service=True)
    )
    assert found is not None
    assert found.high_risk
    assert found.repeat_service


def test_a_medicine_of_which_an_entry_was_left_out_goes_to_a_person() -> None:
    """Given two dosages of which one could not be used; then half the dosage is not supplied."""
    flaw = EntryFlaw(position=2, prk=METFORMINE[0], fields=("quantity",), kept=False)
    known = overview(entry(METFORMINE)).model_copy(update={"flaws": (flaw,)})
    given(known).when(an_order(ANNA)).then(review(ReasonCode.OVERVIEW_INCOMPLETE))


def test_a_flaw_of_a_kept_entry_or_of_another_medicine_changes_nothing() -> None:
    kept = EntryFlaw(position=1, prk=METFORMINE[0], fields=("prescribed_on",), kept=True)
    other = EntryFlaw(position=2, prk=OMEPRAZOL[0], fields=("quantity",), kept=False)
    known = overview(entry(METFORMINE)).model_copy(update={"flaws": (kept, other)})
    given(known).when(an_order(ANNA)).then(approved())


def test_dosages_that_do_not_fit_in_a_record_go_to_a_person() -> None:
    long = (entry(dosage="a" * 1500), entry(dosage="b" * 1500))
    given(overview(*long)).when(an_order(ANNA)).then(e_consult())
