"""The ASGI app of a service: its API, with its worker in the lifespan.

The HTTP server starts at once, whether or not Kafka and the database are available.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from runtime import audit_api, health, live, state_api
from runtime.backoff import Backoff
from runtime.consistency.cluster import ServiceTopics, require_matching_cluster
from runtime.errors import CannotRun, is_transient
from runtime.http import access, problems
from runtime.http.answer_headers import AnswerHeaders
from runtime.http.load_shedding import LoadShedding
from runtime.http.reference import pages as reference
from runtime.http.time_limit import TimeLimit
from runtime.kafka import record_reader
from runtime.kafka.admin import TopicsMissing, waiting_reason
from runtime.kafka.producer import Producer
from runtime.kafka.tail import Tail
from runtime.loop.failpoints import FailpointHook, ignore_failpoint
from runtime.loop.inputs import Inputs
from runtime.loop.loop import Loop
from runtime.loop.worker import Wedged, Worker, WorkerOptions
from runtime.messages.parser import Parser
from runtime.postgres import migrations
from runtime.postgres.pool import Pools, open_pools
from runtime.postgres.store import PostgresStore
from runtime.resources import Resources
from runtime.service import Service
from runtime.settings import Part, Settings
from runtime.systems import Systems
from schemas.records.directory import Practice, System

log = structlog.get_logger()


ANNOUNCE_S = 5.0
"""How often the end of the audit trail is announced, where it has grown."""

CLOSE_S = 5.0
"""How long each part of a service may take to close."""


def create_app(
    service: Service[Any],
    resources: Resources,
    part: Part = "all",
    on_failure: Callable[[BaseException], None] = lambda _: None,
    at_failpoint: FailpointHook = ignore_failpoint,
) -> ASGIApp:
    """Create the service's ASGI app from its resources. `part` selects API, worker or both.

    `on_failure` is called with the error when the service fails for good; `at_failpoint` is the loop's hook.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        boot = _boot(service, resources, part, at_failpoint)
        async with _running(resources, [boot, *_tails(service, resources)], on_failure):
            yield

    app = FastAPI(
        title=f"herhaal {service.name}",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        # A redirect would go to the host that the request names.
        redirect_slashes=False,
    )
    problems.install(app)
    # First, as FastAPI tries routes in this order and these get nearly all requests.
    if part != "worker":
        for router in routers(service, resources):
            app.include_router(router)
    app.include_router(health.router(resources, service.asyncapi))
    app.include_router(reference.router(app.title))
    door = access.Door(
        resources.verifier,
        resources.limits,
        resources.audit.write,
        lambda: None if resources.waiting_for else _systems(resources),
        lambda: resources.revocations,
        lambda: resources.proxies,
    )
    access.install(app, door)
    return AnswerHeaders(LoadShedding(TimeLimit(app)))


def routers(service: Service[Any], resources: Resources) -> list[APIRouter]:
    """The guarded routes of a service."""
    trail = [audit_api.router(resources)] if service.holds_patients else []
    state = state_api.router(service, resources, _inputs(service, resources))
    news = [live.router(resources.recent, service.live)] if service.live else []
    return [service.router(resources), *trail, *news, state]


def _tails(service: Service[Any], resources: Resources) -> Iterator[Coroutine[Any, Any, None]]:
    if told := service.live:
        kafka = resources.settings.kafka.get_secret_value()
        yield Tail(kafka, told.topic, told.read, resources.recent).follow()


@asynccontextmanager
async def _running(
    resources: Resources,
    parts: Iterable[Coroutine[Any, Any, None]],
    on_failure: Callable[[BaseException], None],
) -> AsyncIterator[None]:
    """Run `parts` and the global tables in the background; close all resources at the end."""
    record_reader.install()
    tasks = [
        *map(asyncio.create_task, parts),
        asyncio.create_task(_announce_audit(resources)),
        *(asyncio.create_task(table.follow()) for table in resources.tables.values()),
    ]
    for task in tasks:
        task.add_done_callback(lambda done: _report_failure(done, on_failure))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await _close(resources)


async def _boot(
    service: Service[Any], resources: Resources, part: Part, at_failpoint: FailpointHook
) -> None:
    settings = resources.settings
    resources.waiting_for = "PostgreSQL"
    resources.database = pools = await open_pools(
        settings.database.get_secret_value(),
        owner.get_secret_value() if (owner := settings.database_owner) else None,
        _migrations(service),
        settings.loop_connections,
        settings.api_connections,
    )
    resources.waiting_for = "Kafka"
    # Before anything is accepted that would be published to the wrong cluster.
    await _check_cluster(settings, pools, ServiceTopics(service.inputs, service.output_topic))
    await _retry_until_reachable(resources.sender.start)
    for table in resources.tables.values():
        await table.caught_up()
    if of_systems := _inputs(service, resources).of_systems:
        await _check_cluster(settings, pools, ServiceTopics(of_systems))
    if part == "api":
        resources.waiting_for = ""
        await asyncio.Event().wait()
    resources.worker = worker = _worker(service, resources, pools, at_failpoint)
    await worker.start()
    resources.waiting_for = ""
    # These objects live as long as the process: exclude them from garbage collection.
    gc.freeze()
    await worker.watch()


async def _announce_audit(resources: Resources) -> None:
    while True:
        await asyncio.sleep(ANNOUNCE_S)
        await _announce(resources)


async def _announce(resources: Resources) -> None:
    if resources.database is not None and not resources.waiting_for:
        await resources.audit.announce(resources.database.checks, resources.sender)


async def _check_cluster(settings: Settings, pools: Pools, topics: ServiceTopics) -> None:
    await _retry_until_reachable(
        lambda: require_matching_cluster(settings.kafka.get_secret_value(), pools.loop, topics)
    )


def _worker(
    service: Service[Any], resources: Resources, pools: Pools, at_failpoint: FailpointHook
) -> Worker:
    settings = resources.settings
    publisher = Producer(settings.kafka.get_secret_value(), f"{service.name}-worker")
    store = PostgresStore(pools.loop, resources.audit.chain)
    loop = Loop(
        service.name,
        Parser.of([*service.inputs, *([service.output_topic] if service.output_topic else [])]),
        service.handler(resources),
        store,
        publisher,
        resources.telemetry,
        at_failpoint=at_failpoint,
        output_topic=service.output_topic.name if service.output_topic else None,
    )
    options = WorkerOptions(
        bootstrap=settings.kafka.get_secret_value(),
        group=service.name,
        inputs=_inputs(service, resources),
        output_topic=service.output_topic,
        fetch_wait_ms=service.fetch_wait_ms,
        max_records=settings.max_records,
        session_timeout_ms=settings.session_timeout_ms,
        patience_s=settings.patience_s,
    )
    stored = PostgresStore(pools.checks, resources.audit.chain).positions
    return Worker(options, loop, store, stored, publisher, resources.telemetry)


def _inputs(service: Service[Any], resources: Resources) -> Inputs:
    return Inputs(service.inputs, _systems(resources).rows)


def _systems(resources: Resources) -> Systems:
    tables = resources.tables
    return Systems(tables[System].rows, tables[Practice].rows) if System in tables else Systems()


def _migrations(service: Service[Any]) -> list[migrations.Migration]:
    return [
        *migrations.read("runtime", migrations.RUNTIME),
        *migrations.read(service.name, service.migrations),
    ]


async def _retry_until_reachable(connect: Callable[[], Any]) -> None:
    backoff = Backoff()
    while True:
        try:
            await connect()
            return
        except Exception as error:
            if not (is_transient(error) or isinstance(error, TopicsMissing)):
                raise
            log.warning("waiting for Kafka", error=waiting_reason(error))
            await backoff.wait()


async def _close(resources: Resources) -> None:
    closing: list[tuple[str, Callable[[], Awaitable[None]]]] = [
        *([("worker", resources.worker.stop)] if resources.worker else []),
        ("audit", lambda: _announce(resources)),
        ("producer", resources.sender.stop),
        ("readers", resources.pages.stop),
        *([("database", resources.database.close)] if resources.database else []),
    ]
    for name, close in closing:
        await _close_in_time(name, close)


async def _close_in_time(name: str, close: Callable[[], Awaitable[None]]) -> None:
    """Close a part, or log that it failed, so that the other parts are closed too."""
    try:
        async with asyncio.timeout(CLOSE_S):
            await close()
    except Exception as error:
        log.error("part not closed", part=name, exc_info=error)


def _report_failure(
    task: "asyncio.Task[None]", on_failure: Callable[[BaseException], None]
) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        # Messages of other errors may quote patient data.
        why = str(error) if isinstance(error, CannotRun | Wedged) else ""
        log.critical("service failed", error=type(error).__name__, why=why)
        on_failure(error)
