"""How long it takes to try a policy on a practice's year, and what other requests notice of it.

`python -m tests.harness.trial_speed [--patients N] [--times N]` on a stack of its own, with rows made by the
rules themselves. Prints seconds of each trial over HTTP, of ordering's processor too, and milliseconds of small
requests meanwhile and alone.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil

from cli.directory import apply_directory, read_directory
from cli.up import start_everything
from deploy.local import LocalStack, StackOptions, free_ports
from schemas.access import Party
from tests.harness.made import PRACTICE
from tests.harness.past_orders import MadePractice, fill, lines_of

EXAMPLE = Path(__file__).parents[2] / "deploy" / "example" / "directory.yaml"
TRIED = {"policy": {"approver": "gp", "too_early_days": 7}, "months": 12}
PAUSE_S = 0.02


async def measure(folder: Path, patients: int, times: int) -> Sequence[str]:
    """Measure; returns lines to print."""
    rows = [*MadePractice(patients).rows(datetime.now(UTC))]
    async with LocalStack(StackOptions.at(folder, free_ports())) as stack:
        await start_everything(stack)
        await apply_directory(stack.kafka, read_directory(EXAMPLE))
        await fill(stack.postgres, rows)
        token = stack.token(Party.GP, practice=PRACTICE)
        headers = {"authorization": f"Bearer {token}"}
        base = stack.endpoints["ordering"]
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=90) as http:
            alone = await _small_requests(http, asyncio.create_task(asyncio.sleep(5)))
            lines = [f"{len(rows)} orders, {lines_of(rows)} lines", _spread("alone", alone)]
            for _ in range(times):
                lines += await _one(http, psutil.Process(stack.pids["ordering"]))
            return lines


async def _one(http: httpx.AsyncClient, process: psutil.Process) -> Sequence[str]:
    began_s, before = time.perf_counter(), process.cpu_times()
    trial = asyncio.create_task(http.post(f"/practices/{PRACTICE}/policy-trials", json=TRIED))
    meanwhile = await _small_requests(http, trial)
    took_s = time.perf_counter() - began_s
    now = process.cpu_times()
    used_s = now.user + now.system - before.user - before.system
    found = (await trial).raise_for_status().json()
    what = f"{found['judged']} of {found['lines']} judged, {found['changed']} changed"
    return [f"{took_s:.1f} s, {used_s:.1f} s of processor: {what}", _spread("meanwhile", meanwhile)]


async def _small_requests(http: httpx.AsyncClient, until: asyncio.Task[Any]) -> list[float]:
    """Milliseconds of small requests, one after the other, until something is done."""
    took_ms = []
    while not until.done():
        began_s = time.perf_counter()
        (await http.get(f"/practices/{PRACTICE}/policy")).raise_for_status()
        took_ms.append((time.perf_counter() - began_s) * 1000)
        await asyncio.sleep(PAUSE_S)
    return took_ms


def _spread(what: str, ms: Sequence[float]) -> str:
    cuts = statistics.quantiles(ms, n=100)
    return (
        f"  small requests {what}: p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms, {len(ms)} of them"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = asyncio.run(measure(Path(folder), options.patients, options.times))
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
