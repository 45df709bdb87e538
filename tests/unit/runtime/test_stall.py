"""A partition stands still while records wait in it and the next one stays the same."""

from aiokafka import TopicPartition

from runtime.loop.stall import Stall, Standstill

HERE, THERE = TopicPartition("orders.requests", 3), TopicPartition("orders.reviews", 3)


def test_nothing_is_stalled_while_nothing_waits() -> None:
    stall = Stall()
    assert stall.seconds(100) == 0
    stall.note({HERE: (5, 6)}, 100)
    stall.note({}, 101)
    assert stall.seconds(200) == 0
    assert stall.standing(200) == []


def test_a_partition_that_moves_is_not_stalled() -> None:
    stall = Stall()
    for now in range(100):
        stall.note({HERE: (now, 1000)}, now)
    assert stall.seconds(100) == 1


def test_the_partition_that_stands_still_longest_counts_whatever_the_others_do() -> None:
    stall = Stall()
    for now in range(40):
        stall.note({HERE: (7, 1425), THERE: (now, 100)}, now)
    assert stall.seconds(40) == 40


def test_it_tells_each_partition_with_how_long_and_how_many_wait() -> None:
    stall = Stall()
    stall.note({HERE: (7, 8), THERE: (1, 1000)}, 100)
    stall.note({HERE: (7, 1425), THERE: (2, 1000)}, 120)
    standing = stall.standing(141)
    assert standing == [Standstill(HERE, 41, (7, 1425)), Standstill(THERE, 21, (2, 1000))]
    assert [one.records for one in standing] == [1418, 998]


def test_a_standstill_reads_as_a_sentence() -> None:
    many, one = Standstill(HERE, 41.2, (7, 1425)), Standstill(HERE, 31.0, (7, 8))
    assert str(many) == "orders.requests-3 has stood still for 41 s with 1,418 records waiting"
    assert str(one) == "orders.requests-3 has stood still for 31 s with 1 record waiting"
