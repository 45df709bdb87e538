"""`/livez`, `/readyz`, `/metrics` and the AsyncAPI document."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import generate_latest

from runtime.errors import is_transient
from runtime.http.access import public
from runtime.postgres import outbox, parts
from runtime.resources import Connections, Resources

CHECK_S = 2.0
"""Time-out of a check."""


def router(resources: Resources, asyncapi: Callable[[], dict[str, Any]]) -> APIRouter:
    """Create the routes for operators, Prometheus and Kubernetes."""
    routes = APIRouter()

    @routes.get("/livez")
    @public
    async def livez() -> PlainTextResponse:
        """Tell that the process runs."""
        return PlainTextResponse("ok\n")

    @routes.get("/readyz")
    @public
    async def readyz() -> JSONResponse:
        """Tell whether the service is ready, and if not, why."""
        problems = await not_ready(resources)
        return JSONResponse({"ready": not problems, "problems": problems}, 503 if problems else 200)

    @routes.get("/metrics")
    @public
    async def metrics() -> Response:
        """Give the metrics to Prometheus."""
        await _measure_database(resources)
        resources.telemetry.open_streams.set(resources.recent.watched)
        return Response(
            generate_latest(resources.telemetry.registry), media_type="text/plain; version=0.0.4"
        )

    @routes.get("/asyncapi.json")
    @public
    async def asyncapi_document() -> dict[str, Any]:
        """Describe the service's Kafka topics (AsyncAPI)."""
        return asyncapi()

    return routes


async def not_ready(resources: Resources) -> list[str]:
    """List the reasons why this service is not ready; empty when it is."""
    if resources.waiting_for or resources.database is None:
        return [f"waiting for {resources.waiting_for}"]
    connections = resources.database.checks
    answers = await asyncio.gather(
        _check("PostgreSQL", lambda: _select(connections)),
        _check("Kafka", resources.sender.ping),
    )
    problems = [problem for problem in answers if problem]
    if resources.worker is not None:
        problems += resources.worker.problems()
    patience_s = resources.settings.patience_s
    if not problems and await _outbox_age(connections) > patience_s:
        problems.append(f"decided records have not been published for {patience_s:.0f} s")
    return problems


async def _check(name: str, check: Callable[[], Awaitable[object]]) -> str | None:
    try:
        async with asyncio.timeout(CHECK_S):
            await check()
    except Exception as error:
        if not is_transient(error):
            raise
        return f"{name} does not answer"
    return None


async def _select(connections: Connections) -> None:
    async with connections.acquire() as db:
        await db.fetchval("select 1")


async def _measure_database(resources: Resources) -> None:
    if resources.database is None:
        return
    try:
        resources.telemetry.outbox_age.set(await _outbox_age(resources.database.checks))
        if (ahead := await _months_ahead(resources.database.checks)) is not None:
            resources.telemetry.months_ahead(ahead)
    except Exception as error:
        # Metrics must work without the database; these then keep their last values.
        if not is_transient(error):
            raise


async def _outbox_age(connections: Connections) -> float:
    async with asyncio.timeout(CHECK_S), connections.acquire() as db:
        return await outbox.age_s(db)


async def _months_ahead(connections: Connections) -> int | None:
    async with asyncio.timeout(CHECK_S), connections.acquire() as db:
        return await parts.months_ahead(db)
