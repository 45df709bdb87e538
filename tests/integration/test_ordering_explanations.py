"""Why an order was decided so, and what happened to it, asked of the running stack, and by its operator."""

from typing import Any

import httpx
import pytest

from deploy.local import LocalStack
from deploy.local.postgres.databases import owner_dsn
from schemas import topics
from schemas.access import Party
from schemas.records.medication import Status
from schemas.records.orders import OrderPlace
from tests.harness.database import connected
from tests.harness.kafka import eventually, send, sent
from tests.harness.made import METFORMINE, OMEPRAZOL, PRACTICE, an_import, an_order, entry
from tests.integration.operator import herhaal, plain
from tests.integration.ordering_api import OrderingClient

WAIT_S = 20
REFUSED = {"outcome": "refused", "explanation": "Eerst controle."}


@pytest.fixture
def ordering(stack: LocalStack, http: httpx.AsyncClient) -> OrderingClient:
    return OrderingClient(stack, http)


@pytest.fixture
def a_gp(stack: LocalStack) -> dict[str, str]:
    return bearer(stack, Party.GP, practice=PRACTICE)


def bearer(stack: LocalStack, role: Party, **scope: Any) -> dict[str, str]:
    """The header of somebody in this role."""
    return {"authorization": f"Bearer {stack.token(role, **scope)}"}


async def reviewed(ordering: OrderingClient, gp: dict[str, str]) -> OrderPlace:
    """An order of two medicines, one of which a GP refused."""
    patient = await ordering.patient(entry(METFORMINE), entry(OMEPRAZOL, high_risk=True))
    order = an_order(patient, METFORMINE, OMEPRAZOL)
    assert (await ordering.place(order, wait=WAIT_S)).status_code == 200
    decided = await ordering.http.put(
        ordering.url(f"/orders/{order.order_id}/lines/2/review"),
        json=REFUSED,
        headers=gp | {"Prefer": f"wait={WAIT_S}"},
    )
    assert decided.status_code == 200, decided.text
    return order


async def told(
    ordering: OrderingClient, order: OrderPlace, what: str, headers: dict[str, str]
) -> Any:
    path = ordering.url(f"/orders/{order.order_id}/{what}")
    answer = await ordering.http.get(path, params={"language": "en"}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_order_is_explained_as_it_was_decided_whatever_changes_later(
    ordering: OrderingClient, a_gp: dict[str, str]
) -> None:
    """Given a medicine that is stopped after the decision; then the explanation has the status of then."""
    order = await reviewed(ordering, a_gp)
    before = await told(ordering, order, "explanation", a_gp)
    first, second = before["decisions"]
    assert before["complete"]
    assert [line["outcome"] for line in first["lines"]] == ["approved", "review"]
    assert (second["by"], second["words"]) == ("gp", "Eerst controle.")
    held = [rule["rule"] for rule in first["lines"][1]["rules"] if rule["held"]]
    assert held == ["high_risk"]

    change = an_import(order.patient, entry(METFORMINE, Status.STOPPED), entry(OMEPRAZOL))
    await send(ordering.stack.kafka, [sent(topics.MEDICATION_CHANGES.name, change)])

    async def signalled() -> list[str]:
        view = await told(ordering, order, "timeline", a_gp)
        return [each["event"] for each in view["entries"]]

    events = await eventually(signalled, lambda seen: "order.line-signalled" in seen)
    assert events == [
        "order.placed",
        "order.decided",
        "order.decided",
        "order.line-decided",
        "order.line-signalled",
    ]
    assert (await told(ordering, order, "explanation", a_gp))["decisions"][0] == first


async def test_a_patient_reads_their_part_and_no_staff(
    ordering: OrderingClient, stack: LocalStack, a_gp: dict[str, str]
) -> None:
    order = await reviewed(ordering, a_gp)
    herself = bearer(stack, Party.PATIENT, patients=(order.patient,))
    view = await told(ordering, order, "timeline", herself)
    assert [each["text"] for each in view["entries"]][-1] == "A GP did not approve this."
    assert {each["by_id"] for each in view["entries"]} == {None}
    explained = await told(ordering, order, "explanation", herself)
    rules = [rule for line in explained["decisions"][0]["lines"] for rule in line["rules"]]
    assert all(rule["held"] for rule in rules)


async def test_an_operator_explains_an_order_and_the_patients_trail_says_so(
    ordering: OrderingClient, stack: LocalStack, a_gp: dict[str, str]
) -> None:
    order = await reviewed(ordering, a_gp)
    said = await herhaal(
        stack,
        *("explain", str(order.order_id), "--language", "nl", "--data", str(stack.data.path)),
        *("--by", "op-1", "--why", "klacht"),
    )
    assert said.code == 0, said
    text = plain(said.text)
    for part in ("Voorgelegd aan een huisarts.", "high_risk v", "Eerst controle.", "Status van"):
        assert part in text
    async with connected(owner_dsn(stack.postgres, "ordering")) as db:
        rows = await db.fetch(
            "select action, thing, purpose, channel from audit where actor = 'op-1' and patient = $1",
            order.patient,
        )
    assert [tuple(row) for row in rows] == [
        ("orders.history", str(order.order_id), "klacht", "cli")
    ]


async def test_an_order_that_does_not_exist_is_not_explained(stack: LocalStack) -> None:
    said = await herhaal(
        stack,
        *("explain", "0192aaaa-0000-7000-8000-00000000dead", "--data", str(stack.data.path)),
    )
    assert said.code != 0
    assert "no such order" in f"{said.error}"
