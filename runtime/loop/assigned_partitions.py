"""The partitions that are assigned to a worker, with their stored offsets."""

from collections.abc import Iterable, Mapping

from aiokafka import TopicPartition

from runtime.messages.message import Record, runs
from runtime.messages.positions import Claim, Position


class AssignedPartitions:
    """Changes with the assignment and with each save; empty when the worker may handle nothing."""

    def __init__(self) -> None:
        self._positions: dict[TopicPartition, Position] = {}

    @property
    def positions(self) -> Mapping[TopicPartition, Position]:
        """The stored offset of each."""
        return self._positions

    @property
    def numbers(self) -> set[int]:
        """Their partition numbers, of whatever topic."""
        return {tp.partition for tp in self._positions}

    def assign(self, positions: Mapping[TopicPartition, Position]) -> None:
        """These and no others."""
        self._positions = dict(positions)

    def clear(self) -> Mapping[TopicPartition, Position]:
        """None any more; the last stored offsets."""
        cleared, self._positions = self._positions, {}
        return cleared

    def ahead(self, records: Iterable[Record]) -> list[Record]:
        """Records of assigned partitions at or after the stored offset."""
        ahead: list[Record] = []
        for tp, run in runs(records):
            position = self._positions.get(tp)
            if position is None:
                continue
            overlaps = run[0].offset < position.next_offset
            ahead += [r for r in run if r.offset >= position.next_offset] if overlaps else run
        return ahead

    def claims(self, partitions: set[int], records: Iterable[Record] = ()) -> list[Claim]:
        """A claim for every topic of these partition numbers, moved past the last of these records."""
        last = {(r.topic, r.partition): r for r in records}
        return [
            _claim(tp, position, last.get(tp))
            for tp, position in sorted(self._positions.items())
            if tp.partition in partitions
        ]

    def advance(self, claims: Iterable[Claim]) -> None:
        """These claims were saved; partitions that were lost meanwhile stay lost."""
        for claim in claims:
            tp = TopicPartition(claim.topic, claim.partition)
            if tp in self._positions:
                self._positions[tp] = Position(claim.next_offset, claim.epoch, claim.last_ms)


def _claim(tp: TopicPartition, position: Position, last: Record | None) -> Claim:
    next_offset, last_ms = (
        (last.offset + 1, last.timestamp) if last else (position.next_offset, position.last_ms)
    )
    return Claim(tp.topic, tp.partition, position.next_offset, next_offset, position.epoch, last_ms)
