"""Properties of events and prescriptions for any sequence of commands."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from schemas.base import Body
from schemas.records.directory import Policy
from schemas.records.medication import Status
from schemas.records.orders import (
    OrderCancelled,
    OrderDecided,
    OrderLineDecided,
    OrderLineSignalled,
    OrderReview,
    OrderTimer,
    Outcome,
)
from schemas.records.prescriptions import PrescriptionApproved, PrescriptionWithdrawn
from tests.harness.made import (
    AMOXICILLINE,
    GP,
    METFORMINE,
    OMEPRAZOL,
    a_cancellation,
    an_order,
    entry,
)
from tests.unit.ordering.story import ANNA, NOON, Story, given, later, overview, seqs

ORDER = an_order(
    ANNA, METFORMINE, AMOXICILLINE, OMEPRAZOL, order_id=UUID("0192aaaa-0000-7000-8000-000000000001")
)
STATUSES = st.sampled_from(list(Status))


@st.composite
def overviews(draw: st.DrawFn) -> Body:
    """Any overview of these medicines, of any version."""
    medications = [
        entry(
            what, draw(STATUSES), high_risk=draw(st.booleans()), repeat_service=draw(st.booleans())
        )
        for what in draw(
            st.sets(st.sampled_from([METFORMINE, AMOXICILLINE, OMEPRAZOL]), min_size=1)
        )
    ]
    return overview(*medications, version=draw(st.integers(1, 4)))


def _review(line: int, outcome: Outcome) -> OrderReview:
    return OrderReview.model_validate(
        {
            "order_id": ORDER.order_id,
            "patient": ANNA,
            "line": line,
            "outcome": outcome,
            "decided_by": GP,
        }
    )


REVIEWS = st.builds(
    _review,
    st.integers(1, 4),
    st.sampled_from([Outcome.APPROVED, Outcome.REFUSED, Outcome.E_CONSULT]),
)
OTHERS: st.SearchStrategy[Body] = st.sampled_from(
    [
        ORDER,
        ORDER.model_copy(update={"remark": "een andere"}),
        a_cancellation(ORDER),
        OrderTimer(
            order_id=ORDER.order_id, patient=ANNA, kind="overview_overdue", due_at=later(60)
        ),
    ]
)
REPEATABLE: st.SearchStrategy[Body] = st.sampled_from([ORDER, a_cancellation(ORDER)])
COMMANDS = st.lists(
    st.tuples(st.one_of(OTHERS, REVIEWS, overviews()), st.integers(0, 90)), max_size=12
)

quick = settings(max_examples=25, deadline=None)


def handle_all(commands: list[tuple[Body, int]], story: Story | None = None) -> Story:
    """Handle these commands, each the given minutes after the previous one."""
    story, at = story or given(), NOON
    for body, minutes in commands:
        at += timedelta(minutes=minutes)
        story.when(body, at=at)
    return story


def order_events(
    story: Story,
) -> list[OrderDecided | OrderLineDecided | OrderLineSignalled | OrderCancelled]:
    return story.bodies(OrderDecided, OrderLineDecided, OrderLineSignalled, OrderCancelled)


@for_all(COMMANDS)
@quick
def test_an_orders_events_are_numbered_from_1_without_a_gap(
    commands: list[tuple[Body, int]],
) -> None:
    events = order_events(handle_all(commands))
    assert seqs(events) == list(range(1, len(events) + 1))
    assert [isinstance(e, OrderDecided) for e in events] == [n == 0 for n in range(len(events))]


@for_all(COMMANDS, st.booleans())
@quick
def test_every_line_that_was_ever_approved_has_exactly_one_prescription(
    commands: list[tuple[Body, int]], withdraws: bool
) -> None:
    """It is withdrawn once, when the line is not approved any more."""
    policy = Policy(withdraw_when_stopped=withdraws)
    story = handle_all([(ORDER, 0), *commands], given(policy=policy))
    made = Counter(p.line for p in story.bodies(PrescriptionApproved))
    assert made == Counter(approved_lines(story))
    withdrawn = Counter(p.line for p in story.bodies(PrescriptionWithdrawn))
    still = {n.number for n in story.order.lines if n.outcome is Outcome.APPROVED}
    assert withdrawn == Counter(made.keys() - still)


def approved_lines(story: Story) -> set[int]:
    """The lines that were approved by the events."""
    lines: set[int] = set()
    for event in order_events(story):
        match event:
            case OrderDecided():
                lines |= {n.line for n in event.lines if n.outcome is Outcome.APPROVED}
            case OrderLineDecided(outcome=Outcome.APPROVED):
                lines.add(event.line)
            case _:
                pass
    return lines


@for_all(COMMANDS)
@quick
def test_nothing_happens_to_an_order_after_its_cancellation(
    commands: list[tuple[Body, int]],
) -> None:
    events = order_events(handle_all([(ORDER, 0), (a_cancellation(ORDER), 0), *commands]))
    assert [e for e in events[:-1] if isinstance(e, OrderCancelled)] == []


@for_all(COMMANDS)
@quick
def test_the_order_follows_from_its_events(commands: list[tuple[Body, int]]) -> None:
    story = handle_all([(ORDER, 0), *commands])
    outcomes: dict[int, Outcome] = {}
    for event in order_events(story):
        match event:
            case OrderDecided():
                outcomes = {n.line: n.outcome for n in event.lines}
            case OrderLineDecided():
                outcomes[event.line] = event.outcome
            case OrderCancelled():
                outcomes |= dict.fromkeys(event.lines, Outcome.CANCELLED)
    assert {n.number: n.outcome for n in story.order.lines} == outcomes
    assert story.order.seq == len(order_events(story))


@for_all(COMMANDS)
@quick
def test_a_record_that_arrives_twice_in_a_row_is_handled_once(
    commands: list[tuple[Body, int]],
) -> None:
    once = handle_all([(ORDER, 0), *commands])
    doubled = [
        (body, wait) for body, minutes in commands for body, wait in [(body, minutes), (body, 0)]
    ]
    twice = handle_all([(ORDER, 0), (ORDER, 0), *doubled])
    assert (twice.order, twice.published) == (once.order, once.published)


@for_all(st.lists(st.tuples(st.one_of(REPEATABLE, overviews()), st.integers(0, 90))))
@quick
def test_a_repeated_sequence_of_commands_and_overviews_changes_nothing(
    commands: list[tuple[Body, int]],
) -> None:
    """A producer may send everything again, after all of it has been decided."""
    once = handle_all([(ORDER, 0), *commands])
    twice = handle_all([(ORDER, 0), *commands, (ORDER, 0), *commands])
    assert (twice.order, twice.published) == (once.order, once.published)


@for_all(COMMANDS)
@quick
def test_a_batch_boundary_anywhere_makes_no_difference(commands: list[tuple[Body, int]]) -> None:
    whole = handle_all([(ORDER, 0), *commands])
    parts, published, at = given(), [], NOON
    for body, minutes in [(ORDER, 0), *commands]:
        at += timedelta(minutes=minutes)
        parts = parts.next_batch().when(body, at=at)
        published += parts.published
    assert (parts.order, published) == (whole.order, whole.published)
