"""Assigns partitions to the members of a service's group: the same numbers of every topic to one member."""

from collections.abc import Mapping

from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)


class CoPartitionAssignor(RangePartitionAssignor):  # type: ignore[misc]
    """Gives each member a range of partition numbers, in all topics that it has subscribed to.

    Kafka's range assignor does so per topic, among the members that have subscribed to it. While a new system's
    topic is known to some members only, they would share its partitions among themselves, and records of one
    patient would go to two workers. Here the member that has the number waits until it knows the topic too.
    """

    name = "co-partition"

    @classmethod
    def assign(
        cls, cluster: object, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Assign partitions to the members, by id."""
        assignment: dict[str, dict[str, list[int]]] = {member: {} for member in members}
        ordered = sorted(members)
        for topic in sorted({t for m in members.values() for t in m.subscription}):
            # None: the leader does not know the topic yet. It joins again when it does.
            numbers = sorted(cluster.partitions_for_topic(topic) or ())  # type: ignore[attr-defined]
            for number in numbers:
                owner = ordered[number * len(ordered) // len(numbers)]
                if topic in members[owner].subscription:
                    assignment[owner].setdefault(topic, []).append(number)
        return {
            member: ConsumerProtocolMemberAssignment(cls.version, sorted(topics.items()), b"")
            for member, topics in assignment.items()
        }
