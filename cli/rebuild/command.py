"""Runs the command: audit, rebuild, print the result."""

import asyncio
import logging
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from aiokafka.errors import KafkaError

from cli.audit import Signature
from cli.console import UserError, print_plain, stderr, stdout
from cli.kafka import UNAVAILABLE
from cli.rebuild import audit
from cli.rebuild.show import progress, show
from cli.services import require_service
from runtime.dsn import database_dsn
from runtime.errors import CannotRun
from runtime.kafka_address import servers_of
from runtime.observability.logs import errors_only
from runtime.rebuild.declaration import Rebuild
from runtime.rebuild.report import Progress, Result
from runtime.rebuild.run import Options, run

_UNAVAILABLE = (
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
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
"""A server is unavailable or refuses. Any other error is a bug and ends in a traceback."""


@dataclass(frozen=True)
class RebuildRequest:
    """The service to rebuild, and its servers; `postgres` is an administrator's DSN.

    `accept_loss`, `compare_only` and `processes` are as in `runtime.rebuild.run.Options`.
    """

    service: str
    kafka: str = field(repr=False)
    postgres: str = field(repr=False)
    signed: Signature
    accept_loss: bool = False
    compare_only: bool = False
    processes: int = 0


def run_rebuild(request: RebuildRequest, json: Path | None) -> bool:
    """Rebuild and print the result. Return whether the running tables were right.

    Raises:
        UserError: the rebuild failed or was refused; the running tables are unchanged.
    """
    rebuild = load_rebuild(request.service)
    # The client would log each failed attempt.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    errors_only()
    try:
        with progress(stderr()) as shown:
            result = asyncio.run(_rebuild(rebuild, request, shown))
    except CannotRun as error:
        raise UserError(f"{request.service} is not rebuilt: {error}.") from error
    except _UNAVAILABLE as error:
        if isinstance(error, ValueError):
            # asyncpg.InterfaceError for an invalid argument: a bug.
            raise
        raise UserError(
            f"{request.service} is not rebuilt: Kafka at {servers_of(request.kafka)}"
            f" or PostgreSQL is unavailable or refuses ({type(error).__name__})."
        ) from error
    if json is not None:
        json.write_bytes(orjson.dumps(figures(result), option=orjson.OPT_INDENT_2))
    show(request.service, result, stdout())
    return not any(difference.any for difference in result.differences)


def load_rebuild(service: str) -> Rebuild[Any]:
    """Load a service's declaration of its projections. Raises UserError when it has none."""
    require_service(service)
    if find_spec(f"services.{service}.rebuild") is None:
        raise UserError(
            f"{service} has no projection: its tables are its own state, which follows from no topic"
            " that keeps everything. `herhaal restore` brings it back from a backup."
        )
    rebuild: Rebuild[Any] = import_module(f"services.{service}.rebuild").REBUILD
    return rebuild


def figures(result: Result) -> dict[str, Any]:
    """Make the content of the `--json` file."""
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


async def _rebuild(rebuild: Rebuild[Any], request: RebuildRequest, shown: Progress) -> Result:
    options = Options(
        request.kafka,
        database_dsn(request.postgres, request.service),
        request.accept_loss,
        request.compare_only,
        request.processes,
    )
    if request.compare_only:
        return await run(rebuild, options, shown)
    await _audit(request, audit.ASKED)
    try:
        result = await run(rebuild, options, shown)
    except CannotRun:
        await _audit(request, audit.REFUSED)
        raise
    try:
        await _audit(request, audit.SWITCHED, result)
    except UNAVAILABLE as error:
        # It is done, so it must not be reported as failed. The audit has what was asked.
        print_plain(stderr(), f"The audit of the switch was not written: {type(error).__name__}.")
    return result


async def _audit(request: RebuildRequest, result: str, rebuilt: Result | None = None) -> None:
    line = await audit.keep(
        request.kafka,
        request.service,
        request.signed,
        result,
        accept_loss=request.accept_loss,
        differences=rebuilt.differences if rebuilt else None,
    )
    print_plain(stderr(), line)
