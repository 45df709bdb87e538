"""Noticing that records wait while nothing moves."""

from collections.abc import Mapping

from aiokafka import TopicPartition


class Stall:
    """Remembers since when the same record has been the next one of a partition."""

    def __init__(self) -> None:
        self._since: dict[TopicPartition, tuple[int, float]] = {}

    def note(self, waiting: Mapping[TopicPartition, int], now_s: float) -> None:
        """`waiting` is the next offset of each partition that has records waiting, at `now_s` (monotonic)."""
        self._since = {
            tp: before
            if (before := self._since.get(tp)) and before[0] == offset
            else (offset, now_s)
            for tp, offset in waiting.items()
        }

    def seconds(self, now_s: float) -> float:
        """How long the longest-waiting partition has stood still; 0 when none waits."""
        return max((now_s - since for _, since in self._since.values()), default=0.0)
