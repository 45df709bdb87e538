"""What medication does with its own topic: late writes are healed."""

from schemas.records.medication import Status
from tests.harness.made import METFORMINE, OMEPRAZOL, entry
from tests.unit.medication.story import (
    ANNA,
    Story,
    given,
    import_of,
    overview,
    set_status,
)

THREE_VERSIONS = (import_of(entry()), set_status(Status.STOPPED), set_status(Status.CHRONIC))


def test_reading_back_what_was_published_does_nothing_but_note_it() -> None:
    story = Story().when(*THREE_VERSIONS).when_read_back().then_nothing()

    assert story.patient().seen_version == 3


def test_a_late_write_is_followed_by_the_newest_overview_under_its_own_id() -> None:
    story = Story().when(*THREE_VERSIONS)
    newest = story.published[-1]
    story.when_read_back()

    story.when(overview(2)).then_published(3)

    again = story.published[0]
    assert again.value == newest.value
    assert dict(again.headers)["ce_id"] == dict(newest.headers)["ce_id"]
    assert dict(again.headers)["ce_time"] == dict(newest.headers)["ce_time"]


def test_every_late_write_is_healed_once_and_the_healing_itself_is_not_late() -> None:
    story = given(*THREE_VERSIONS)

    story.when(overview(2)).then_published(3)
    story.when_read_back().then_nothing()
    story.when(overview(1), overview(2)).then_published(3, 3)
    story.when_read_back().then_nothing()


def test_a_late_write_is_measured_against_the_topic_and_not_against_what_is_still_under_way() -> (
    None
):
    """Version 3 is decided but not on the topic yet: it follows by itself."""
    story = given(import_of(entry()), set_status(Status.STOPPED))
    story.when(set_status(Status.CHRONIC)).then_published(3)

    story.when(overview(2)).then_nothing()


def test_a_newer_overview_than_ours_is_not_taken_from_the_topic() -> None:
    """Our database was restored from an older backup: the changes come again, and lead to the same."""
    story = given(import_of(entry(METFORMINE)))

    story.when(overview(3, entry(OMEPRAZOL))).then_nothing()

    assert [m.prk for m in story.current().medications] == [METFORMINE[0]]


def test_changes_that_come_again_lead_to_the_same_versions_and_ids() -> None:
    first = Story().when(*THREE_VERSIONS)
    restored = given(THREE_VERSIONS[0]).when(overview(3))

    restored.when(*THREE_VERSIONS[1:]).then_published(2, 3)

    again, before = restored.published, first.published[1:]
    assert [dict(r.headers)["ce_id"] for r in again] == [dict(r.headers)["ce_id"] for r in before]


def test_versions_that_come_again_are_not_held_to_be_late_for_ever() -> None:
    """Version 2 is all that we have, and stands behind version 3: it is not published again and again."""
    restored = given(THREE_VERSIONS[0]).when(overview(3), THREE_VERSIONS[1])

    restored.when_read_back().then_nothing()


def test_what_comes_again_ends_with_the_newest_version_last() -> None:
    restored = given(THREE_VERSIONS[0]).when(overview(3), *THREE_VERSIONS[1:])

    restored.when_read_back().then_published(3)
    restored.when_read_back().then_nothing()


def test_an_overview_of_a_patient_whom_we_do_not_know_is_nothing_to_us() -> None:
    story = Story().when(overview(4, entry(OMEPRAZOL))).then_nothing()

    assert story.patient(ANNA).overview is None


def test_a_removed_key_is_restored_as_long_as_we_have_the_overview() -> None:
    given(import_of(entry())).when_removed_from_topic().then_published(1)


def test_a_removed_key_of_an_unknown_patient_is_nothing_to_us() -> None:
    story = Story().when_removed_from_topic().then_nothing()

    assert story.patient(ANNA).overview is None
