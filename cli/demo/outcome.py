"""The result of a demo run."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cli.demo.chapters import Chapter
from cli.demo.proof import Proof


@dataclass(frozen=True)
class Outcome:
    """The result of a demo run. Times in seconds, latencies in milliseconds."""

    proof: Proof
    refused: dict[UUID, int]
    latency_ms: list[float]
    start_s: float
    run_s: float
    counts: dict[str, dict[str, int]]
    """Orders by practice and channel, from metrics."""
    example: dict[str, Any]
    """One patient's automatic answer."""
    chapters: Sequence[Chapter]
    """What the rules say of one patient's orders, in words."""

    def latency(self, percentile: int) -> float:
        """Compute a percentile of the latency from order to answer, in ms."""
        if len(self.latency_ms) < 2:
            return self.latency_ms[0] if self.latency_ms else 0.0
        return statistics.quantiles(self.latency_ms, n=100, method="inclusive")[percentile - 1]
