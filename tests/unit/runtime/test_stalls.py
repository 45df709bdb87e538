"""A partition is stalled while records wait and its position does not move."""

from aiokafka import TopicPartition

from runtime.loop.stalls import StallDetector, StalledPartition

HERE, THERE = TopicPartition("orders.requests", 3), TopicPartition("orders.reviews", 3)


def test_nothing_is_stalled_without_lag() -> None:
    detector = StallDetector()
    assert detector.longest_s(100) == 0
    detector.update({HERE: (5, 6)}, 100)
    detector.update({}, 101)
    assert detector.longest_s(200) == 0
    assert detector.stalled(200) == []


def test_a_partition_that_moves_is_not_stalled() -> None:
    detector = StallDetector()
    for now in range(100):
        detector.update({HERE: (now, 1000)}, now)
    assert detector.longest_s(100) == 1


def test_the_longest_stall_counts_while_other_partitions_move() -> None:
    detector = StallDetector()
    for now in range(40):
        detector.update({HERE: (7, 1425), THERE: (now, 100)}, now)
    assert detector.longest_s(40) == 40


def test_stalled_partitions_are_listed_with_seconds_and_lag() -> None:
    detector = StallDetector()
    detector.update({HERE: (7, 8), THERE: (1, 1000)}, 100)
    detector.update({HERE: (7, 1425), THERE: (2, 1000)}, 120)
    stalled = detector.stalled(141)
    assert stalled == [
        StalledPartition(HERE, 41, (7, 1425)),
        StalledPartition(THERE, 21, (2, 1000)),
    ]
    assert [one.lag for one in stalled] == [1418, 998]


def test_a_stalled_partition_reads_as_a_sentence() -> None:
    many, one = StalledPartition(HERE, 41.2, (7, 1425)), StalledPartition(HERE, 31.0, (7, 8))
    assert str(many) == "orders.requests-3 has been stalled for 41 s with 1,418 records waiting"
    assert str(one) == "orders.requests-3 has been stalled for 31 s with 1 record waiting"
