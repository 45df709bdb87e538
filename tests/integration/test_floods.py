"""A flood through two processes of ordering: it is refused, others are served, and nothing accepted is lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial

import httpx
import pytest

from deploy.local import LocalStack
from deploy.local.ports import free_ports
from deploy.local.processes.services import ServiceAddresses, readyz_probe, service_program, url
from deploy.local.processes.supervisor import Child
from samples.codes import practice_code
from schemas.access import Party
from schemas.records.orders import OrderPlace
from tests.harness.database import connected
from tests.harness.kafka import eventually
from tests.harness.made import a_patient, an_order, as_json
from tests.harness.systems import TEST_PORTAL
from tests.integration.ordering_api import is_problem

QUOTA = 20
SETTINGS = {
    "HERHAAL_LIMIT_PERSON": f"{QUOTA}/600",
    "HERHAAL_LIMIT_PATIENT": f"{QUOTA}/600",
    "HERHAAL_LIMIT_ADDRESS": f"{QUOTA}/600",
}
"""So slow that hardly one more is admitted while a test runs."""

FLOOD = 150


@dataclass(frozen=True)
class Processes:
    """Two processes of ordering with one database, asked in turn."""

    stack: LocalStack
    http: httpx.AsyncClient
    urls: Sequence[str]

    async def flood(
        self, method: str, path: str, token: str, bodies: Sequence[object] = (None,) * FLOOD
    ) -> list[httpx.Response]:
        """Send a request with each body, many at once, half of them to each process."""
        headers = {"authorization": f"Bearer {token}"}
        asked = (
            self.http.request(method, self.urls[n % 2] + path, json=body, headers=headers)
            for n, body in enumerate(bodies)
        )
        return await asyncio.gather(*asked)

    def patient(self, patient: str) -> str:
        """A patient's token."""
        return self.stack.token(Party.PATIENT, patients=(patient,))


@pytest.fixture(scope="module")
async def two(stack: LocalStack) -> AsyncIterator[Processes]:
    """Start two processes that accept orders and have small quotas."""
    ports = [free_ports().services["ordering"] for _ in range(2)]
    servers = ServiceAddresses(
        stack.kafka_as("ordering"),
        stack.databases["ordering"],
        "json",
        stack.issuers,
        settings=SETTINGS,
    )
    children = [
        Child(
            service_program("ordering", f"limited-{port}", port, "api", servers, stack.data),
            readyz_probe(port),
            stack.report,
        )
        for port in ports
    ]
    async with httpx.AsyncClient(timeout=40) as http:
        for child in children:
            await child.start()
        try:
            for child in children:
                await child.ready(60)
            yield Processes(stack, http, [url(port) for port in ports])
        finally:
            await asyncio.gather(*(child.stop(8) for child in children))
            # Other tests ask from the same address.
            async with connected(stack.databases["ordering"]) as db:
                await db.execute("delete from rate_limits")


def statuses(answers: Sequence[httpx.Response]) -> Counter[int]:
    """Count the answers by status."""
    return Counter(answer.status_code for answer in answers)


async def test_one_token_is_refused_at_both_processes_and_others_are_served(two: Processes) -> None:
    flooder, other = a_patient(), a_patient()
    answers, served = await asyncio.gather(
        two.flood("GET", f"/patients/{flooder}/orders", two.patient(flooder)),
        two.flood("GET", f"/patients/{other}/orders", two.patient(other), (None,) * QUOTA),
    )
    assert QUOTA <= statuses(answers)[200] <= QUOTA + 1
    assert set(statuses(answers)) == {200, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert is_problem(refused, 429)
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["ratelimit-policy"] == f'"person";q={QUOTA};w=600'
    assert statuses(served) == {200: QUOTA}


async def test_one_patient_is_refused_and_nothing_that_was_accepted_is_lost(two: Processes) -> None:
    """Given a portal, one of whose patients floods; then its other patients are served, and each order that
    was accepted is decided.
    """
    flooder, others = a_patient(), [a_patient() for _ in range(30)]
    orders = [
        an_order(patient, practice=practice_code(1)) for patient in [*[flooder] * FLOOD, *others]
    ]
    token = two.stack.token(Party.PORTAL, sub=TEST_PORTAL)
    answers = await two.flood("POST", "/orders", token, [as_json(order) for order in orders])
    assert set(statuses(answers)) == {202, 429}
    assert QUOTA <= statuses(answers[:FLOOD])[202] <= QUOTA + 1
    assert statuses(answers[FLOOD:]) == {202: len(others)}
    accepted = [
        order for order, answer in zip(orders, answers, strict=True) if answer.status_code == 202
    ]
    await eventually(partial(_undecided, two, accepted), lambda undecided: undecided == 0)


async def _undecided(two: Processes, orders: Sequence[OrderPlace]) -> int:
    """Count the orders that are not decided yet, as their patients see them."""
    ordering, undecided = two.stack.endpoints["ordering"], 0
    for order in orders:
        headers = {"authorization": f"Bearer {two.patient(order.patient)}"}
        answer = await two.http.get(f"{ordering}/orders/{order.order_id}", headers=headers)
        undecided += answer.raise_for_status().json()["state"] == "received"
    return undecided


async def test_one_address_is_refused_without_a_valid_token_and_served_with_one(
    two: Processes,
) -> None:
    patient = a_patient()
    answers, served = await asyncio.gather(
        two.flood("GET", f"/patients/{patient}/orders", "forged"),
        two.flood("GET", f"/patients/{patient}/orders", two.patient(patient), (None,) * QUOTA),
    )
    assert QUOTA <= statuses(answers)[401] <= QUOTA + 1
    assert set(statuses(answers)) == {401, 429}
    assert statuses(served) == {200: QUOTA}


async def test_orders_that_are_refused_for_their_body_count_too(two: Processes) -> None:
    token = two.patient(a_patient())
    answers = await two.flood("POST", "/orders", token, [{"not": "an order"}] * FLOOD)
    assert QUOTA <= statuses(answers)[422] <= QUOTA + 1
    assert set(statuses(answers)) == {422, 429}
