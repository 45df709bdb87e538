"""CPU time while an engine works, of the engine, Kafka, PostgreSQL, the outsider (this process) and others.

The share of others shows how much a round was disturbed. CPU time per order hardly depends on it.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

from deploy.local import LocalStack

Usage = dict[str, float]
"""CPU time in seconds, by user."""

OTHERS = "others"


@dataclass(frozen=True)
class Reading:
    """CPU time used until now, and CPU time available until now."""

    used: Usage
    offered_s: float


class Meter:
    """Reads the CPU time of processes and their descendants."""

    def __init__(self, stack: LocalStack, engine: Sequence[int]) -> None:
        servers = stack.pids
        self._groups: Mapping[str, Sequence[int]] = {
            "engine": engine,
            "kafka": [pid for name, pid in servers.items() if name.startswith("kafka")],
            "postgres": [pid for name, pid in servers.items() if name == "postgres"],
        }

    def read(self) -> Reading:
        """Read the CPU time until now."""
        used = {name: sum(map(_tree_s, pids)) for name, pids in self._groups.items()}
        own = psutil.Process(os.getpid()).cpu_times()
        used["outsider"] = own.user + own.system
        whole = psutil.cpu_times()
        idle_s = whole.idle + whole.iowait
        busy_s = sum(whole) - idle_s - whole.guest - whole.guest_nice
        used[OTHERS] = busy_s - sum(used.values())
        return Reading(used, busy_s + idle_s)


def per_order_us(before: Reading, after: Reading, orders: int) -> dict[str, float]:
    """Compute the CPU time per order, in microseconds, by user."""
    return {
        name: round((after.used[name] - used) * 1e6 / orders, 1)
        for name, used in before.used.items()
        if name != OTHERS
    }


def others_share(before: Reading, after: Reading) -> float:
    """Compute the share of all CPU time that other programs used, from 0 to 1."""
    offered_s = max(1e-9, after.offered_s - before.offered_s)
    return round(max(0.0, after.used[OTHERS] - before.used[OTHERS]) / offered_s, 3)


def _tree_s(pid: int) -> float:
    """Sum the CPU time of a process, its finished children and its running descendants."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total
