"""The same partition numbers of every topic go to one member, also while members know other topics."""

from collections.abc import Mapping

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata

from runtime.loop.assignor import CoPartitionAssignor

PLAIN, NEW = "orders.requests", "orders.requests.mijnzorg"


class Cluster:
    """Topics with their numbers of partitions."""

    def __init__(self, **topics: int) -> None:
        self.topics = topics

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        count = self.topics.get(topic)
        return None if count is None else set(range(count))


def assigned(cluster: Cluster, **members: tuple[str, ...]) -> dict[str, dict[str, list[int]]]:
    """Assign, and return each member's partitions by topic."""
    metadata: Mapping[str, ConsumerProtocolMemberMetadata] = {
        name: CoPartitionAssignor.metadata(topics) for name, topics in members.items()
    }
    made = CoPartitionAssignor.assign(cluster, metadata)
    return {name: dict(one.assignment) for name, one in made.items()}


CLUSTER = Cluster(**{PLAIN: 8, NEW: 8})


@pytest.mark.parametrize("count", range(1, 10))
def test_each_partition_has_one_owner_and_each_number_one_member(count: int) -> None:
    members = {f"m{n}": (PLAIN, NEW) for n in range(count)}
    made = assigned(CLUSTER, **members)
    for topic in (PLAIN, NEW):
        numbers = [n for one in made.values() for n in one.get(topic, [])]
        assert sorted(numbers) == [*range(8)]
    assert all(one.get(PLAIN) == one.get(NEW) for one in made.values())
    sizes = [len(one.get(PLAIN, ())) for one in made.values()]
    assert max(sizes) - min(sizes) <= 1


def test_a_topic_that_only_one_member_knows_is_not_shared_out_among_those_who_know_it() -> None:
    """Given a new system that only the first member has heard of; then the other's numbers wait for it."""
    made = assigned(CLUSTER, a=(PLAIN, NEW), b=(PLAIN,))
    assert made == {
        "a": {PLAIN: [0, 1, 2, 3], NEW: [0, 1, 2, 3]},
        "b": {PLAIN: [4, 5, 6, 7]},
    }


def test_a_topic_that_the_leader_does_not_know_yet_is_left_out() -> None:
    made = assigned(Cluster(**{PLAIN: 8}), a=(PLAIN, NEW))
    assert made == {"a": {PLAIN: [*range(8)]}}
