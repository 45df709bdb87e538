"""The command itself: audit, rebuild, show."""

import asyncio
import logging
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from aiokafka.errors import KafkaError

from cli.audit import Signature
from cli.console import UserError, stderr, stdout
from cli.rebuild import audit
from cli.rebuild.show import progress, show
from runtime.errors import CannotRun
from runtime.observability.logs import errors_only
from runtime.rebuild.declared import Rebuild
from runtime.rebuild.report import Progress, Result
from runtime.rebuild.run import Options, run
from schemas.topics import SERVICES
from verify.gather import database_dsn

_AWAY = (
    KafkaError,
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
"""A server cannot be reached, or refuses; any other error is a mistake of ours and shows as one."""


@dataclass(frozen=True)
class Wish:
    """Which service's projections, where; `postgres` is an administrator's DSN.

    `accept_loss`, `compare_only` and `processes` are as in `runtime.rebuild.run.Options`.
    """

    service: str
    kafka: str
    postgres: str
    signed: Signature
    accept_loss: bool = False
    compare_only: bool = False
    processes: int = 0


def run_rebuild(wish: Wish, json: Path | None) -> bool:
    """Rebuild and show what came of it; whether the running tables were as they should be.

    Raises:
        UserError: it cannot or may not be done; then the running tables are as they were.
    """
    rebuild = declared(wish.service)
    # Kafka's client logs each failed attempt with its own words; the user gets one sentence.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    errors_only()
    try:
        with progress(stderr()) as told:
            result = asyncio.run(_rebuild(rebuild, wish, told))
    except CannotRun as error:
        raise UserError(f"{wish.service} is not rebuilt: {error}.") from error
    except _AWAY as error:
        if isinstance(error, ValueError):
            raise  # asyncpg cannot take an argument of ours
        raise UserError(
            f"{wish.service} is not rebuilt: Kafka at {wish.kafka} or PostgreSQL is away, or refuses"
            f" ({type(error).__name__})."
        ) from error
    if json is not None:
        json.write_bytes(orjson.dumps(figures(result), option=orjson.OPT_INDENT_2))
    show(wish.service, result, stdout())
    return not any(difference.any for difference in result.differences)


def declared(service: str) -> Rebuild[Any]:
    """What a service says of its projections. Raises UserError for one that has none."""
    if service not in SERVICES:
        raise UserError(f"There is no service {service}; there are {', '.join(SERVICES)}.")
    if find_spec(f"services.{service}.rebuild") is None:
        raise UserError(
            f"{service} has no projection: its tables are its own state, which follows from no topic"
            " that keeps everything. `herhaal restore` brings it back from a backup."
        )
    found: Rebuild[Any] = import_module(f"services.{service}.rebuild").REBUILD
    return found


def figures(result: Result) -> dict[str, Any]:
    """What `--json` writes."""
    return {
        "switched": result.switched,
        "records": result.records,
        "seconds": round(result.seconds, 2),
        "bulk": asdict(result.bulk)
        | {
            "seconds": round(result.bulk.seconds, 3),
            "records_per_s": round(result.bulk.records_per_s),
        },
        "tables": {d.table: asdict(d) for d in result.differences},
        "refused": dict(result.refused),
    }


async def _rebuild(rebuild: Rebuild[Any], wish: Wish, told: Progress) -> Result:
    options = Options(
        wish.kafka,
        database_dsn(wish.postgres, wish.service),
        wish.accept_loss,
        wish.compare_only,
        wish.processes,
    )
    if wish.compare_only:
        return await run(rebuild, options, told)
    await _audit(wish, audit.ASKED)
    try:
        result = await run(rebuild, options, told)
    except CannotRun:
        await _audit(wish, audit.REFUSED)
        raise
    await _audit(wish, audit.SWITCHED, result)
    return result


async def _audit(wish: Wish, result: str, came: Result | None = None) -> None:
    line = await audit.keep(
        wish.kafka,
        wish.service,
        wish.signed,
        result,
        accept_loss=wish.accept_loss,
        differences=came.differences if came else None,
    )
    stderr().print(line, markup=False, highlight=False, soft_wrap=True)
