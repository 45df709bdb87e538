"""A GP practice that dispenses itself (apotheekhoudend) is its patients' pharmacy, under its own code."""

import httpx
import pytest

from cli.directory import apply_directory
from deploy.local import LocalStack
from samples.codes import practice_code
from schemas.records.directory import Directory, PharmacyEntry
from tests.harness.kafka import eventually
from tests.harness.made import an_order
from tests.integration.ordering_api import OrderingClient

DISPENSING = practice_code(700)
WAIT_S = 20


@pytest.fixture
def ordering(stack: LocalStack, http: httpx.AsyncClient) -> OrderingClient:
    return OrderingClient(stack, http)


async def test_a_practices_own_patients_collect_there(ordering: OrderingClient) -> None:
    """Given a pharmacy with a practice's code; then it gets the prescription, and the patient its name."""
    await _listed(ordering)
    order = an_order(await ordering.patient(), pharmacy=DISPENSING)
    decided = (await ordering.place(order, wait=WAIT_S)).json()
    assert decided["state"] == "approved"
    (item,) = (await ordering.feed(DISPENSING))["items"]
    assert (item["data"]["order_id"], item["data"]["pharmacy"]) == (
        *(str(order.order_id), DISPENSING),
    )
    inbox = f"{ordering.stack.endpoints['notification']}/patients/{order.patient}/messages"

    async def texts() -> list[str]:
        return [m["text"]["nl"] for m in (await ordering.http.get(inbox)).json()["messages"]]

    (text,) = await eventually(texts, bool)
    assert "Huisartsenpraktijk Het Eiland\nHavenweg 1, Lindewaard" in text


async def _listed(ordering: OrderingClient) -> None:
    entry = PharmacyEntry(
        agb=DISPENSING,
        name="Huisartsenpraktijk Het Eiland",
        address="Havenweg 1",
        city="Lindewaard",
        phone="0123-456780",
        opening_hours="Mo-Fr 08:00-17:00; PH off",
    )
    await apply_directory(ordering.stack.kafka, Directory(practices=(), pharmacies=(entry,)))
