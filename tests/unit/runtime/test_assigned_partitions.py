"""Assigned partitions: filtering of records, claims of a save."""

import pytest
from aiokafka import TopicPartition

from runtime.loop.assigned_partitions import AssignedPartitions
from runtime.messages.message import Record
from runtime.messages.positions import Claim, Position
from schemas.topics import ORDERS_REQUESTS
from tests.harness.made import an_order
from tests.harness.records import delivered

TOPIC = ORDERS_REQUESTS.name
ANNA = "pat_anna0001"


def records(*offsets: int) -> list[Record]:
    return [delivered(ORDERS_REQUESTS, an_order(ANNA), offset=offset) for offset in offsets]


HERE = TopicPartition(TOPIC, records(0)[0].partition)
TWIN = TopicPartition("medication.status", HERE.partition)
ELSEWHERE = TopicPartition(TOPIC, HERE.partition + 1)


@pytest.fixture
def assigned() -> AssignedPartitions:
    """Two topics with the same partition number, and another partition."""
    made = AssignedPartitions()
    made.assign({HERE: Position(5, 2, 77), TWIN: Position(8, 3), ELSEWHERE: Position(0, 1)})
    return made


@pytest.mark.parametrize(
    ("offsets", "unhandled"),
    [((3, 4), ()), ((4, 5, 6), (5, 6)), ((5, 6), (5, 6)), ((9,), (9,)), ((), ())],
)
def test_records_at_or_after_the_stored_offset_are_unhandled(
    assigned: AssignedPartitions, offsets: tuple[int, ...], unhandled: tuple[int, ...]
) -> None:
    assert tuple(r.offset for r in assigned.unhandled(records(*offsets))) == unhandled


def test_records_of_other_partitions_are_dropped(assigned: AssignedPartitions) -> None:
    assigned.assign({TWIN: Position(0, 1)})
    assert assigned.unhandled(records(0, 1)) == []


def test_claims_cover_all_topics_of_a_partition_number(assigned: AssignedPartitions) -> None:
    (last,) = records(9)
    assert assigned.claims({HERE.partition}, [*records(5), last]) == [
        Claim(TWIN.topic, TWIN.partition, 8, 8, 3),
        Claim(HERE.topic, HERE.partition, 5, 10, 2, last.timestamp),
    ]


def test_a_saved_claim_advances_the_offset_and_keeps_the_epoch(
    assigned: AssignedPartitions,
) -> None:
    assigned.advance(assigned.claims({HERE.partition}, records(9)))
    assert assigned.positions[HERE].next_offset == 10
    assert assigned.positions[HERE].epoch == 2
    assert assigned.positions[ELSEWHERE] == Position(0, 1)


def test_a_partition_that_was_released_during_the_save_stays_released(
    assigned: AssignedPartitions,
) -> None:
    claims = assigned.claims({HERE.partition}, records(9))
    assert assigned.clear().keys() == {HERE, TWIN, ELSEWHERE}
    assigned.advance(claims)
    assert assigned.positions == {}
    assert assigned.numbers == set()
