"""Noticing that records wait while nothing moves."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition


@dataclass(frozen=True, slots=True)
class Standstill:
    """A partition whose next record has been the same one for `seconds`; `records` wait in it."""

    partition: TopicPartition
    seconds: float
    records: int

    def __str__(self) -> str:
        noun = "record" if self.records == 1 else "records"
        return (
            f"{self.partition.topic}-{self.partition.partition} has stood still for"
            f" {self.seconds:.0f} s with {self.records:,} {noun} waiting"
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    next_offset: int
    since_s: float
    records: int


class Stall:
    """Remembers since when the same record has been the next one of a partition."""

    def __init__(self) -> None:
        self._seen: dict[TopicPartition, _Seen] = {}

    def note(
        self,
        positions: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
        now_s: float,
    ) -> None:
        """The next offset and the end of each partition at `now_s` (monotonic seconds)."""
        self._seen = {
            tp: _Seen(next_offset, self._since(tp, next_offset, now_s), ends[tp] - next_offset)
            for tp, next_offset in positions.items()
            if ends[tp] > next_offset
        }

    def standing(self, now_s: float) -> list[Standstill]:
        """The partitions in which records wait, in order, with how long each has stood still."""
        return [
            Standstill(tp, now_s - seen.since_s, seen.records)
            for tp, seen in sorted(self._seen.items())
        ]

    def seconds(self, now_s: float) -> float:
        """How long the longest-waiting partition has stood still; 0 when none waits."""
        return max((one.seconds for one in self.standing(now_s)), default=0.0)

    def _since(self, tp: TopicPartition, next_offset: int, now_s: float) -> float:
        seen = self._seen.get(tp)
        return seen.since_s if seen and seen.next_offset == next_offset else now_s
