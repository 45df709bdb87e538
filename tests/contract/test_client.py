"""The client has a method for each operation that the services document, and for no other."""

from typing import Any

import pytest

from runtime.service import Service
from services.medication.app import SERVICE as MEDICATION
from services.metrics.app import SERVICE as METRICS
from services.notification.app import SERVICE as NOTIFICATION
from services.ordering.app import SERVICE as ORDERING
from tests.unit.clients.operations import EVENTS, EXAMPLES
from tests.unit.served import Served

SERVICES = (ORDERING, MEDICATION, NOTIFICATION, METRICS)

FOR_OPERATORS = {"GET /livez", "GET /readyz", "GET /metrics", "GET /asyncapi.json"}
"""What operators and tools ask: no part of what a portal needs."""


async def documented(service: Service[Any]) -> set[str]:
    """The operations of a service's OpenAPI document, such as `GET /orders/{order_id}`."""
    paths = (await Served(service).ask("GET", "/openapi.json")).json()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def in_client(service: Service[Any]) -> set[str]:
    """The operations that the client's examples show; `tests/unit/clients/` uses each method."""
    return {one.operation for one in EXAMPLES if one.service == service.name}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_every_operation_of_a_service_has_a_method(service: Service[Any]) -> None:
    missing = await documented(service) - in_client(service) - FOR_OPERATORS
    assert not missing, (
        f"clients/python/herhaal_client/{service.name}.py has no method for {sorted(missing)}: "
        "add one, and its example in tests/unit/clients/operations.py"
    )


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_a_method_is_of_an_operation_that_its_service_has(service: Service[Any]) -> None:
    gone = in_client(service) - await documented(service) - {EVENTS}
    assert not gone, f"{service.name} does not document {sorted(gone)} (any more)"
