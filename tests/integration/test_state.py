"""`GET /state` of running services: an operator sees what waits, in numbers, and nobody else does."""

from typing import Any

import httpx
import pytest

from deploy.local import LocalStack
from schemas.access import Party
from schemas.topics import SERVICES
from tests.harness.kafka import eventually
from tests.harness.made import a_patient, an_order, as_json


async def state(stack: LocalStack, service: str) -> dict[str, Any]:
    """What an operator is shown."""
    token = stack.token(Party.OPERATOR)
    async with httpx.AsyncClient(timeout=40) as http:
        answer = await http.get(
            f"{stack.endpoints[service]}/state", headers={"authorization": f"Bearer {token}"}
        )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_that_has_caught_up_has_no_lag(stack: LocalStack, service: str) -> None:
    shown = await eventually(
        lambda: state(stack, service), lambda seen: seen["ready"] and seen["lag"] == 0
    )
    assert (shown["service"], shown["ready"], shown["problems"]) == (service, True, [])
    assert shown["dead_letters"] >= 0
    assert {"outbox", "timers"} <= shown["waiting"].keys()


async def test_an_order_without_an_overview_waits_with_its_timer(
    stack: LocalStack, http: httpx.AsyncClient
) -> None:
    """Given an order of a patient whose overview is unknown; then one more waits, and no patient is named."""
    before = (await state(stack, "ordering"))["waiting"]
    patient = a_patient()
    url = f"{stack.endpoints['ordering']}/orders"
    placed = await http.post(url, json=as_json(an_order(patient)), headers={"prefer": "wait=20"})
    assert placed.status_code == 200, placed.text
    shown = await state(stack, "ordering")
    for what in ("orders_without_overview", "timers"):
        assert shown["waiting"][what] == before[what] + 1
    assert patient not in str(shown)


@pytest.mark.parametrize("role", [Party.GP, Party.MANAGER, Party.REGION, Party.PATIENT])
async def test_only_an_operator_sees_it(stack: LocalStack, role: Party) -> None:
    token = stack.token(role, practice="01999001", patients=("pat_anna0001",))
    async with httpx.AsyncClient(timeout=40) as http:
        answer = await http.get(
            f"{stack.endpoints['metrics']}/state", headers={"authorization": f"Bearer {token}"}
        )
    assert answer.status_code == 403
