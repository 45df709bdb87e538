"""Judges the outputs of an engine, read from Kafka: complete, correct, and how fast.

The rate comes from the broker's append times of the outputs, so no engine reports its own.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from bench.errors import BenchError
from bench.expect import Digest, output_digest
from bench.fixed_job import LaterRules
from bench.kafka import Output

WARM_UP = 0.15
"""Share of the outputs before the clock starts: group join, compilation, first pages."""

_SHOWN = 5


@dataclass(frozen=True)
class Verdict:
    """The result of a complete and correct run.

    `per_s` is orders per second from the end of the warm-up to the last output, `overall_per_s` from the
    first output on. `duplicates` counts records beyond the first of each order. `reached_ms` is when each
    tenth of the outputs was appended, in ms after the first output.
    """

    orders: int
    duplicates: int
    per_s: float
    overall_per_s: float
    first_ms: int
    last_ms: int
    reached_ms: tuple[int, ...]


@dataclass
class Judge:
    """Judges outputs one by one. `filled_ms` is when the orders were appended: from, until."""

    expected: Mapping[str, Digest]
    decides: bool
    filled_ms: tuple[int, int]
    _first_ms: dict[str, int] = field(default_factory=dict)
    _wrong: list[str] = field(default_factory=list)
    _later: LaterRules = field(default_factory=LaterRules)
    _duplicates: int = 0

    def take(self, output: Output) -> None:
        """Judge one record."""
        body = orjson.loads(output.value)
        order_id = body["order_id"]
        if self.decides:
            self._later.check(body)
        if order_id not in self.expected:
            self._wrong.append(f"{order_id} was never placed")
        elif self.decides and output_digest(output) != self.expected[order_id]:
            self._wrong.append(f"{order_id} was decided otherwise: {output.value.decode()}")
        elif self.decides and not self._is_of_this_run(body):
            self._wrong.append(f"{order_id} has another time than its order: {body['placed_at']}")
        if order_id in self._first_ms:
            self._duplicates += 1
        else:
            self._first_ms[order_id] = output.at_ms

    def verdict(self) -> Verdict:
        """Return the verdict.

        Raises BenchError with later rules that the data triggers, else with missing and wrong outputs.
        """
        self._later.require_none()
        missing = self.expected.keys() - self._first_ms.keys()
        if missing or self._wrong:
            raise BenchError(
                f"{len(missing)} of {len(self.expected)} orders have no output and"
                f" {len(self._wrong)} outputs are wrong:\n"
                + "\n".join([*self._wrong, *(f"{one} is missing" for one in missing)][:_SHOWN])
            )
        return _timed(sorted(self._first_ms.values()), self._duplicates)

    def _is_of_this_run(self, body: Mapping[str, str]) -> bool:
        placed, decided = body["placed_at"], body["decided_at"]
        at_ms = datetime.fromisoformat(placed).timestamp() * 1000
        return placed == decided and self.filled_ms[0] <= at_ms + 1 and at_ms <= self.filled_ms[1]


def judge_outputs(
    outputs: Iterable[Output],
    expected: Mapping[str, Digest],
    decides: bool,
    filled_ms: tuple[int, int],
) -> Verdict:
    """Judge all outputs. Raises BenchError when they are incomplete or wrong."""
    judge = Judge(expected, decides, filled_ms)
    for output in outputs:
        judge.take(output)
    return judge.verdict()


def rate(stamps_ms: Sequence[int], start: float = 0.0, end: float = 1.0) -> float:
    """Compute records per second between two fractions (0 to 1) of sorted append times.

    Records with the start's append time do not count: they were done before the clock started. Raises
    BenchError when nothing was appended later.
    """
    last = len(stamps_ms) - 1
    from_ms, until_ms = stamps_ms[int(last * start)], stamps_ms[int(last * end)]
    if until_ms == from_ms:
        raise BenchError(f"{len(stamps_ms)} outputs came in too few batches to measure a rate.")
    later = bisect_right(stamps_ms, until_ms) - bisect_right(stamps_ms, from_ms)
    return later * 1000 / (until_ms - from_ms)


def _timed(stamps_ms: Sequence[int], duplicates: int) -> Verdict:
    return Verdict(
        orders=len(stamps_ms),
        duplicates=duplicates,
        per_s=rate(stamps_ms, WARM_UP),
        overall_per_s=rate(stamps_ms),
        first_ms=stamps_ms[0],
        last_ms=stamps_ms[-1],
        reached_ms=tuple(
            stamps_ms[int((len(stamps_ms) - 1) * tenth / 10)] - stamps_ms[0]
            for tenth in range(1, 11)
        ),
    )
