"""Noticing that records wait while nothing moves."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition


@dataclass(frozen=True, slots=True)
class Standstill:
    """A partition that has had the same next offset for `seconds`; `offsets` wait, the end not included."""

    partition: TopicPartition
    seconds: float
    offsets: tuple[int, int]

    @property
    def records(self) -> int:
        """How many wait."""
        return self.offsets[1] - self.offsets[0]

    def __str__(self) -> str:
        noun = "record" if self.records == 1 else "records"
        return (
            f"{self.partition.topic}-{self.partition.partition} has stood still for"
            f" {self.seconds:.0f} s with {self.records:,} {noun} waiting"
        )


class Stall:
    """Remembers since when the same record has been the next one of a partition."""

    def __init__(self) -> None:
        self._waiting: Mapping[TopicPartition, tuple[int, int]] = {}
        self._since: dict[TopicPartition, tuple[int, float]] = {}

    def note(self, waiting: Mapping[TopicPartition, tuple[int, int]], now_s: float) -> None:
        """The next offset and the end of each partition that has records waiting, at `now_s` (monotonic)."""
        self._waiting = waiting
        self._since = {
            tp: before
            if (before := self._since.get(tp)) and before[0] == next_offset
            else (next_offset, now_s)
            for tp, (next_offset, _) in waiting.items()
        }

    def standing(self, now_s: float) -> list[Standstill]:
        """The partitions in which records wait, in order, with how long each has stood still."""
        return [
            Standstill(tp, now_s - self._since[tp][1], offsets)
            for tp, offsets in sorted(self._waiting.items())
        ]

    def seconds(self, now_s: float) -> float:
        """How long the longest-waiting partition has stood still; 0 when none waits."""
        return max((now_s - since for _, since in self._since.values()), default=0.0)
