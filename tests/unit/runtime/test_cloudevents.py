"""CloudEvents headers of published records: ids, trace context."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from runtime.messages.cloudevents import child_traceparent, event_id, outgoing
from schemas.records.orders import OrderPlace
from tests.harness.made import an_order

ORDER = UUID("0192aaaa-0000-7000-8000-00000000000a")
EVENT = "8f14e45f-ceea-567a-9b1c-000000000001"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def test_a_caused_record_continues_the_trace_with_a_new_span() -> None:
    assert child_traceparent(PARENT, EVENT) == (
        "00-0af7651916cd43dd8448eb211c80319c-8f14e45fceea567a-00"
    )


def test_a_record_without_a_cause_starts_the_same_trace_again_on_a_replay() -> None:
    started = child_traceparent(None, EVENT)
    assert started == "00-8f14e45fceea567a9b1c000000000001-9b1c000000000001-01"
    assert child_traceparent(None, EVENT) == started


def test_an_event_id_depends_on_type_subject_and_sequence_only() -> None:
    assert event_id("order.decided.v1", EVENT, 1) == event_id("order.decided.v1", EVENT, 1)
    others = [
        event_id("order.decided.v1", EVENT, 2),
        event_id("order.cancelled.v1", EVENT, 1),
        event_id("order.decided.v1", UUID(int=1), 1),
    ]
    assert len({event_id("order.decided.v1", EVENT, 1), *others}) == 4


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (("order.decided.v1", str(ORDER), 1), "3fa6df1c-0ef0-5584-a126-fcbda028c882"),
        (("prescription.approved.v1", ORDER), "824a49cd-6a29-5b65-9983-09930397981f"),
        (("medication.overview.v1", "pat_é☃", 17), "ce5e04a1-c5e9-50b2-9b4c-4e79ed810435"),
        (("order.timer.v1", ORDER, "overview_overdue"), "db743783-c491-57ea-a4b5-3680d10a6ffa"),
    ],
)
def test_an_event_id_never_changes(what: tuple[str, object], expected: str) -> None:
    """Recorded values: consumers recognise a repeated event by its id, also after an upgrade."""
    assert event_id(*what) == expected


def test_an_outgoing_record_is_a_cloudevent_in_binary_mode() -> None:
    order = an_order("pat_anna0001")
    record = outgoing(
        "orders.requests",
        order,
        key=order.patient,
        id=EVENT,
        source="nl.herhaal/test",
        subject="subject",
        at=datetime(2026, 11, 23, 12, 0, 0, 5000, tzinfo=UTC),
        traceparent=PARENT,
    )
    assert dict(record.headers) == {
        "ce_specversion": b"1.0",
        "ce_type": b"nl.herhaal.order.place.v1",
        "ce_source": b"nl.herhaal/test",
        "content-type": b"application/json",
        "ce_id": EVENT.encode(),
        "ce_time": b"2026-11-23T12:00:00.005000Z",
        "ce_subject": b"subject",
        "traceparent": child_traceparent(PARENT, EVENT).encode(),
    }
    assert record.key == b"pat_anna0001"
    assert OrderPlace.model_validate_json(record.value or b"") == order
