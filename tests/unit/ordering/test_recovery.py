"""After a restore from an older backup, published decisions stay as they are."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from runtime.loop.handler import Done
from runtime.messages.message import Outgoing
from runtime.messages.partitioner import partition_of
from schemas import topics
from schemas.base import Body, PlacedBy, Role
from schemas.reasons import ReasonCode
from schemas.records.directory import Policy
from schemas.records.orders import (
    OrderEvent,
    OrderPlace,
    OrderReview,
    OrderState,
    OrderTimer,
    Outcome,
)
from tests.harness.made import (
    GP,
    METFORMINE,
    OMEPRAZOL,
    a_cancellation,
    an_order,
    entry,
)
from tests.harness.records import Delivered
from tests.unit.ordering.story import (
    ANNA,
    BERT,
    NOON,
    Story,
    approved,
    given,
    later,
    overview,
    review,
    waits,
)

KNOWS_BOTH = overview(entry(METFORMINE), entry(OMEPRAZOL, high_risk=True))
NOW_STOPPED = overview(version=9)


def _events(story: Story) -> list[Outgoing]:
    return [r for r in story.published if r.topic == topics.ORDERS_EVENTS.name]


def _prescriptions(story: Story) -> list[Outgoing]:
    return [r for r in story.published if r.topic.startswith(topics.PRESCRIPTIONS_PREFIX)]


def restored(before: Story, *overviews: Any, policy: Policy | None = None) -> Story:
    """Start with an empty database that has read back the published events of `before`."""
    story = given(*overviews, policy=policy)
    read_back(story, _events(before))
    story.work.recovered = recovered(story.work.newly_recovered)
    story.answers.clear()
    return story


def read_back(story: Story, events: list[Outgoing]) -> None:
    """Consume these records from the output topic."""
    for record in events:
        partition = partition_of(record.key or b"", topics.ORDERS_EVENTS.partitions)
        consumed = Delivered(record.topic, record.key, record.value, record.headers, partition)
        story.take(consumed, _body(record), NOON, None)


def _body(record: Outgoing) -> Body:
    headers = dict(record.headers)
    model = topics.ORDERS_EVENTS.types[(headers["ce_type"] or b"").decode()]
    return model.model_validate_json(record.value or b"")


def recovered(events: list[OrderEvent]) -> dict[UUID, list[OrderEvent]]:
    """Group the events by order, as the next batch loads them."""
    by_order: dict[UUID, list[OrderEvent]] = {}
    for event in events:
        by_order.setdefault(event.order_id, []).append(event)
    return by_order


def contents(records: list[Outgoing]) -> list[tuple[str, bytes | None, bytes | None]]:
    """Topic, id and value."""
    return [(r.topic, dict(r.headers)["ce_id"], r.value) for r in records]


def a_review(
    order: OrderPlace, line: int, outcome: Any = Outcome.APPROVED, quantity: Decimal | None = None
) -> OrderReview:
    return OrderReview(
        order_id=order.order_id,
        patient=order.patient,
        line=line,
        outcome=outcome,
        quantity=quantity,
        decided_by=GP,
    )


def test_a_recovered_order_keeps_its_decision_whatever_the_overview_now_is() -> None:
    order = an_order(ANNA, METFORMINE, OMEPRAZOL)
    before = given(KNOWS_BOTH).when(order)

    after = restored(before, NOW_STOPPED, policy=Policy(review_everything=True)).when(order)

    assert after.order == before.order
    assert _events(after) == []
    assert contents(_prescriptions(after)) == contents(_prescriptions(before))


def test_without_recovery_the_order_would_be_decided_differently() -> None:
    order = an_order(ANNA, METFORMINE, OMEPRAZOL)
    after = given(overview(entry(OMEPRAZOL), version=9)).when(order)
    after.then(refused_as_unknown(), approved())


def refused_as_unknown() -> Any:
    return (Outcome.E_CONSULT, [ReasonCode.NOT_IN_OVERVIEW])


def test_all_published_events_of_an_order_are_applied() -> None:
    order = an_order(ANNA, METFORMINE, OMEPRAZOL)
    reviewed = a_review(order, 2, quantity=Decimal(60))
    before = given(KNOWS_BOTH).when(order).when(reviewed).when(a_cancellation(order))

    after = restored(before).when(order)

    assert after.order == before.order
    assert after.order.state is OrderState.CANCELLED
    assert contents(_prescriptions(after)) == contents(_prescriptions(before))


def test_a_recovered_order_has_a_note_of_each_event_without_what_was_known() -> None:
    order = an_order(ANNA, METFORMINE, OMEPRAZOL)
    before = given(KNOWS_BOTH).when(order).when(a_review(order, 2)).when(a_cancellation(order))

    after = restored(before).when(order)

    noted = [replace(note, known=None) for note in before.work.notes[order.order_id]]
    assert after.work.notes[order.order_id] == noted
    assert [note.seq for note in noted] == [1, 2, 3]


def test_repeated_commands_of_a_recovered_order_change_nothing_and_are_not_rejected() -> None:
    order = an_order(ANNA, METFORMINE, OMEPRAZOL)
    commands = (a_review(order, 2), a_cancellation(order))
    before = given(KNOWS_BOTH).when(order, *commands)

    after = restored(before, KNOWS_BOTH).when(order, *commands)

    assert after.answers[1:] == [Done(), Done()]
    assert after.order == before.order


def test_the_next_command_continues_from_the_recovered_order() -> None:
    order = an_order(ANNA, METFORMINE, OMEPRAZOL)
    before = given(KNOWS_BOTH).when(order)

    after = restored(before, KNOWS_BOTH).when(order, a_review(order, 2))

    after.then(approved(), approved())
    assert after.order.seq == 2


def test_an_event_of_a_stored_order_is_applied_at_once() -> None:
    order = an_order(ANNA, METFORMINE, OMEPRAZOL)
    whole = given(KNOWS_BOTH).when(order).when(a_review(order, 2))
    older = given(KNOWS_BOTH).when(order).next_batch()

    read_back(older, _events(whole))

    assert older.order == whole.order
    assert _events(older) == []
    assert contents(_prescriptions(older)) == contents(_prescriptions(whole))[1:]


def test_a_recovered_waiting_order_is_decided_when_its_overview_precedes_it() -> None:
    """The overview will not be redelivered."""
    order = an_order(ANNA)
    before = given().when(order)
    before.then(waits())

    after = restored(before, overview()).when(order, at=later(1))

    after.then(approved())
    assert [body.seq for body in after.bodies() if hasattr(body, "seq")] == [2]


def test_a_recovered_waiting_order_sets_its_timer_again() -> None:
    order = an_order(ANNA)
    before = given().when(order)

    after = restored(before).when(order)

    after.then(waits())
    assert [t.id for t in after.timers] == [t.id for t in before.timers]


def test_a_recovered_order_that_waited_in_vain_is_decided_by_the_overview_that_is_there() -> None:
    order = an_order(ANNA)
    before = given().when(order)
    due = before.timers[0].due_at
    timer = OrderTimer(order_id=order.order_id, patient=ANNA, kind="overview_overdue", due_at=due)
    before.when(timer, at=due)
    before.then(review(ReasonCode.UNKNOWN_PATIENT))

    without, after = restored(before).when(order), restored(before, overview()).when(order)

    without.then(review(ReasonCode.UNKNOWN_PATIENT))
    after.then(approved())
    after.when(timer, at=due).then_nothing()


def test_another_order_under_the_id_of_a_published_decision_is_refused() -> None:
    order_id = uuid4()
    before = given(overview()).when(an_order(ANNA, order_id=order_id))

    assert restored(before).when(an_order(ANNA, order_id=order_id, quantity=7)).rejected == (
        "order_conflict"
    )
    assert restored(before).when(an_order(BERT, order_id=order_id)).rejected == "order_conflict"
    by_proxy = PlacedBy(role=Role.PROXY, id="proxy-1")
    assert restored(before).when(
        an_order(ANNA, order_id=order_id, placed_by=by_proxy)
    ).rejected == ("order_conflict")


def test_records_of_other_producers_on_the_output_topic_are_ignored() -> None:
    before = given(overview()).when(an_order(ANNA))
    foreign = [
        Outgoing(r.topic, r.key, r.value, [(n, v) for n, v in r.headers if n != "ce_source"])
        for r in _events(before)
    ]
    story = given()

    read_back(story, foreign)

    assert story.work.newly_recovered == []


def test_events_that_are_applied_already_are_ignored() -> None:
    story = given(KNOWS_BOTH).when(an_order(ANNA, METFORMINE, OMEPRAZOL))
    events = _events(story)
    again = story.next_batch()

    read_back(again, events)

    assert again.answers == [Done()]
    assert again.work.orders.changed == {}


@pytest.mark.parametrize("by", ["gp-1", "gp-2"])
def test_a_repeated_review_changes_nothing_and_another_reviewers_is_refused(by: str) -> None:
    order = an_order(ANNA, OMEPRAZOL)
    story = given(KNOWS_BOTH).when(order)
    story.then(review(ReasonCode.HIGH_RISK_MEDICATION))
    story.when(a_review(order, 1))

    story.when(
        a_review(order, 1).model_copy(update={"decided_by": GP.model_copy(update={"id": by})})
    )

    assert story.rejected == (None if by == "gp-1" else "not_in_review")
