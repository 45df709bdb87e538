"""One medicine several times in an overview: as two dosages on other days, or once stopped and once chronic."""

from datetime import UTC, datetime

from schemas.records.medication import Medication, Status
from tests.harness.made import METFORMINE, OMEPRAZOL, entry
from tests.unit.medication.story import Story, body_of, given, import_of, set_status

MORNING = entry(METFORMINE, dosage="ma, wo, vr: 1x daags 1")
EVENING = entry(METFORMINE, dosage="overige dagen: 2x daags 1")
STOPPED = entry(METFORMINE, Status.STOPPED)
REVIEWED = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)


def _medications(story: Story) -> tuple[Medication, ...]:
    return story.current().medications


def test_two_dosages_of_one_medicine_are_both_in_the_overview() -> None:
    story = Story().when(import_of(MORNING, EVENING, entry(OMEPRAZOL))).then_published(1)

    assert body_of(story.published[0]).medications == (MORNING, EVENING, entry(OMEPRAZOL))


def test_a_medicine_may_be_stopped_once_and_chronic_once() -> None:
    story = Story().when(import_of(STOPPED, entry())).then_published(1)

    assert [m.status for m in _medications(story)] == [Status.STOPPED, Status.CHRONIC]


def test_the_same_entries_in_another_order_change_nothing() -> None:
    given(import_of(MORNING, EVENING)).when(import_of(EVENING, MORNING)).then_nothing()


def test_one_of_two_entries_that_is_gone_is_a_change() -> None:
    story = given(import_of(MORNING, EVENING)).when(import_of(EVENING)).then_published(2)

    assert _medications(story) == (EVENING,)


def test_two_entries_with_nothing_different_are_one() -> None:
    story = Story().when(import_of(MORNING, EVENING, MORNING)).then_published(1)

    assert _medications(story) == (MORNING, EVENING)
    story.when_read_back().when(import_of(MORNING, EVENING)).then_nothing()


def test_the_history_has_the_changed_entry_and_not_the_other_of_the_same_medicine() -> None:
    story = given(import_of(MORNING, EVENING))
    changed = entry(METFORMINE, dosage="2x daags 1")

    story.when(import_of(MORNING, changed)).then_published(2)

    last = story.work.history[-1]
    assert (last.before, last.after) == ((EVENING,), (changed,))


def test_a_second_entry_of_a_medicine_is_an_addition_in_the_history() -> None:
    story = given(import_of(MORNING)).when(import_of(MORNING, EVENING)).then_published(2)

    assert (story.work.history[-1].before, story.work.history[-1].after) == ((), (EVENING,))


def test_stopping_a_medicine_stops_all_its_entries() -> None:
    story = given(import_of(MORNING, EVENING, entry(OMEPRAZOL)))

    story.when(set_status(Status.STOPPED)).then_published(2)

    assert [m.status for m in _medications(story)] == ["stopped", "stopped", "chronic"]
    assert len(story.work.history[-1].before or ()) == 2


def test_a_status_is_set_for_the_entries_in_use_and_not_for_one_that_was_stopped_before() -> None:
    story = given(import_of(STOPPED, MORNING))

    story.when(set_status(Status.TEMPORARY)).then_published(2)

    assert [m.status for m in _medications(story)] == [Status.STOPPED, Status.TEMPORARY]


def test_the_status_that_the_entries_in_use_have_changes_nothing() -> None:
    given(import_of(STOPPED, MORNING)).when(set_status(Status.CHRONIC)).then_nothing()


def test_a_status_is_set_for_all_entries_of_a_medicine_that_are_all_stopped() -> None:
    story = given(import_of(MORNING, EVENING), set_status(Status.STOPPED))

    story.when(set_status(Status.CHRONIC)).then_published(3)

    assert _medications(story) == (MORNING, EVENING)


def test_entries_that_a_status_makes_the_same_become_one() -> None:
    story = given(import_of(STOPPED, entry()))

    story.when(set_status(Status.STOPPED)).then_published(2)

    assert _medications(story) == (STOPPED,)
    last = story.work.history[-1]
    assert (last.before, last.after) == ((entry(),), ())


def test_a_stored_review_is_kept_for_each_entry_of_its_medicine() -> None:
    """A review is of the medicine: when one of its entries changes, none of them loses the date."""
    story = given(import_of(entry(reviewed_at=REVIEWED)))

    story.when(import_of(MORNING, EVENING)).then_published(2)

    assert [m.reviewed_at for m in _medications(story)] == [REVIEWED, REVIEWED]


def test_of_several_stored_reviews_of_a_medicine_the_latest_is_kept() -> None:
    earlier = REVIEWED.replace(year=2025)
    both = (
        entry(dosage="1x daags 1", reviewed_at=REVIEWED),
        entry(dosage="2x daags 1", reviewed_at=earlier),
    )
    for stored in (both, both[::-1]):
        story = given(import_of(*stored))
        story.when(import_of(MORNING)).then_published(2)
        assert _medications(story)[0].reviewed_at == REVIEWED


def test_a_prk_code_padded_with_zeros_is_the_same_medicine() -> None:
    padded = (METFORMINE[0].zfill(8), METFORMINE[1])
    story = given(import_of(entry(padded), MORNING))

    story.when(import_of(entry(), MORNING)).then_nothing()
    story.when(set_status(Status.STOPPED, padded[0])).then_published(2)

    assert [m.status for m in _medications(story)] == ["stopped", "stopped"]
