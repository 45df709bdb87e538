"""Imports and status changes: how they change an overview, and when they change nothing."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from schemas.base import Body
from schemas.records.medication import (
    MedicationRepeatService,
    MedicationReview,
    MedicationSweep,
    MedicationUndo,
    MedicationVisit,
    Status,
)
from tests.harness.made import AMOXICILLINE, GP, METFORMINE, OMEPRAZOL, PRACTICE, entry
from tests.unit.medication.story import ANNA, BERT, Story, body_of, given, import_of, set_status

OTHER_PRACTICE = "01999002"
CHANGE = UUID("0192aaaa-0000-7000-8000-000000000001")
REVIEWED = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)


def test_the_first_import_is_version_one_with_its_own_time_and_change() -> None:
    command = import_of(entry(METFORMINE), entry(OMEPRAZOL))

    story = Story().when(command).then_published(1)

    published = body_of(story.published[0])
    assert published.medications == command.medications
    assert published.practice == PRACTICE
    assert (published.change.change_id, published.change.kind) == (command.change_id, "import")
    assert published.change.by == GP
    assert published.changed_at.tzinfo is UTC


def test_an_import_replaces_the_whole_list() -> None:
    story = given(import_of(entry(METFORMINE), entry(OMEPRAZOL)))

    story.when(import_of(entry(AMOXICILLINE, Status.TEMPORARY))).then_published(2)

    assert [m.prk for m in story.current().medications] == [AMOXICILLINE[0]]


def test_an_import_may_empty_the_list() -> None:
    given(import_of(entry())).when(import_of()).then_published(2)


def test_an_import_without_a_difference_publishes_nothing() -> None:
    story = given(import_of(entry(METFORMINE), entry(OMEPRAZOL)))

    story.when(import_of(entry(METFORMINE), entry(OMEPRAZOL))).then_nothing()

    assert story.current().version == 1


def test_the_order_of_an_imported_list_does_not_matter() -> None:
    story = given(import_of(entry(METFORMINE), entry(OMEPRAZOL)))

    story.when(import_of(entry(OMEPRAZOL), entry(METFORMINE))).then_nothing()


def test_an_import_without_a_review_date_keeps_the_stored_one() -> None:
    story = given(import_of(entry(reviewed_at=REVIEWED)))

    story.when(import_of(entry())).then_nothing()
    story.when(import_of(entry(dosage="2x daags 1"))).then_published(2)

    assert story.current().medications[0].reviewed_at == REVIEWED


def test_an_import_with_a_newer_review_date_replaces_the_stored_one() -> None:
    story = given(import_of(entry(reviewed_at=REVIEWED)))
    newer = datetime(2026, 10, 1, tzinfo=UTC)

    story.when(import_of(entry(reviewed_at=newer))).then_published(2)

    assert story.current().medications[0].reviewed_at == newer


def test_an_import_from_another_practice_replaces_the_overview() -> None:
    story = given(import_of(entry(), practice=PRACTICE))

    story.when(import_of(entry(), practice=OTHER_PRACTICE)).then_published(2)

    assert story.current().practice == OTHER_PRACTICE


def test_setting_a_status_changes_that_medicine_and_no_other() -> None:
    story = given(import_of(entry(METFORMINE), entry(OMEPRAZOL)))

    story.when(set_status(Status.STOPPED, METFORMINE[0])).then_published(2)

    statuses = {m.prk: m.status for m in story.current().medications}
    assert statuses == {METFORMINE[0]: Status.STOPPED, OMEPRAZOL[0]: Status.CHRONIC}
    assert story.current().change.kind == "set_status"


def test_setting_the_status_that_a_medicine_has_changes_nothing() -> None:
    given(import_of(entry())).when(set_status(Status.CHRONIC)).then_nothing()


def test_a_status_for_a_patient_without_overview_is_refused() -> None:
    Story().when(set_status(Status.STOPPED)).then_refused("unknown_patient")


def test_a_status_for_a_medicine_that_is_not_in_the_overview_is_refused() -> None:
    story = given(import_of(entry(METFORMINE)))

    story.when(set_status(Status.STOPPED, OMEPRAZOL[0])).then_refused("unknown_medicine")


def test_a_refused_change_is_applied_when_it_is_repeated_after_the_cause_is_gone() -> None:
    command = set_status(Status.STOPPED)
    story = Story().when(command).then_refused("unknown_patient")

    story.when(import_of(entry()), command).then_published(1, 2)


def test_a_repeated_change_does_nothing_even_after_later_changes() -> None:
    stop, restart = set_status(Status.STOPPED), set_status(Status.CHRONIC)
    story = given(import_of(entry()), stop, restart)

    story.when(stop).then_nothing()

    assert story.current().medications[0].status is Status.CHRONIC


def test_the_change_id_of_an_import_without_a_difference_is_stored_too() -> None:
    nothing_new = import_of(entry())
    story = given(import_of(entry()), nothing_new, set_status(Status.STOPPED))

    story.when(nothing_new).then_nothing()


def test_another_change_under_the_same_id_is_refused() -> None:
    story = given(import_of(entry(), change_id=CHANGE))

    story.when(set_status(Status.STOPPED, change_id=CHANGE)).then_refused("change_conflict")


def test_two_patients_may_use_the_same_change_id() -> None:
    story = given(import_of(entry(), change_id=CHANGE))

    story.when(import_of(entry(), change_id=CHANGE, patient=BERT)).then_published(1)


@pytest.mark.parametrize(
    "command",
    [
        MedicationVisit(
            change_id=CHANGE, patient=ANNA, by=GP, practice=PRACTICE, visited_at=REVIEWED
        ),
        MedicationReview(change_id=CHANGE, patient=ANNA, by=GP, statuses=()),
        MedicationRepeatService(
            change_id=CHANGE, patient=ANNA, by=GP, prk=METFORMINE[0], enrolled=True
        ),
        MedicationUndo(change_id=CHANGE, patient=ANNA, by=GP, undoes=UUID(int=1)),
        MedicationSweep(change_id=CHANGE, patient=ANNA, by=GP, as_of=REVIEWED),
    ],
    ids=lambda command: command.TYPE,
)
def test_commands_that_are_not_implemented_become_dead_letters(command: Body) -> None:
    given(import_of(entry())).when(command).then_refused("not_handled")
