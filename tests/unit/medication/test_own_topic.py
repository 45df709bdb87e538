"""medication reads its own topic back, and corrects late writes of outdated overviews."""

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


def test_reading_back_a_published_overview_only_notes_its_version() -> None:
    story = Story().when(*THREE_VERSIONS).when_read_back().then_nothing()

    assert story.patient().seen_version == 3


def test_after_a_late_write_the_newest_overview_is_published_again_with_its_id() -> None:
    story = Story().when(*THREE_VERSIONS)
    newest = story.published[-1]
    story.when_read_back()

    story.when(overview(2)).then_published(3)

    again = story.published[0]
    assert again.value == newest.value
    assert dict(again.headers)["ce_id"] == dict(newest.headers)["ce_id"]
    assert dict(again.headers)["ce_time"] == dict(newest.headers)["ce_time"]


def test_each_late_write_republishes_the_newest_overview_once() -> None:
    story = given(*THREE_VERSIONS)

    story.when(overview(2)).then_published(3)
    story.when_read_back().then_nothing()
    story.when(overview(1), overview(2)).then_published(3, 3)
    story.when_read_back().then_nothing()


def test_a_late_write_is_compared_with_the_topic_and_not_with_the_outbox() -> None:
    """Version 3 is in the outbox and will be published anyway."""
    story = given(import_of(entry()), set_status(Status.STOPPED))
    story.when(set_status(Status.CHRONIC)).then_published(3)

    story.when(overview(2)).then_nothing()


def test_a_newer_overview_on_the_topic_is_not_adopted() -> None:
    """After a restore from an older backup, the changes are consumed again and lead to it."""
    story = given(import_of(entry(METFORMINE)))

    story.when(overview(3, entry(OMEPRAZOL))).then_nothing()

    assert [m.prk for m in story.current().medications] == [METFORMINE[0]]


def test_changes_that_are_consumed_again_lead_to_the_same_versions_and_ids() -> None:
    first = Story().when(*THREE_VERSIONS)
    restored = given(THREE_VERSIONS[0]).when(overview(3))

    restored.when(*THREE_VERSIONS[1:]).then_published(2, 3)

    again, before = restored.published, first.published[1:]
    assert [dict(r.headers)["ce_id"] for r in again] == [dict(r.headers)["ce_id"] for r in before]


def test_versions_that_are_published_again_after_a_restore_cause_no_loop() -> None:
    """Version 2 is the newest stored one, after version 3 on the topic: it is not published again and again."""
    restored = given(THREE_VERSIONS[0]).when(overview(3), THREE_VERSIONS[1])

    restored.when_read_back().then_nothing()


def test_after_a_restore_the_newest_version_ends_up_last_on_the_topic() -> None:
    restored = given(THREE_VERSIONS[0]).when(overview(3), *THREE_VERSIONS[1:])

    restored.when_read_back().then_published(3)
    restored.when_read_back().then_nothing()


def test_an_overview_of_an_unknown_patient_is_ignored() -> None:
    story = Story().when(overview(4, entry(OMEPRAZOL))).then_nothing()

    assert story.patient(ANNA).overview is None


def test_after_a_tombstone_the_stored_overview_is_published_again() -> None:
    given(import_of(entry())).when_removed_from_topic().then_published(1)


def test_a_tombstone_of_an_unknown_patient_is_ignored() -> None:
    story = Story().when_removed_from_topic().then_nothing()

    assert story.patient(ANNA).overview is None
