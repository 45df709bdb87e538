"""What can be ordered, asked of the running stack, is what is then decided."""

import httpx

from deploy.local import LocalStack
from schemas.records.medication import Status
from tests.harness.made import AMOXICILLINE, METFORMINE, OMEPRAZOL, PHARMACY, a_patient, an_order
from tests.harness.made import entry as listed
from tests.integration.ordering_api import OrderingClient


async def test_what_is_shown_is_what_an_order_of_it_alone_gets(
    stack: LocalStack, http: httpx.AsyncClient
) -> None:
    """Given an overview; then each medicine's outcome and reasons are those of an order of just that."""
    ordering = OrderingClient(stack, http)
    patient = await ordering.patient(
        listed(METFORMINE),
        listed(AMOXICILLINE, Status.TEMPORARY),
        listed(OMEPRAZOL, high_risk=True, quantity=0.5),
    )
    answer = await ordering.get(f"/patients/{patient}/orderable", pharmacy=PHARMACY)
    assert answer.status_code == 200
    shown = answer.json()["medicines"]
    assert [each["outcome"] for each in shown] == ["approved", "refused", "review"]
    for each in shown:
        order = an_order(patient, (each["prk"], each["medicine"]))
        line = order.lines[0].model_dump(mode="json") | {"quantity": each["quantity"]}
        body = order.model_dump(mode="json") | {"lines": [line]}
        decided = (await ordering.post("/orders", body, 20)).json()["lines"][0]
        assert (decided["outcome"], decided["reasons"]) == (each["outcome"], each["reasons"])


async def test_of_a_patient_without_an_overview_nothing_is_known_yet(
    stack: LocalStack, http: httpx.AsyncClient
) -> None:
    answer = await OrderingClient(stack, http).get(f"/patients/{a_patient()}/orderable")
    assert answer.json() == {"overview_version": None, "practice": None, "medicines": []}
