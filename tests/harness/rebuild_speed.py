"""How fast metrics is rebuilt, against a plain consumer that only reads the same records.

`python -m tests.harness.rebuild_speed [--events N] [--rounds N] [--json FILE]` on a stack of its own; both
are measured in turn, each round on the same records. Rebuilding is the command itself, from its start to
the switch.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.topics.commands import prepare
from deploy.local import LocalStack, StackOptions, free_ports
from runtime.kafka_address import client_options
from schemas.topics import ORDERS_EVENTS
from tests.harness.bulk import Bulk
from verify.at_rest import wait_until_at_rest

ROOT = Path(__file__).parents[2]
REST_S = 600.0
GOAL_PER_S = 40_000
GOAL_RATIO = 0.8


@dataclass(frozen=True)
class Round:
    """Events per second: `raw` read only, `bulk` in the bulk phase, `whole` from first connection to switch."""

    raw: float
    bulk: float
    whole: float
    processes: int

    @property
    def met(self) -> bool:
        """Whether the rebuild reached the goal."""
        return self.whole >= min(GOAL_PER_S, GOAL_RATIO * self.raw)


async def measure(folder: Path, events: int, rounds: int) -> list[Round]:
    """Measure rounds on one stack, with this many events that metrics has counted before."""
    async with LocalStack(StackOptions.at(folder, free_ports())) as stack:
        await stack.start_kafka()
        await prepare(stack.kafka, 1)
        await stack.start_postgres()
        await stack.start_services()
        await stack.services_ready()
        await Bulk().publish(stack.kafka, events)
        left = await wait_until_at_rest(stack.kafka, stack.postgres, REST_S)
        assert not left, f"the services are not done: {left}"
        for service in ("ordering", "medication", "notification"):
            await stack.stop(service)
        return [await _round(stack, folder / "figures.json") for _ in range(rounds)]


async def _round(stack: LocalStack, file: Path) -> Round:
    raw = await raw_per_s(stack.kafka)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "rebuild", "metrics"),
        *("--kafka", stack.kafka, "--postgres", stack.postgres, "--json", str(file)),
        cwd=ROOT,
        stdout=sys.stderr,
    )
    assert await process.wait() == 0, "the rebuild failed"
    figures = json.loads(await asyncio.to_thread(file.read_bytes))
    differences = [t for t in figures["tables"].values() if t["added"] or t["changed"] or t["gone"]]
    assert figures["switched"], "it is the switch that counts"
    assert not differences, differences
    return Round(
        round(raw),
        figures["bulk"]["records_per_s"],
        round(figures["records"] / figures["seconds"]),
        figures["bulk"]["processes"],
    )


async def raw_per_s(kafka: str) -> float:
    """Records per second that a plain aiokafka consumer reads from the same topic."""
    consumer = AIOKafkaConsumer(**client_options(kafka), enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [
            TopicPartition(ORDERS_EVENTS.name, n) for n in range(ORDERS_EVENTS.partitions)
        ]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning()
        began_s, read = time.monotonic(), 0
        while left := [tp for tp in partitions if await consumer.position(tp) < ends[tp]]:
            for records in (await consumer.getmany(*left, timeout_ms=200)).values():
                read += len(records)
        return read / (time.monotonic() - began_s)
    finally:
        await consumer.stop()


def main() -> int:
    """Measure, print a line per round and the medians; return 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=240_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="herhaal-speed-") as folder:
        rounds = asyncio.run(measure(Path(folder), options.events, options.rounds))
    if options.json:
        options.json.write_text(json.dumps([asdict(r) for r in rounds], indent=2))
    for one in rounds:
        _say(f"raw {one.raw:,.0f}/s  bulk {one.bulk:,.0f}/s  whole {one.whole:,.0f}/s")
    raw, whole = (statistics.median(getattr(r, name) for r in rounds) for name in ("raw", "whole"))
    goal = min(GOAL_PER_S, GOAL_RATIO * raw)
    _say(f"median: {whole:,.0f}/s rebuilt, {whole / raw:.2f} of raw; the goal is {goal:,.0f}/s")
    return 0 if whole >= goal else 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
