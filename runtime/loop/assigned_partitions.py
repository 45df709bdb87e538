"""The partitions assigned to a worker, with their positions."""

from collections.abc import Iterable, Mapping

from aiokafka import TopicPartition

from runtime.messages.message import Record, runs
from runtime.messages.positions import Claim, Position


class AssignedPartitions:
    """Positions by partition. Empty while the worker may not handle records."""

    def __init__(self) -> None:
        self._positions: dict[TopicPartition, Position] = {}

    @property
    def positions(self) -> Mapping[TopicPartition, Position]:
        """The stored position of each assigned partition."""
        return self._positions

    @property
    def numbers(self) -> set[int]:
        """Partition numbers of the assigned partitions, over all topics."""
        return {tp.partition for tp in self._positions}

    def assign(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Replace the assignment."""
        self._positions = dict(positions)

    def clear(self) -> Mapping[TopicPartition, Position]:
        """Remove all partitions; returns their last positions."""
        cleared, self._positions = self._positions, {}
        return cleared

    def unhandled(self, records: Iterable[Record]) -> list[Record]:
        """Records of assigned partitions at or after the stored offset."""
        unhandled: list[Record] = []
        for tp, run in runs(records):
            position = self._positions.get(tp)
            if position is None:
                continue
            overlaps = run[0].offset < position.next_offset
            unhandled += [r for r in run if r.offset >= position.next_offset] if overlaps else run
        return unhandled

    def claims(self, partitions: set[int], records: Iterable[Record] = ()) -> list[Claim]:
        """Make claims for all topics of these partition numbers, advanced past the last of `records`."""
        last = {(r.topic, r.partition): r for r in records}
        return [
            _claim(tp, position, last.get(tp))
            for tp, position in sorted(self._positions.items())
            if tp.partition in partitions
        ]

    def advance(self, claims: Iterable[Claim]) -> None:
        """Store the positions of saved claims. Partitions revoked during the save are skipped."""
        for claim in claims:
            tp = TopicPartition(claim.topic, claim.partition)
            if tp in self._positions:
                self._positions[tp] = Position(claim.next_offset, claim.epoch, claim.last_ms)


def _claim(tp: TopicPartition, position: Position, last: Record | None) -> Claim:
    next_offset, last_ms = (
        (last.offset + 1, last.timestamp) if last else (position.next_offset, position.last_ms)
    )
    return Claim(tp.topic, tp.partition, position.next_offset, next_offset, position.epoch, last_ms)
