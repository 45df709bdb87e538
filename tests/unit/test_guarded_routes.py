"""A dependency of an app guards every route of a service, plain routes too."""

from typing import Any, cast

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.routing import iter_route_contexts

from runtime.http import problems
from runtime.resources import Resources
from runtime.service import Service
from services.medication.app import SERVICE as MEDICATION
from services.metrics.app import SERVICE as METRICS
from services.notification.app import SERVICE as NOTIFICATION
from services.ordering.app import SERVICE as ORDERING

SERVICES: tuple[Service[Any], ...] = (ORDERING, MEDICATION, NOTIFICATION, METRICS)


class Guard:
    """A dependency that refuses each request, and counts them."""

    def __init__(self) -> None:
        self.requests = 0

    async def __call__(self) -> None:
        self.requests += 1
        raise HTTPException(403)


def routes(service: Service[Any]) -> APIRouter:
    """Return a service's routes, without resources: a refused request uses none."""
    return service.router(cast(Resources, None))


def operations(app: FastAPI) -> list[tuple[str, str]]:
    """Return method and path of each operation of the app."""
    contexts = list(iter_route_contexts(app.routes))
    return [(m, c.path or "") for c in contexts if c.dependencies for m in sorted(c.methods or ())]


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_a_dependency_of_the_app_stops_each_route(service: Service[Any]) -> None:
    guard = Guard()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(guard)])
    problems.install(app)
    app.include_router(routes(service))
    asked = operations(app)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answers = [await client.request(method, path) for method, path in asked]
    assert {answer.status_code for answer in answers} == {403}
    assert guard.requests == len(asked) == len(list(iter_route_contexts(app.routes)))


def test_placing_an_order_is_one_of_them() -> None:
    app = FastAPI(openapi_url=None, dependencies=[Depends(Guard())])
    app.include_router(routes(ORDERING))
    assert ("POST", "/orders") in operations(app)
