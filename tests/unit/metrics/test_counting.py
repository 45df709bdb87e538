"""Every line is counted once: by its current outcome, on the day on which it was ordered."""

from datetime import UTC, date, datetime

import pytest

from schemas.api.metrics import CountedChannel
from schemas.base import Channel, Role
from schemas.records.orders import OrderEvent, Outcome
from services.metrics.domain.counting import OrderCell
from tests.harness.made import PRACTICE
from tests.unit.metrics.story import (
    TODAY,
    Story,
    cancelled,
    decided,
    escalated,
    fulfilment,
    given,
    line_decided,
    lines,
)

APPROVED, REVIEW, REFUSED = Outcome.APPROVED, Outcome.REVIEW, Outcome.REFUSED
CANCELLED, WAITING = Outcome.CANCELLED, Outcome.WAITING

HERE = OrderCell(PRACTICE, TODAY, CountedChannel.PORTAL)


def test_a_new_order_counts_once_and_each_line_under_its_outcome() -> None:
    story = Story().when(decided(APPROVED, APPROVED, REFUSED))

    story.then_counted(lines({APPROVED: 2, REFUSED: 1}))
    assert story.orders == {HERE: 1}


def test_orders_add_up() -> None:
    story = Story().when(decided(APPROVED, order=1), decided(APPROVED, REVIEW, order=2))

    story.then_counted(lines({APPROVED: 2, REVIEW: 1}))
    assert story.orders == {HERE: 2}


def test_a_line_that_is_decided_later_moves_from_one_outcome_to_the_other() -> None:
    story = given(decided(REVIEW, APPROVED)).when(line_decided(1, REFUSED, seq=2))

    story.then_counted(lines({REFUSED: 1, APPROVED: 1}))
    assert story.orders == {HERE: 1}


def test_cancelled_lines_move_to_cancelled_and_the_order_stays_counted() -> None:
    story = given(decided(APPROVED, REVIEW, REFUSED)).when(cancelled(1, 2, seq=2))

    story.then_counted(lines({CANCELLED: 2, REFUSED: 1}))
    assert story.orders == {HERE: 1}


def test_a_line_moves_on_the_day_on_which_it_was_ordered() -> None:
    placed_at = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    given(decided(WAITING, placed_at=placed_at)).when(
        line_decided(1, APPROVED, seq=2)
    ).then_counted(lines({APPROVED: 1}, day=date(2026, 11, 20)))


@pytest.mark.parametrize(
    ("placed_at", "day"),
    [
        ("2026-11-22T22:59:59Z", date(2026, 11, 22)),
        ("2026-11-22T23:00:00Z", date(2026, 11, 23)),
        ("2026-07-22T21:59:59Z", date(2026, 7, 22)),
        ("2026-07-22T22:00:00Z", date(2026, 7, 23)),
    ],
)
def test_a_day_begins_at_midnight_in_amsterdam_in_winter_and_in_summer(
    placed_at: str, day: date
) -> None:
    moment = datetime.fromisoformat(placed_at)

    Story().when(decided(APPROVED, placed_at=moment)).then_counted(lines({APPROVED: 1}, day=day))


def test_channels_and_practices_are_counted_apart() -> None:
    Story().when(
        decided(APPROVED, order=1, channel=Channel.RECEPTENLIJN),
        decided(APPROVED, order=2, practice="01999002"),
    ).then_counted(
        lines({APPROVED: 1}, channel=CountedChannel.RECEPTENLIJN),
        lines({APPROVED: 1}, practice="01999002"),
    )


@pytest.mark.parametrize(
    ("channel", "placed_by", "counted"),
    [
        (Channel.PORTAL, Role.PATIENT, CountedChannel.PORTAL),
        (Channel.PORTAL, Role.PROXY, CountedChannel.PORTAL),
        (Channel.PORTAL, Role.ASSISTANT, CountedChannel.PORTAL_BY_PRACTICE),
        (Channel.RECEPTENLIJN, Role.ASSISTANT, CountedChannel.RECEPTENLIJN),
        (Channel.COUNTER, Role.PATIENT, CountedChannel.COUNTER),
        (Channel.E_CONSULT, Role.PATIENT, CountedChannel.E_CONSULT),
    ],
)
def test_the_portal_counts_by_who_placed_the_order(
    channel: Channel, placed_by: Role, counted: CountedChannel
) -> None:
    story = given(decided(REVIEW, channel=channel, placed_by=placed_by))
    story.when(line_decided(1, APPROVED, seq=2)).then_counted(lines({APPROVED: 1}, channel=counted))
    assert story.orders == {OrderCell(PRACTICE, TODAY, counted): 1}


def test_every_channel_has_a_count() -> None:
    assert {*CountedChannel} - {CountedChannel.PORTAL_BY_PRACTICE} == {*Channel}


def test_escalations_and_fulfilment_change_no_count_and_later_events_still_count() -> None:
    story = given(decided(REVIEW)).when(escalated(seq=2), fulfilment(seq=3))
    story.then_counted(lines({REVIEW: 1}))

    story.when(line_decided(1, APPROVED, seq=4)).then_counted(lines({APPROVED: 1}))
    assert story.refused == []


@pytest.mark.parametrize(
    "repeated", [decided(REVIEW, APPROVED), line_decided(1, REFUSED, seq=2), cancelled(2, seq=3)]
)
def test_an_event_that_was_counted_is_not_counted_again(repeated: OrderEvent) -> None:
    story = given(
        decided(REVIEW, APPROVED), line_decided(1, REFUSED, seq=2), cancelled(2, seq=3)
    ).when(repeated)

    story.then_counted(lines({REFUSED: 1, CANCELLED: 1}))
    assert story.orders == {HERE: 1}
    assert story.refused == []


def test_an_event_that_skips_a_number_and_all_after_it_are_refused_until_the_missing_one_comes() -> (
    None
):
    missing, after, last = (
        line_decided(1, REFUSED, seq=2),
        line_decided(2, APPROVED, seq=3),
        cancelled(2, seq=4),
    )
    story = given(decided(REVIEW, REVIEW)).when(after, last)
    assert story.refused == ["seq_gap", "seq_gap"]
    story.then_counted(lines({REVIEW: 2}))

    story.when(missing, after, last).then_counted(lines({REFUSED: 1, CANCELLED: 1}))


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (decided(APPROVED, order=2, seq=2), "seq_gap"),
        (line_decided(1, APPROVED, order=2, seq=1), "not_decided"),
        (decided(APPROVED, seq=2), "decided_twice"),
        (line_decided(9, APPROVED, seq=2), "unknown_line"),
        (cancelled(1, 9, seq=2), "unknown_line"),
    ],
)
def test_an_event_that_contradicts_earlier_events_is_refused(event: OrderEvent, code: str) -> None:
    story = given(decided(REVIEW)).when(event)

    assert story.refused == [code]
    story.then_counted(lines({REVIEW: 1}))
    assert story.orders == {HERE: 1}
