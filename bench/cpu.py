"""Who used the processors while an engine worked: the engine, Kafka, PostgreSQL, the outsider, others.

What others used tells how much a round was disturbed; processor time for each order hardly depends on it.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

from deploy.local import LocalStack

Usage = dict[str, float]
"""Seconds of processor time by who."""

OTHERS = "others"


@dataclass(frozen=True)
class Reading:
    """How much was used until now, and how much there was."""

    used: Usage
    offered_s: float


class Meter:
    """Reads the processor time of these processes and of everything they start."""

    def __init__(self, stack: LocalStack, engine: Sequence[int]) -> None:
        servers = stack.pids
        self._groups: Mapping[str, Sequence[int]] = {
            "engine": engine,
            "kafka": [pid for name, pid in servers.items() if name.startswith("kafka")],
            "postgres": [pid for name, pid in servers.items() if name == "postgres"],
        }

    def read(self) -> Reading:
        """Seconds until now."""
        used = {name: sum(map(_tree_s, pids)) for name, pids in self._groups.items()}
        own = psutil.Process(os.getpid()).cpu_times()
        used["outsider"] = own.user + own.system
        whole = psutil.cpu_times()
        idle_s = whole.idle + whole.iowait
        busy_s = sum(whole) - idle_s - whole.guest - whole.guest_nice
        used[OTHERS] = busy_s - sum(used.values())
        return Reading(used, busy_s + idle_s)


def per_order_us(before: Reading, after: Reading, orders: int) -> dict[str, float]:
    """Microseconds of processor time for each order, by who."""
    return {
        name: round((after.used[name] - used) * 1e6 / orders, 1)
        for name, used in before.used.items()
        if name != OTHERS
    }


def others_share(before: Reading, after: Reading) -> float:
    """The part of all processors that something else on the machine took, from 0 to 1."""
    offered_s = max(1e-9, after.offered_s - before.offered_s)
    return round(max(0.0, after.used[OTHERS] - before.used[OTHERS]) / offered_s, 3)


def _tree_s(pid: int) -> float:
    """A process, its children that have ended, and its descendants that run."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total
