"""Imports with entries that have flaws: what is published of them, and what counts as a change."""

import json
from typing import Any

import pytest

from schemas.records.medication import EntryFlaw, Medication, MedicationImport, Status
from tests.harness.made import METFORMINE, OMEPRAZOL, PRACTICE, entry
from tests.unit.medication.story import Story, body_of, given, import_of, set_status

ONE = entry(METFORMINE)
OTHER = entry(OMEPRAZOL)


def sent(entry: Medication, **wrong: Any) -> dict[str, Any]:
    """An entry as a practice's system sends it, with other values in some fields."""
    return entry.model_dump(mode="json") | wrong


def import_of_sent(*entries: Any) -> MedicationImport:
    """An import of entries as they are sent."""
    command = import_of().model_dump(mode="json") | {"medications": entries}
    return MedicationImport.model_validate_json(json.dumps(command))


def flaw_of(medicine: tuple[str, str], position: int, *fields: str, kept: bool) -> EntryFlaw:
    prk, name = medicine
    return EntryFlaw(position=position, prk=prk, medicine=name, fields=fields, kept=kept)


def test_an_entry_with_a_flaw_does_not_cost_the_others() -> None:
    story = Story().when(import_of_sent(sent(ONE, quantity=0), sent(OTHER))).then_published(1)

    published = body_of(story.published[0])
    assert published.medications == (OTHER,)
    assert published.flaws == (flaw_of(METFORMINE, 1, "quantity", kept=False),)


def test_an_entry_that_can_do_without_its_wrong_field_is_published_without_it() -> None:
    wrong = sent(ONE, days_supply="90", prescribed_on="voorjaar 1998")

    story = Story().when(import_of_sent(sent(OTHER), wrong)).then_published(1)

    published = body_of(story.published[0])
    assert published.medications == (OTHER, entry(METFORMINE, days_supply=None))
    flaw = flaw_of(METFORMINE, 2, "days_supply", "prescribed_on", kept=True)
    assert published.flaws == (flaw,)


def test_a_year_is_no_flaw() -> None:
    story = Story().when(import_of_sent(sent(ONE, prescribed_on="1998"))).then_published(1)

    assert (story.current().medications[0].prescribed_on, story.current().flaws) == ("1998", ())


def test_an_earlier_version_of_an_entry_with_a_flaw_is_not_kept() -> None:
    """The GP may have stopped it: that may be what could not be read."""
    story = given(import_of(ONE, OTHER))

    story.when(import_of_sent(sent(ONE, status="gestopt"), sent(OTHER))).then_published(2)

    assert story.current().medications == (OTHER,)
    assert story.work.history[-1].before == (ONE,)


def test_a_medicine_that_was_left_out_cannot_be_given_a_status() -> None:
    story = given(import_of_sent(sent(ONE, quantity=0), sent(OTHER)))

    story.when(set_status(Status.STOPPED, METFORMINE[0])).then_refused("unknown_medicine")


def test_the_same_list_with_the_same_flaws_changes_nothing() -> None:
    wrong = sent(ONE, quantity=0)
    story = given(import_of_sent(wrong, sent(OTHER)))

    story.when(import_of_sent(wrong, sent(OTHER))).then_nothing()
    story.when(import_of_sent(sent(OTHER), sent(ONE, quantity="180"))).then_nothing()


def test_another_flaw_is_a_change_also_when_the_medicines_stay() -> None:
    story = given(import_of_sent(sent(ONE, quantity=0), sent(OTHER)))

    story.when(import_of_sent(sent(ONE, unit=""), sent(OTHER))).then_published(2)

    last = story.work.history[-1]
    assert (last.before, last.after) == ((), ())
    assert last.flaws == (flaw_of(METFORMINE, 1, "unit", kept=False),)


def test_a_flaw_is_gone_when_the_entry_is_sent_right() -> None:
    story = given(import_of_sent(sent(ONE, quantity=0), sent(OTHER)))

    story.when(import_of_sent(sent(ONE), sent(OTHER))).then_published(2)

    assert (story.current().medications, story.current().flaws) == ((ONE, OTHER), ())


def test_a_status_leaves_the_flaws_as_they_are() -> None:
    story = given(import_of_sent(sent(ONE, quantity=0), sent(OTHER)))

    story.when(set_status(Status.STOPPED, OMEPRAZOL[0])).then_published(2)

    flaws = (flaw_of(METFORMINE, 1, "quantity", kept=False),)
    assert (story.current().flaws, story.work.history[-1].flaws) == (flaws, flaws)


def test_a_change_with_a_flaw_that_is_repeated_does_nothing() -> None:
    command = import_of_sent(sent(ONE, quantity=0), sent(OTHER))

    given(command).when(command).then_nothing()


@pytest.mark.parametrize("other", [{"unit": ""}, {"quantity": 0, "dosage": "zo nodig"}, {}])
def test_another_list_under_the_same_id_is_refused(other: dict[str, Any]) -> None:
    first = import_of_sent(sent(ONE, quantity=0), sent(OTHER))
    second = import_of_sent(sent(ONE, **other), sent(OTHER))
    again = second.model_copy(update={"change_id": first.change_id})

    given(first).when(again).then_refused("change_conflict")


def test_a_year_of_a_review_keeps_the_stored_one() -> None:
    reviewed = sent(ONE) | {"reviewed_at": "2026-06-01T09:30:00Z"}
    story = given(import_of_sent(reviewed))

    story.when(import_of_sent(sent(ONE, reviewed_at="2026"))).then_published(2)

    assert story.current().practice == PRACTICE
    assert story.current().medications[0].reviewed_at is not None
