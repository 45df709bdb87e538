"""`herhaal verify`: wait until the system is at rest, dump it, check it, print the verdict."""

import asyncio
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from aiokafka.errors import KafkaError

from cli.console import ConsoleReport, UserError, stdout
from cli.postgres import safe_dsn
from cli.verify.show import show
from deploy.local.data import DataFolder
from runtime.kafka_address import servers_of
from verify.at_rest import wait_until_at_rest
from verify.checker import Verdict, check
from verify.dump import Dump, save
from verify.gather import take_dump
from verify.history import HistoryDamaged, Operation, read_history

_UNAVAILABLE = (KafkaError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass(frozen=True)
class Options:
    """What to verify and where to write; `postgres` is an administrator's DSN, `wait_s` in seconds."""

    kafka: str = field(repr=False)
    postgres: str = field(repr=False)
    history: Path | None = None
    json: Path | None = None
    dump: Path | None = None
    wait_s: float = 30.0


def addresses(data: Path, kafka: str | None, postgres: str | None) -> tuple[str, str]:
    """Take the given Kafka and PostgreSQL, else those of the stack that runs on a data folder.

    Raises UserError when no stack runs there, or PostgreSQL needs TLS.
    """
    if kafka and postgres:
        return kafka, safe_dsn(postgres)
    endpoints = DataFolder(data).running_endpoints()
    if endpoints is None:
        raise UserError(
            f"No stack runs on {data}: start one with ./herhaal up, name another folder with"
            " --data, or give both --kafka and --postgres."
        )
    return kafka or endpoints["kafka"], safe_dsn(postgres or endpoints["postgres"])


def run_verify(options: Options) -> bool:
    """Verify a live system and print the verdict. Return whether it is clean.

    Raises UserError when the system or the history cannot be read.
    """
    history = _history(options.history)
    with ConsoleReport() as report:
        report.status("Waiting until the system is at rest …")
        left, dump, taken_s = _gather(options)
        report.status("Checking …")
        started = time.monotonic()
        verdict = check(history, dump)
        checked_s = time.monotonic() - started
    if options.dump is not None:
        _save(dump, options.dump)
    seconds = {"dump": round(taken_s, 2), "check": round(checked_s, 2)}
    if options.json is not None:
        options.json.write_bytes(
            orjson.dumps(as_json(verdict, left, seconds), option=orjson.OPT_INDENT_2)
        )
    show(verdict, left, seconds, stdout())
    return verdict.clean and not left


async def gather(options: Options) -> tuple[list[str], Dump]:
    """Dump everything, with what is still going on after `wait_s`.

    Raises:
        KafkaError, OSError, TimeoutError, asyncpg.PostgresError: a server is unavailable or refuses.
    """
    left = await wait_until_at_rest(options.kafka, options.postgres, options.wait_s)
    return left, await take_dump(options.kafka, options.postgres)


def as_json(verdict: Verdict, left: list[str], seconds: dict[str, float]) -> dict[str, Any]:
    """Make the content of the `--json` file."""
    return {
        "clean": verdict.clean and not left,
        "at_rest": not left,
        "still_going_on": left,
        "counts": asdict(verdict.counts),
        "rules": {rule: len(found) for rule, found in verdict.by_rule.items()},
        "violations": [asdict(violation) for violation in verdict.violations],
        "seconds": seconds,
    }


def _gather(options: Options) -> tuple[list[str], Dump, float]:
    started = time.monotonic()
    try:
        left, dump = asyncio.run(gather(options))
    except _UNAVAILABLE as error:
        raise UserError(
            f"Kafka at {servers_of(options.kafka)} or PostgreSQL could not be read ({type(error).__name__})."
        ) from error
    return left, dump, time.monotonic() - started


def _history(path: Path | None) -> list[Operation] | None:
    if path is None:
        return None
    try:
        return read_history(path)
    except (OSError, HistoryDamaged) as error:
        raise UserError(f"The history {path} cannot be read: {error}.") from error


def _save(dump: Dump, folder: Path) -> None:
    try:
        save(dump, folder)
    except OSError as error:
        raise UserError(f"The dump could not be written: {error}.") from error
