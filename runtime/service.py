"""A service process: its API and its worker, started in any order with Kafka and PostgreSQL.

The HTTP server is up at once; Kafka and the database may come later, and may go and come back.
"""

import asyncio
import faulthandler
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Generic

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from runtime import event_loop, health
from runtime.backoff import Backoff
from runtime.consistency.cluster import Reads, require_own_kafka
from runtime.errors import CannotRun, is_transient
from runtime.http import problems
from runtime.http.load_shedding import LoadShedding
from runtime.http.requests import BodyLimit
from runtime.kafka import record_reader
from runtime.kafka.admin import TopicsMissing
from runtime.kafka.producer import Publisher
from runtime.loop.failpoints import Reached, pass_by
from runtime.loop.handler import Handler, W
from runtime.loop.loop import Loop
from runtime.loop.worker import Wedged, Worker, WorkerOptions
from runtime.messages.parser import Parser
from runtime.observability.logs import configure_logs
from runtime.postgres import migrations
from runtime.postgres.pool import Pools, open_pools
from runtime.postgres.store import PostgresStore
from runtime.resources import Resources, connect
from runtime.settings import Part, Settings
from schemas.base import Body
from schemas.topics import Topic

log = structlog.get_logger()

_GARBAGE = 200_000
"""New objects after which the collector looks for cycles. There are few, and a batch has fewer objects."""

CLOSE_S = 5.0
"""How long each part of a service may take to close."""

END_S = 22.0
"""When a process that was told to stop, or cannot go on, ends at the latest, whatever still keeps it."""


@dataclass(frozen=True)
class Service(Generic[W]):
    """A service, declared: what it reads, how it decides, what it answers.

    `tables` maps each small compacted topic it keeps in memory to the body it carries. `own` is the
    topic that tells what it decided, where that depends on more than one input's order: after a
    restore the handler is given what the database does not know of it, and adopts it. `gather_ms` is how
    long Kafka may keep records until there are more, for a service that nobody waits for. `settings` is the
    class of its settings, its own where it has any.
    """

    name: str
    inputs: tuple[Topic, ...]
    migrations: Path
    handler: Callable[[Resources], Handler[W]]
    router: Callable[[Resources], APIRouter]
    asyncapi: Callable[[], dict[str, Any]]
    tables: dict[type[Body], Topic] = field(default_factory=dict)
    own: Topic | None = None
    gather_ms: int = 0
    settings: type[Settings] = Settings


def create_app(
    service: Service[Any],
    resources: Resources,
    part: Part = "all",
    on_failure: Callable[[BaseException], None] = lambda _: None,
    reached: Reached = pass_by,
) -> ASGIApp:
    """The service's ASGI app over these parts; its lifespan runs the worker too, unless `part` says otherwise.

    `on_failure` is told when the service cannot go on; `reached` is called at each step of the loop.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        record_reader.install()
        running = [
            asyncio.create_task(_boot(service, resources, part, reached)),
            *(asyncio.create_task(table.follow()) for table in resources.tables.values()),
        ]
        for task in running:
            task.add_done_callback(lambda done: _tell_failure(done, on_failure))
        try:
            yield
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await _close(resources)

    app = FastAPI(
        title=f"herhaal {service.name}",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.add_middleware(BodyLimit)
    problems.install(app)
    # First, as FastAPI tries routes in this order: the others are asked a few times a minute.
    if part != "worker":
        app.include_router(service.router(resources))
    app.include_router(health.router(resources, service.asyncapi))
    return LoadShedding(app)


def run(
    service: Service[Any], settings: Settings, part: Part = "all", reached: Reached = pass_by
) -> int:
    """Serve until SIGTERM or SIGINT; the exit code, 1 when the service could not go on."""
    configure_logs(service.name, settings.log)
    gc.set_threshold(_GARBAGE, 20, 100)
    failures: list[BaseException] = []

    def fail(error: BaseException) -> None:
        failures.append(error)
        server.end()

    resources = connect(service.name, settings, service.tables)
    config = uvicorn.Config(
        create_app(service, resources, part, fail, reached),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
        # Longer than clients keep an idle connection, so that they close it and no request is cut off.
        timeout_keep_alive=65,
        lifespan="on",
    )
    server = _Server(config)
    with asyncio.Runner(loop_factory=event_loop.Loop) as runner:
        runner.run(server.serve())
    faulthandler.cancel_dump_traceback_later()
    return 1 if failures or not server.started else 0


class _Server(uvicorn.Server):
    """Ends with exit code 0 when it was told to stop: uvicorn itself would raise the signal once more.

    Once it is to end it does within `END_S`, by the operating system's means; nothing is lost by that, as by a
    kill.
    """

    _ending = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        super().handle_exit(sig, frame)
        self.end()

    def end(self) -> None:
        """Begin to stop, by our own will."""
        self.should_exit = True
        if not self._ending:
            self._ending = True
            faulthandler.dump_traceback_later(END_S, exit=True)
            asyncio.get_running_loop().call_later(END_S - 0.2, _tell_what_runs)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def _tell_what_runs() -> None:
    names = sorted(getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks())
    log.error("still running though it is to end", tasks=names)


async def _boot(service: Service[Any], resources: Resources, part: Part, reached: Reached) -> None:
    settings = resources.settings
    resources.waiting_for = "PostgreSQL"
    resources.database = pools = await open_pools(
        settings.database,
        _migrations(service),
        settings.loop_connections,
        settings.api_connections,
    )
    resources.waiting_for = "Kafka"
    reads = Reads(service.inputs, service.own)
    # What would be lost with a Kafka that is not ours must not be taken in.
    await _until_reachable(lambda: require_own_kafka(settings.kafka, pools.loop, reads))
    await _until_reachable(resources.sender.start)
    for table in resources.tables.values():
        await table.caught_up()
    if part == "api":
        resources.waiting_for = ""
        await asyncio.Event().wait()
    resources.worker = worker = _worker(service, resources, pools, reached)
    await worker.start()
    resources.waiting_for = ""
    # What is there now stays: the collector need not look through it again.
    gc.freeze()
    await worker.watch()


def _worker(service: Service[Any], resources: Resources, pools: Pools, reached: Reached) -> Worker:
    settings = resources.settings
    publisher = Publisher(settings.kafka, f"{service.name}-worker")
    store = PostgresStore(pools.loop)
    loop = Loop(
        service.name,
        Parser.of([*service.inputs, *([service.own] if service.own else [])]),
        service.handler(resources),
        store,
        publisher,
        resources.telemetry,
        reached=reached,
        output_topic=service.own.name if service.own else None,
    )
    options = WorkerOptions(
        bootstrap=settings.kafka,
        group=service.name,
        topics=service.inputs,
        own=service.own,
        gather_ms=service.gather_ms,
        max_records=settings.max_records,
        session_timeout_ms=settings.session_timeout_ms,
        patience_s=settings.patience_s,
    )
    stored = PostgresStore(pools.checks).positions
    return Worker(options, loop, store, stored, publisher, resources.telemetry)


def _migrations(service: Service[Any]) -> list[migrations.Migration]:
    return [
        *migrations.read("runtime", migrations.RUNTIME),
        *migrations.read(service.name, service.migrations),
    ]


async def _until_reachable(connect: Callable[[], Any]) -> None:
    backoff = Backoff()
    while True:
        try:
            await connect()
            return
        except Exception as error:
            if not (is_transient(error) or isinstance(error, TopicsMissing)):
                raise
            log.warning("waiting for Kafka", error=type(error).__name__)
            await backoff.wait()


async def _close(resources: Resources) -> None:
    closing: list[tuple[str, Callable[[], Awaitable[None]]]] = [
        *([("worker", resources.worker.stop)] if resources.worker else []),
        ("producer", resources.sender.stop),
        ("readers", resources.pages.stop),
        *([("database", resources.database.close)] if resources.database else []),
    ]
    for what, close in closing:
        await _closed(what, close)


async def _closed(what: str, close: Callable[[], Awaitable[None]]) -> None:
    """Close it, or say that it did not: one that does not must not keep the others open."""
    try:
        async with asyncio.timeout(CLOSE_S):
            await close()
    except Exception as error:
        log.error("did not close", what=what, exc_info=error)


def _tell_failure(task: "asyncio.Task[None]", on_failure: Callable[[BaseException], None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        # A service that cannot go on must not look alive: it ends, says why, and is started again.
        why = str(error) if isinstance(error, CannotRun | Wedged) else ""
        log.critical("service cannot go on", error=type(error).__name__, why=why)
        on_failure(error)
