"""Each operation of a service's OpenAPI document says what it does and, where it is guarded, for whom."""

from typing import Any

import pytest

from runtime.service import Service
from schemas.access import ACCESS, Action
from tests.contract.test_client import SERVICES
from tests.unit.served import Served


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_every_operation_says_what_it_does_and_who_may(service: Service[Any]) -> None:
    served = Served(service)
    document = (await served.ask("GET", "/openapi.json")).json()
    assert (await served.ask("GET", "/openapi.json")).json() == document
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"].endswith("."), f"the endpoint of {path} has no docstring"
            if action := operation.get("x-action"):
                roles = ", ".join(ACCESS[Action(action)])
                assert operation["description"] == f"Action `{action}`. Roles: {roles}."
