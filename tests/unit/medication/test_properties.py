"""Properties of overviews for any sequence of changes, repeats and records read back."""

from collections import Counter
from typing import TypeAlias
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records.medication import Medication, MedicationImport, MedicationSetStatus, Status
from tests.harness.made import AMOXICILLINE, METFORMINE, OMEPRAZOL, entry
from tests.unit.medication.story import Story, body_of, import_of, overview, set_status

QUICK = settings(max_examples=25, deadline=None)

MEDICINES = (METFORMINE, AMOXICILLINE, OMEPRAZOL)
Command: TypeAlias = MedicationImport | MedicationSetStatus

medications = st.builds(
    entry,
    st.sampled_from(MEDICINES),
    st.sampled_from(Status),
    dosage=st.sampled_from(["1x daags 1", "2x daags 1"]),
)
lists = st.lists(medications, max_size=4)
imports = st.builds(lambda medications: import_of(*medications), lists)
statuses = st.builds(
    set_status, st.sampled_from(Status), st.sampled_from([prk for prk, _ in MEDICINES])
)
commands: st.SearchStrategy[Command] = st.one_of(imports, statuses)
histories = st.lists(commands, max_size=12)


def content(story: Story) -> tuple[str, Counter[Medication]] | None:
    overview = story.patient("pat_anna0001").overview
    return (overview.practice, Counter(overview.medications)) if overview else None


@given(histories)
@QUICK
def test_a_version_is_published_for_every_change_with_a_difference_and_no_other(
    history: list[Command],
) -> None:
    story, expected = Story(), 0
    for command in history:
        before = content(story)
        story.when(command)
        expected += content(story) != before
        published = [body_of(record).version for record in story.published]
        assert published == ([expected] if content(story) != before else [])


@given(histories, st.data())
@QUICK
def test_repeats_anywhere_change_nothing(history: list[Command], data: st.DataObject) -> None:
    once = Story().when(*history)
    with_repeats: list[Command] = []
    for command in history:
        with_repeats.append(command)
        with_repeats += data.draw(st.lists(st.sampled_from(with_repeats), max_size=2))
    accepted = [c for c in with_repeats if c.change_id in once.patient().applied]

    repeated = Story().when(*accepted)

    assert content(repeated) == content(once)
    assert [body_of(r).version for r in repeated.published] == [
        body_of(r).version for r in once.published
    ]


@given(lists)
@QUICK
def test_an_import_twice_is_an_import_once(medications: list[Medication]) -> None:
    story = Story().when(import_of(*medications))

    story.when(import_of(*medications), import_of(*reversed(medications))).then_nothing()


@given(histories)
@QUICK
def test_no_two_entries_of_an_overview_are_the_same(history: list[Command]) -> None:
    overview = Story().when(*history).patient().overview

    entries = overview.medications if overview else ()
    assert len(set(entries)) == len(entries)


@given(histories, st.lists(st.integers(min_value=1, max_value=12), max_size=6))
@QUICK
def test_after_late_writes_the_newest_version_ends_up_last_on_the_topic(
    history: list[Command], late: list[int]
) -> None:
    story = Story().when(*history)
    topic = [body_of(record) for record in story.published]
    newest = len(topic)
    topic += [overview(version) for version in late if version < newest]
    read = 0
    while read < len(topic):
        story.when(topic[read])
        topic += [body_of(record) for record in story.published]
        read += 1

    assert [o.version for o in topic[-1:]] == ([newest] if newest else [])
    assert len(topic) <= newest + 2 * len(late)


@given(st.uuids())
def test_a_change_id_is_only_one_change(change_id: UUID) -> None:
    story = Story().when(import_of(entry(), change_id=change_id))

    story.when(import_of(change_id=change_id)).then_refused("change_conflict")
