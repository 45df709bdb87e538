"""The client has a method for each operation that the services document, and for no other."""

from typing import Any

import pytest

from runtime.service import Service
from services.medication.app import SERVICE as MEDICATION
from services.metrics.app import SERVICE as METRICS
from services.notification.app import SERVICE as NOTIFICATION
from services.ordering.app import SERVICE as ORDERING
from tests.unit.clients.operations import EXAMPLES
from tests.unit.served import Served

SERVICES = (ORDERING, MEDICATION, NOTIFICATION, METRICS)

FOR_OPERATORS = {"GET /livez", "GET /readyz", "GET /metrics", "GET /asyncapi.json"}
"""What operators and tools ask: no part of what a portal needs."""


async def documented(service: Service[Any]) -> dict[str, set[str]]:
    """The operations of a service's OpenAPI document, such as `GET /orders/{order_id}`, and their query."""
    paths = (await Served(service).ask("GET", "/openapi.json")).json()["paths"]
    return {
        f"{method.upper()} {path}": {
            parameter["name"]
            for parameter in operation.get("parameters", ())
            if parameter["in"] == "query"
        }
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


def in_client(service: Service[Any]) -> dict[str, set[str]]:
    """The same of the client's examples; `tests/unit/clients/` uses each method as they say."""
    return {one.operation: {*one.query} for one in EXAMPLES if one.service == service.name}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_every_operation_of_a_service_has_a_method(service: Service[Any]) -> None:
    missing = (await documented(service)).keys() - in_client(service).keys() - FOR_OPERATORS
    assert not missing, (
        f"clients/python/herhaal_client/{service.name}.py has no method for {sorted(missing)}: "
        "add one, and its example in tests/unit/clients/"
    )


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_a_method_is_of_an_operation_that_its_service_has(service: Service[Any]) -> None:
    gone = in_client(service).keys() - (await documented(service)).keys()
    assert not gone, f"{service.name} does not document {sorted(gone)} (any more)"


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_a_method_takes_every_parameter_of_its_operation(service: Service[Any]) -> None:
    parameters = await documented(service)
    shown = {name: query for name, query in in_client(service).items() if name in parameters}
    assert shown == {name: parameters[name] for name in shown}
