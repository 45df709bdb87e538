"""How fast the portal's pages are at a steady rate, and what many open pages cost its process.

`python -m tests.harness.page_speed [--per-s N] [--seconds N] [--streams N]` on a stack of its own, with the
example region. Requests begin at their time, whatever became of those before. Everybody has a session; the
pages are a patient's, asked in turn. The client is another process than the portal, on the same machine.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from cli.example.fill import fill
from cli.up import start_everything
from deploy.local import LocalStack, StackOptions, free_ports
from portal.session.cookies import SESSION
from schemas.access import Claims, Party
from tests.harness.made import a_patient
from tests.harness.portal import begin_session

PATIENTS = ("pat_example01", "pat_example02", "pat_example03", "pat_example04")
PAGES = ("medicines", "orders", "messages", "me")
MIX = [
    "medicines",
    "orders",
    "medicines",
    "messages",
    "orders",
    "medicines",
    "messages",
    "medicines",
    "orders",
    "me",
]
"""What patients ask for, in ten pages."""
SESSIONS = 5
"""Of each patient."""
AT_ONCE = 20


@dataclass
class Pages:
    """The portal of a stack, asked with sessions of its patients."""

    stack: LocalStack
    http: httpx.AsyncClient
    cookies: list[tuple[str, str]] = field(default_factory=list)
    took_ms: dict[str, list[float]] = field(default_factory=lambda: {page: [] for page in PAGES})
    failed: int = 0

    async def begin(self, patients: Iterable[str]) -> None:
        """Begin a session of each."""
        for patient in patients:
            claims = Claims(sub=patient, role=Party.PATIENT, patients=(patient,))
            self.cookies.append((patient, await begin_session(self.stack, claims, "Petra Proef")))

    async def ask(self, number: int) -> None:
        """Ask for the next page, and note how long it took."""
        patient, cookie = self.cookies[number % len(self.cookies)]
        page = MIX[number % len(MIX)]
        began_s = time.perf_counter()
        answer = await self.http.get(
            f"{self.stack.endpoints['portal']}/patients/{patient}/{page}",
            headers={"Cookie": f"{SESSION}={cookie}"},
        )
        self.took_ms[page].append((time.perf_counter() - began_s) * 1000)
        self.failed += answer.status_code != httpx.codes.OK

    async def steadily(self, per_s: float, seconds: float) -> None:
        """Ask for so many pages a second."""
        began_s = time.monotonic()
        asked = []
        for number in range(int(per_s * seconds)):
            await asyncio.sleep(began_s + number / per_s - time.monotonic())
            asked.append(asyncio.create_task(self.ask(number)))
        await asyncio.gather(*asked)

    def lines(self) -> Sequence[str]:
        """The times, for all pages and for each."""
        every = [ms for times in self.took_ms.values() for ms in times]
        of_pages = [_times(f"  {page}", times) for page, times in self.took_ms.items()]
        return [_times(f"{len(every)} pages, {self.failed} failed", every), *of_pages]


async def measure(folder: Path, per_s: float, seconds: float, streams: int) -> Sequence[str]:
    """Measure; returns lines to print."""
    async with LocalStack(StackOptions.at(folder, free_ports())) as stack:
        await start_everything(stack)
        assert await fill(stack)
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(limits=limits, timeout=60) as http:
            pages = Pages(stack, http)
            await pages.begin(PATIENTS * SESSIONS)
            await pages.steadily(10, 5)
            pages.took_ms = {page: [] for page in PAGES}
            await pages.steadily(per_s, seconds)
            return [*pages.lines(), *await _open_pages(pages, streams, seconds)]


async def _open_pages(pages: Pages, streams: int, seconds: float) -> Sequence[str]:
    """What the portal's process needs without open pages and with them."""
    process = psutil.Process(pages.stack.pids["portal"])
    before = await _cost(process, seconds)
    sessions = Pages(pages.stack, pages.http)
    await sessions.begin(a_patient() for _ in range(streams))
    turns = asyncio.Semaphore(AT_ONCE)
    async with AsyncExitStack() as opened:

        async def open_page(cookie: str) -> None:
            async with turns:
                url = f"{pages.stack.endpoints['portal']}/events"
                headers = {"Cookie": f"{SESSION}={cookie}"}
                answer = await opened.enter_async_context(
                    pages.http.stream("GET", url, headers=headers)
                )
                assert answer.headers["content-type"].startswith("text/event-stream"), answer

        await asyncio.gather(*(open_page(cookie) for _, cookie in sessions.cookies))
        await asyncio.sleep(5)
        after = await _cost(process, seconds)
    return [f"no open page: {before}", f"{streams} open pages: {after}"]


async def _cost(process: psutil.Process, seconds: float) -> str:
    used = process.cpu_times()
    await asyncio.sleep(seconds)
    now = process.cpu_times()
    percent = 100 * (now.user + now.system - used.user - used.system) / seconds
    return f"{process.memory_info().rss / 2**20:.0f} MiB, {percent:.1f} % of one core"


def _times(what: str, ms: Sequence[float]) -> str:
    cuts = statistics.quantiles(ms, n=100)
    return f"{what}: p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, p99 {cuts[98]:.0f} ms"


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--per-s", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--streams", type=int, default=2000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="herhaal-pages-") as folder:
        lines = asyncio.run(measure(Path(folder), given.per_s, given.seconds, given.streams))
    print("\n".join(lines))  # noqa: T201


if __name__ == "__main__":
    main()
