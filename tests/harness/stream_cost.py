"""What many open streams cost a process of ordering: memory, processor at rest, and how soon news arrives.

`python -m tests.harness.stream_cost [--streams N] [--seconds N] [--orders N]` on a stack of its own. Each
stream is another patient's; orders are placed for some of them. The clients are not in ordering's process.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from cli.directory import apply_directory, read_directory
from cli.up import start_everything
from deploy.local import LocalStack, StackOptions, free_ports
from schemas.access import Party
from tests.harness.made import a_patient, an_order, as_json
from tests.harness.streams import Stream, stream

EXAMPLE = Path(__file__).parents[2] / "deploy" / "example" / "directory.yaml"
AT_ONCE = 20


@dataclass(frozen=True)
class Listener:
    """A patient with an open stream."""

    patient: str
    headers: dict[str, str]
    stream: Stream


class Ordering:
    """A process of ordering, and clients of it."""

    def __init__(
        self, stack: LocalStack, listening: httpx.AsyncClient, asking: httpx.AsyncClient
    ) -> None:
        self._stack, self._listening, self._asking = stack, listening, asking
        self._process = psutil.Process(stack.pids["ordering"])
        self._turns = asyncio.Semaphore(AT_ONCE)

    @property
    def mib(self) -> float:
        """Resident memory of the process."""
        return float(self._process.memory_info().rss) / 2**20

    def processor_s(self) -> float:
        """Seconds of processor that the process has used."""
        used = self._process.cpu_times()
        return float(used.user + used.system)

    async def percent(self, seconds: float) -> float:
        """How much of one processor it uses in so many seconds from now."""
        before = self.processor_s()
        await asyncio.sleep(seconds)
        return 100 * (self.processor_s() - before) / seconds

    async def listener(self, opened: AsyncExitStack) -> Listener:
        """Open a stream of a new patient."""
        patient = a_patient()
        token = self._stack.token(Party.PATIENT, sub=patient, patients=(patient,))
        headers = {"authorization": f"Bearer {token}"}
        url = f"{self._stack.endpoints['ordering']}/patients/{patient}/events"
        async with self._turns:
            listening = await opened.enter_async_context(stream(self._listening, url, headers))
            await listening.begin(60)
        return Listener(patient, headers, listening)

    async def news_ms(self, listener: Listener) -> float:
        """Milliseconds from sending an order to the event that it is decided."""
        order = as_json(an_order(listener.patient))
        del order["placed_by"]
        url = f"{self._stack.endpoints['ordering']}/orders"
        async with self._turns:
            began_s = time.perf_counter()
            taken = await self._asking.post(url, json=order, headers=listener.headers)
            assert taken.status_code == 202, taken.text
            assert await listener.stream.next(30) is not None
            return (time.perf_counter() - began_s) * 1000


async def measure(folder: Path, streams: int, seconds: float, orders: int) -> Sequence[str]:
    """Measure; returns lines to print."""
    async with LocalStack(StackOptions.at(folder, free_ports())) as stack:
        await start_everything(stack)
        await apply_directory(stack.kafka, read_directory(EXAMPLE))
        limits = httpx.Limits(max_connections=None)
        async with (
            httpx.AsyncClient(limits=limits, timeout=60) as listening,
            httpx.AsyncClient(timeout=60) as asking,
            AsyncExitStack() as opened,
        ):
            ordering = Ordering(stack, listening, asking)
            await ordering.listener(opened)
            lines = [await _line(ordering, "1 stream", seconds)]
            listeners = await asyncio.gather(
                *(ordering.listener(opened) for _ in range(streams - 1))
            )
            lines.append(await _line(ordering, f"{streams} streams", seconds))
            used_s = ordering.processor_s()
            ms = await asyncio.gather(*(ordering.news_ms(each) for each in listeners[:orders]))
            used_ms = (ordering.processor_s() - used_s) * 1000 / orders
            median, high = statistics.median(ms), statistics.quantiles(ms, n=100)[98]
            lines.append(
                f"order to event: {median:.0f} ms, p99 {high:.0f} ms; {used_ms:.1f} ms of processor each"
            )
        return lines


async def _line(ordering: Ordering, what: str, seconds: float) -> str:
    percent = await ordering.percent(seconds)
    return f"{what}: {ordering.mib:.0f} MiB, {percent:.1f} % of one processor at rest"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--orders", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = asyncio.run(measure(Path(folder), options.streams, options.seconds, options.orders))
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
