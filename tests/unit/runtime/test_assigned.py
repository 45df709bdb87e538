"""Assigned partitions: which records are still to be handled, and what a save claims."""

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
    """Two topics of one partition number, and another number."""
    made = AssignedPartitions()
    made.assign({HERE: Position(5, 2, 77), TWIN: Position(8, 3), ELSEWHERE: Position(0, 1)})
    return made


@pytest.mark.parametrize(
    ("offsets", "ahead"),
    [((3, 4), ()), ((4, 5, 6), (5, 6)), ((5, 6), (5, 6)), ((9,), (9,)), ((), ())],
)
def test_records_at_or_after_the_stored_offset_are_ahead(
    assigned: AssignedPartitions, offsets: tuple[int, ...], ahead: tuple[int, ...]
) -> None:
    assert tuple(r.offset for r in assigned.ahead(records(*offsets))) == ahead


def test_records_of_other_partitions_are_not(assigned: AssignedPartitions) -> None:
    assigned.assign({TWIN: Position(0, 1)})
    assert assigned.ahead(records(0, 1)) == []


def test_every_topic_of_a_partition_number_is_claimed(assigned: AssignedPartitions) -> None:
    (last,) = records(9)
    assert assigned.claims({HERE.partition}, [*records(5), last]) == [
        Claim(TWIN.topic, TWIN.partition, 8, 8, 3),
        Claim(HERE.topic, HERE.partition, 5, 10, 2, last.timestamp),
    ]


def test_a_saved_claim_moves_the_offset_and_keeps_the_epoch(assigned: AssignedPartitions) -> None:
    assigned.advance(assigned.claims({HERE.partition}, records(9)))
    assert assigned.positions[HERE].next_offset == 10
    assert assigned.positions[HERE].epoch == 2
    assert assigned.positions[ELSEWHERE] == Position(0, 1)


def test_a_partition_that_was_lost_during_the_save_stays_lost(assigned: AssignedPartitions) -> None:
    claims = assigned.claims({HERE.partition}, records(9))
    assert assigned.clear().keys() == {HERE, TWIN, ELSEWHERE}
    assigned.advance(claims)
    assert assigned.positions == {}
    assert assigned.numbers == set()
