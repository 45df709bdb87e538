"""The ASGI app of a service: its API, and its worker in the lifespan.

The HTTP server is up at once; Kafka and the database may come later, and may go and come back.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.types import ASGIApp

from runtime import health
from runtime.backoff import Backoff
from runtime.consistency.cluster import Reads, require_own_kafka
from runtime.errors import CannotRun, is_transient
from runtime.http import problems
from runtime.http.load_shedding import LoadShedding
from runtime.http.requests import BodyLimit
from runtime.kafka import record_reader
from runtime.kafka.admin import TopicsMissing
from runtime.kafka.producer import Producer
from runtime.loop.failpoints import Reached, pass_by
from runtime.loop.loop import Loop
from runtime.loop.worker import Wedged, Worker, WorkerOptions
from runtime.messages.parser import Parser
from runtime.postgres import migrations
from runtime.postgres.pool import Pools, open_pools
from runtime.postgres.store import PostgresStore
from runtime.resources import Resources
from runtime.service import Service
from runtime.settings import Part

log = structlog.get_logger()


CLOSE_S = 5.0
"""How long each part of a service may take to close."""


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
    reads = Reads(service.inputs, service.output_topic)
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
    publisher = Producer(settings.kafka, f"{service.name}-worker")
    store = PostgresStore(pools.loop)
    loop = Loop(
        service.name,
        Parser.of([*service.inputs, *([service.output_topic] if service.output_topic else [])]),
        service.handler(resources),
        store,
        publisher,
        resources.telemetry,
        reached=reached,
        output_topic=service.output_topic.name if service.output_topic else None,
    )
    options = WorkerOptions(
        bootstrap=settings.kafka,
        group=service.name,
        topics=service.inputs,
        output_topic=service.output_topic,
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
