"""Overload: orders over HTTP at five times the rate that the service sustains, and a burst over Kafka."""

from pathlib import Path
from statistics import median
from uuid import UUID

import httpx
import pytest

from deploy.local import LocalStack
from samples.callers import Permitted
from schemas import topics
from schemas.topics import SERVICES
from tests.faults.clients import Answer
from tests.faults.flood import Flood
from tests.faults.load import Load
from tests.faults.memory import peaks
from tests.faults.processes import throttled
from tests.faults.rows import Judge
from tests.faults.watch import now, watching
from tests.harness.kafka import eventually, sent
from tests.harness.made import Sent, an_order

pytestmark = [pytest.mark.crowd, pytest.mark.timeout(900)]

PER_S = 10.0
CLIENTS = 64
TIMES = 5
AT_LEAST = 1.5
"""At least this multiple of the sustained rate must reach the service.

A refusal costs a quarter to a third of what an accepted order costs. Orders beyond the rate at which the
service can refuse find no free connection and are not sent.
"""

SHARE = 0.1
"""Share of the time in which the service runs: clients at this rate need the machine as well."""

MOST_MB = 300.0
"""Memory (RSS) that no service may exceed, whatever the load."""

NORMAL = 3.0
"""Latency is normal again at this multiple of the latency before the overload, or below."""

QUICK_S = 0.1
"""A latency that always counts as normal: on a busy machine a median of a few milliseconds easily triples."""


async def test_five_times_what_http_sustains_is_refused_in_time_and_loses_nothing(
    disturbed: LocalStack, judge: Judge, load: Load, tmp_path: Path, soak: bool
) -> None:
    """Given open connections and a service that runs a tenth of the time; when five times the orders that it
    sustains are offered; then it refuses the excess with Retry-After, loses nothing and recovers.
    """
    tokens = Permitted(disturbed.token)
    flood = Flood(disturbed.endpoints["ordering"], tokens, load, tmp_path / "flood.jsonl")
    seconds = 60.0 if soak else 6.0
    async with load.running(PER_S), peaks(disturbed, SERVICES) as most_mb:
        await load.clients.connected.wait()
        before = await flood.in_turn(1, 1.0)
        async with throttled(disturbed.process("ordering").pid, SHARE):
            sustained = max([_taken(await flood.in_turn(CLIENTS, 1.0)) for _ in range(3)])
            answers = await flood.at(TIMES * sustained, seconds)
        calm = now()
        await _as_before(disturbed, flood, before)
        recovery_s = now().monotonic_s - calm.monotonic_s
    came = len(answers) / seconds / sustained
    what = f"{TIMES} × the {sustained} orders/s that HTTP sustains on a tenth of the time, {came:.1f} × came"
    row = await judge.judge(flood, what, "ordering", recovery_s)
    assert row.clean
    assert came > AT_LEAST
    assert {answer.status for answer in answers} <= {202, 429, 503}
    assert _taken(answers) < len(answers), "it was too much"
    assert all(answer.retry_after for answer in answers if answer.status != 202)
    assert max(most_mb.values()) < MOST_MB, most_mb


def _taken(answers: list[Answer]) -> int:
    return sum(answer.status == 202 for answer in answers)


async def _as_before(stack: LocalStack, flood: Flood, before: list[Answer]) -> None:
    """Wait until the service is ready and answers as quickly as before the overload."""

    async def look() -> tuple[int, float]:
        async with httpx.AsyncClient() as http:
            ready = (await http.get(f"{stack.endpoints['ordering']}/readyz")).status_code
        return ready, _usual_s(await flood.in_turn(1, 0.5))

    normal_s = max(QUICK_S, NORMAL * _usual_s(before))
    await eventually(look, lambda seen: seen[0] == 200 and seen[1] <= normal_s, within_s=60)


def _usual_s(answers: list[Answer]) -> float:
    return median(answer.ended_s - answer.sent_s for answer in answers)


async def test_a_burst_over_kafka_is_worked_off_in_bounded_memory(
    disturbed: LocalStack, judge: Judge, load: Load, soak: bool
) -> None:
    count = 100_000 if soak else 8_000
    orders = [an_order(load.patients[n % len(load.patients)]) for n in range(count)]
    records: list[tuple[UUID | None, Sent]] = [
        (order.order_id, sent(topics.ORDERS_REQUESTS.name, order)) for order in orders
    ]
    async with (
        watching(disturbed) as watch,
        load.running(PER_S),
        peaks(disturbed, SERVICES) as most_mb,
    ):
        await load.clients.connected.wait()
        began_s = await load.clients.burst(records)
        decided_s = await watch.all_decided([order.order_id for order in orders], within_s=300)
    row = await judge.judge(load, f"{count} orders over Kafka at once", "all", decided_s - began_s)
    assert row.clean
    assert max(most_mb.values()) < MOST_MB, most_mb
