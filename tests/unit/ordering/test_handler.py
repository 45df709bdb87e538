"""What ordering publishes, and how records of one batch affect each other."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from runtime.loop.handler import Done
from runtime.messages.cloudevents import event_id
from runtime.messages.digest import digest_of
from runtime.messages.message import Outgoing
from schemas import topics
from schemas.records.directory import Policy
from schemas.records.medication import Status
from schemas.records.orders import (
    OrderDecided,
    OrderLineDecided,
    OrderPlace,
    OrderState,
    OrderTimer,
)
from schemas.records.prescriptions import PrescriptionApproved
from services.ordering.domain.events import prescription_id
from services.ordering.envelopes import API_SOURCE
from tests.harness.made import (
    AMOXICILLINE,
    METFORMINE,
    OMEPRAZOL,
    PHARMACY,
    a_cancellation,
    an_order,
    as_json,
    entry,
)
from tests.unit.ordering.story import (
    ANNA,
    NOON,
    TRACE,
    Story,
    approved,
    body_of,
    given,
    header,
    later,
    overview,
    waits,
)

ORDER = UUID("0192aaaa-0000-7000-8000-000000000001")


def placed_and_waiting(policy: Policy | None = None) -> tuple[OrderPlace, Story]:
    """An order at noon, without an overview."""
    order = an_order(ANNA, order_id=ORDER)
    return order, given(policy=policy).when(order)


def one(records: list[Outgoing], of: type) -> Outgoing:
    (record,) = [r for r in records if isinstance(body_of(r), of)]
    return record


def test_a_repeat_in_the_same_batch_is_decided_once() -> None:
    order = an_order(ANNA)
    story = given(overview()).when(order, order, order)
    assert len(story.bodies(OrderDecided)) == len(story.bodies(PrescriptionApproved)) == 1


def test_an_order_and_then_its_overview_in_one_batch_are_decided_in_that_batch() -> None:
    _, story = placed_and_waiting()
    story.when(overview(), at=later(1)).then(approved())
    assert [type(body) for body in story.bodies()] == [
        OrderDecided,
        OrderLineDecided,
        PrescriptionApproved,
    ]


def test_an_order_after_its_overview_in_one_batch_does_not_wait() -> None:
    story = given().when(overview(), an_order(ANNA))
    assert len(story.bodies(OrderDecided)) == 1
    assert story.timers == []
    story.then(approved())


def test_all_orders_that_wait_for_an_overview_are_decided_with_it() -> None:
    story = given().when(an_order(ANNA), an_order(ANNA, OMEPRAZOL))
    story.when(overview(entry(), entry(OMEPRAZOL)))
    assert {o.state for o in story.work.orders.current.values()} == {OrderState.APPROVED}


def test_an_order_decided_in_an_earlier_batch_is_decided_by_the_overview_of_a_later_one() -> None:
    _, story = placed_and_waiting()
    story.next_batch().when(overview()).then(approved())


@pytest.mark.parametrize("version", [2, 3])
def test_an_overview_that_is_not_newer_than_the_stored_one_is_ignored(version: int) -> None:
    story = given(overview(version=3)).when(overview(entry(status=Status.STOPPED), version=version))
    story.then_nothing()
    assert story.work.changed_overviews == {}
    story.when(an_order(ANNA)).then(approved())


def test_a_newer_overview_applies_to_the_next_record_of_the_batch() -> None:
    story = given(overview(version=1)).when(overview(entry(), version=2), an_order(ANNA))
    assert story.bodies(OrderDecided)[0].overview_version == 2


def test_after_an_overview_is_removed_orders_wait_again() -> None:
    story = given(overview()).when_removed(ANNA)
    assert story.work.changed_overviews == {ANNA: None}
    story.when(an_order(ANNA)).then(waits())


def test_a_waiting_order_sets_a_timer_with_the_practices_patience() -> None:
    _, story = placed_and_waiting(Policy(overview_patience_minutes=30))
    (timer,) = story.timers
    due = body_of(timer.record)
    assert timer.due_at == later(30)
    assert isinstance(due, OrderTimer)
    assert (due.order_id, due.kind, due.due_at) == (ORDER, "overview_overdue", later(30))
    assert (timer.record.topic, timer.record.key) == (topics.ORDERS_REVIEWS.name, ANNA.encode())


def test_an_order_that_does_not_wait_sets_no_timer() -> None:
    assert given(overview()).when(an_order(ANNA)).timers == []


def test_the_overview_cancels_the_timer_of_the_order_that_waited() -> None:
    _, story = placed_and_waiting()
    (timer,) = story.timers
    assert story.when(overview()).last.cancelled == (timer.id,)


def test_a_cancellation_cancels_the_timer_of_the_order_that_waited() -> None:
    order, story = placed_and_waiting()
    (timer,) = story.timers
    assert story.when(a_cancellation(order)).last.cancelled == (timer.id,)


def test_an_order_that_never_waited_cancels_no_timer() -> None:
    order = an_order(ANNA)
    assert given(overview()).when(order, a_cancellation(order)).last.cancelled == ()


def test_a_timer_that_was_appended_before_its_time_is_set_again() -> None:
    """The database's clock was ahead of the broker's; the broker's counts."""
    _, story = placed_and_waiting()
    (timer,) = story.timers
    story.when(body_of(timer.record), at=later(59.9))
    (again,) = story.last.timers
    assert (again.id, again.due_at, again.record.value) == (
        timer.id,
        timer.due_at,
        timer.record.value,
    )
    story.then(waits())


def test_a_timer_that_was_appended_exactly_at_its_time_counts() -> None:
    _, story = placed_and_waiting()
    story.when(body_of(story.timers[0].record), at=later(60))
    assert story.order.state is OrderState.IN_REVIEW


def test_event_ids_are_derived_from_type_order_and_seq() -> None:
    _, story = placed_and_waiting()
    story.when(overview(), at=later(1))
    ids = [header(record, "ce_id") for record in story.published]
    assert ids == [
        str(event_id("order.decided.v1", ORDER, 1)),
        str(event_id("order.line-decided.v1", ORDER, 2)),
        str(event_id("prescription.approved.v1", prescription_id(ORDER, 1))),
    ]


def test_deciding_the_same_records_again_publishes_the_same_bytes() -> None:
    order = an_order(ANNA, order_id=ORDER)
    arrived = overview()
    once, twice = (given().when(order, arrived).published for _ in range(2))
    assert once == twice


def test_events_go_to_the_patients_partition_and_name_their_order() -> None:
    story = given(overview()).when(an_order(ANNA, order_id=ORDER))
    event = one(story.published, OrderDecided)
    assert (event.topic, event.key) == (topics.ORDERS_EVENTS.name, ANNA.encode())
    assert header(event, "ce_subject") == str(ORDER)
    assert header(event, "ce_source") == "nl.herhaal/ordering"
    assert header(event, "ce_time") == "2026-11-23T12:00:00Z"


def test_a_prescription_goes_to_its_pharmacys_own_topic() -> None:
    story = given(overview()).when(an_order(ANNA, order_id=ORDER))
    made = one(story.published, PrescriptionApproved)
    assert (made.topic, made.key) == (f"prescriptions.approved.{PHARMACY}", ANNA.encode())
    assert header(made, "ce_subject") == str(prescription_id(ORDER, 1))


def test_all_records_caused_by_a_record_continue_its_trace() -> None:
    story = given(overview()).when(an_order(ANNA))
    traces = [header(record, "traceparent").split("-") for record in story.published]
    assert {t[1] for t in traces} == {TRACE.split("-")[1]}
    assert len({t[2] for t in traces} | {TRACE.split("-")[2]}) == 3


def test_a_record_without_a_trace_starts_one() -> None:
    story = given(overview()).when(an_order(ANNA), traceparent=None)
    assert len(header(story.published[0], "traceparent")) == len(TRACE)


def test_only_what_changed_is_saved() -> None:
    first = an_order(ANNA)
    story = given(overview()).when(first).next_batch()
    second = an_order(ANNA)
    story.when(first, second)
    assert set(story.work.orders.changed) == {second.order_id}


def test_every_placed_order_leaves_the_intake() -> None:
    """Repeats and conflicts too; also an order over Kafka: its repeat over HTTP may have got no further."""
    order, other, by_kafka = an_order(ANNA), an_order(ANNA), an_order(ANNA)
    story = given(overview()).when(order).next_batch()
    conflict = an_order(ANNA, order_id=order.order_id, quantity=30)
    story.when(order, conflict, other, source=API_SOURCE).when(by_kafka)
    placed = [order, order, other, by_kafka]
    assert story.work.placed == [one.order_id for one in placed]


def test_a_digest_does_not_depend_on_the_spelling_of_the_json() -> None:
    order = an_order(ANNA)
    fields = as_json(order)
    shuffled = dict(reversed(list(fields.items()))) | {"portal_build": "1.2.3"}
    assert digest_of(OrderPlace.model_validate(shuffled, strict=False)) == digest_of(order)


def test_the_digest_of_an_order_never_changes() -> None:
    plain = an_order(ANNA, order_id=ORDER)
    full = an_order(
        *(ANNA, METFORMINE, AMOXICILLINE),
        order_id=ORDER,
        supply_until=date(2027, 1, 31),
        remark="’s avonds",
    )
    assert digest_of(plain) == "ad7b9b3b2a3c7d4e4423c9bc1a75d7c1"
    assert digest_of(full) == "df315f1a460bfb33e5924116b6405959"


@pytest.mark.parametrize("change", [{"remark": "x"}, {"pharmacy": "02999002"}])
def test_a_digest_differs_with_every_field(change: dict[str, str]) -> None:
    order = an_order(ANNA)
    assert digest_of(order.model_copy(update=change)) != digest_of(order)


def test_an_append_time_at_the_end_of_the_calendar_is_accepted() -> None:
    """A topic without LogAppendTime has whatever time the producer wrote."""
    end = datetime.max.replace(tzinfo=UTC)
    story = given(overview()).when(an_order(ANNA), at=end)
    assert isinstance(story.answers[0], Done)
    assert NOON < story.order.placed_at == end
