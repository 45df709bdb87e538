"""Detects stalled partitions: records wait and the position does not move."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition


@dataclass(frozen=True, slots=True)
class StalledPartition:
    """A partition whose position has not moved for `seconds`; `offsets` is its position and end offset."""

    partition: TopicPartition
    seconds: float
    offsets: tuple[int, int]

    @property
    def lag(self) -> int:
        """Number of waiting offsets."""
        return self.offsets[1] - self.offsets[0]

    def __str__(self) -> str:
        noun = "record" if self.lag == 1 else "records"
        return (
            f"{self.partition.topic}-{self.partition.partition} has been stalled for"
            f" {self.seconds:.0f} s with {self.lag:,} {noun} waiting"
        )


class StallDetector:
    """Tracks since when the position of each partition with lag has not moved."""

    def __init__(self) -> None:
        self._lagging: Mapping[TopicPartition, tuple[int, int]] = {}
        self._since: dict[TopicPartition, tuple[int, float]] = {}

    def update(self, lagging: Mapping[TopicPartition, tuple[int, int]], now_s: float) -> None:
        """Set next and end offset of every partition with lag, observed at `now_s` (monotonic clock)."""
        self._lagging = lagging
        self._since = {
            tp: before
            if (before := self._since.get(tp)) and before[0] == next_offset
            else (next_offset, now_s)
            for tp, (next_offset, _) in lagging.items()
        }

    def stalled(self, now_s: float) -> list[StalledPartition]:
        """List all partitions with lag, each with the seconds since its position moved, sorted."""
        return [
            StalledPartition(tp, now_s - self._since[tp][1], offsets)
            for tp, offsets in sorted(self._lagging.items())
        ]

    def longest_s(self, now_s: float) -> float:
        """Seconds of the longest stall; 0 when no partition has lag."""
        return max((now_s - since for _, since in self._since.values()), default=0.0)
