"""The history of an overview: each change with the changed medicines before and after."""

from collections import Counter
from datetime import UTC, datetime

from hypothesis import given as for_all

from schemas.records.medication import Medication, Status
from services.medication.domain.history import OverviewChange, adopted_change, change_between
from tests.harness.made import AMOXICILLINE, GP, METFORMINE, OMEPRAZOL, PRACTICE, entry
from tests.unit.medication.story import Story, body_of, given, import_of, overview, set_status
from tests.unit.medication.test_properties import QUICK, Command, histories

OTHER_PRACTICE = "01999002"

Content = Counter[Medication]


def _last(story: Story) -> OverviewChange:
    return story.work.history[-1]


def _apply(entry: OverviewChange, content: Content) -> Content:
    """The entries after a change, computed from those before it and the history."""
    assert entry.before is not None
    assert Counter(entry.before) <= content
    return content - Counter(entry.before) + Counter(entry.after)


def _undo(entry: OverviewChange, content: Content) -> Content:
    """The entries before a change, computed from those after it and the history."""
    assert entry.before is not None
    assert Counter(entry.after) <= content
    return content - Counter(entry.after) + Counter(entry.before)


def test_a_first_import_adds_all_its_medicines() -> None:
    command = import_of(entry(METFORMINE), entry(OMEPRAZOL))

    change = _last(Story().when(command))

    assert (change.patient, change.version) == (command.patient, 1)
    assert (change.change.change_id, change.change.kind, change.change.by) == (
        command.change_id,
        "import",
        GP,
    )
    assert (change.before, change.after) == ((), command.medications)
    assert (change.practice_before, change.practice) == (None, PRACTICE)


def test_a_change_has_the_time_of_the_overview_that_it_led_to() -> None:
    story = Story().when(import_of(entry()))

    assert _last(story).at == body_of(story.published[0]).changed_at


def test_a_set_status_names_that_medicine_alone_before_and_after() -> None:
    story = given(import_of(entry(METFORMINE), entry(OMEPRAZOL)))

    change = _last(story.when(set_status(Status.STOPPED, OMEPRAZOL[0])))

    assert change.before == (entry(OMEPRAZOL),)
    assert change.after == (entry(OMEPRAZOL, Status.STOPPED),)
    assert change.change.kind == "set_status"


def test_the_history_of_an_import_distinguishes_removed_changed_and_added_medicines() -> None:
    story = given(import_of(entry(METFORMINE), entry(OMEPRAZOL)))

    story.when(import_of(entry(AMOXICILLINE), entry(OMEPRAZOL, dosage="2x daags 1")))

    change = _last(story)
    assert change.before == (entry(METFORMINE), entry(OMEPRAZOL))
    assert change.after == (entry(AMOXICILLINE), entry(OMEPRAZOL, dosage="2x daags 1"))


def test_a_patient_who_moves_with_the_same_medicines_changes_the_practice_only() -> None:
    story = given(import_of(entry()))

    change = _last(story.when(import_of(entry(), practice=OTHER_PRACTICE)))

    assert (change.practice_before, change.practice) == (PRACTICE, OTHER_PRACTICE)
    assert (change.before, change.after) == ((), ())


def test_a_change_without_a_difference_is_not_in_the_history() -> None:
    first = import_of(entry())
    story = given(first)

    story.when(first, import_of(entry()), set_status(Status.STOPPED, AMOXICILLINE[0]))

    assert [change.version for change in story.work.history] == [1]


def test_an_overview_read_back_is_not_in_the_history() -> None:
    story = given(import_of(entry()), set_status(Status.STOPPED))

    story.when(overview(1), overview(7))

    assert [change.version for change in story.work.history] == [1, 2]


def test_an_adopted_overview_is_whole_in_the_history_where_versions_are_missing_before_it() -> None:
    adopted = overview(7, entry(METFORMINE), entry(OMEPRAZOL))

    start = adopted_change(overview(5), adopted)

    assert adopted_change(None, adopted) == start

    assert (start.before, start.practice_before) == (None, None)
    assert (start.after, start.version, start.change) == (adopted.medications, 7, adopted.change)
    assert start.at == datetime(2026, 11, 1, tzinfo=UTC)


def test_an_adopted_overview_that_follows_ours_has_before_and_after() -> None:
    ours, next_one = overview(6, entry(METFORMINE)), overview(7, entry(OMEPRAZOL))
    first = overview(1, entry())

    assert adopted_change(ours, next_one) == change_between(ours, next_one)
    assert adopted_change(None, first) == change_between(None, first)


@for_all(histories)
@QUICK
def test_the_history_leads_to_the_overview_and_undone_step_by_step_back_to_nothing(
    commands: list[Command],
) -> None:
    story = Story()
    contents = [Counter(story.current().medications) for c in commands if story.when(c).published]
    history = story.work.history
    assert [change.version for change in history] == list(range(1, len(contents) + 1))

    for change, before, after in zip(history, [Content(), *contents], contents, strict=False):
        assert _apply(change, before) == after
        assert _undo(change, after) == before
