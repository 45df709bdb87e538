"""The client on the running stack: as a patient, as nobody, and while a service is away."""

from collections.abc import AsyncIterator

import pytest

from deploy.local import LocalStack
from deploy.local.ports import free_ports
from herhaal_client import (
    Addresses,
    Clients,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Services,
    Unauthorized,
    Unavailable,
)
from schemas.access import Party
from schemas.api.medication import OverviewRequest
from schemas.api.ordering import CancelRequest, OrderView, PlaceRequest
from schemas.records.medication import MedicationOverview
from schemas.records.orders import OrderState
from tests.harness.made import METFORMINE, PRACTICE, a_patient, an_order, entry

WAIT_S = 20


@pytest.fixture
async def services(stack: LocalStack) -> AsyncIterator[Services]:
    endpoints = stack.endpoints
    addresses = Addresses(
        ordering=endpoints["ordering"],
        medication=endpoints["medication"],
        notification=endpoints["notification"],
        metrics=endpoints["metrics"],
    )
    async with Services(addresses) as opened:
        yield opened


@pytest.fixture
def patient() -> str:
    return a_patient()


@pytest.fixture
def anna(stack: LocalStack, services: Services, patient: str) -> Clients:
    """The APIs as the patient."""
    return services.as_bearer(stack.token(Party.PATIENT, patients=(patient,), sub=patient))


@pytest.fixture
def gp(stack: LocalStack, services: Services) -> Clients:
    """The APIs as a GP of the patient's practice."""
    return services.as_bearer(stack.token(Party.GP, practice=PRACTICE, sub="gp-1"))


def order_of(patient: str) -> PlaceRequest:
    order = dict(an_order(patient, METFORMINE))
    return PlaceRequest(**(order | {"placed_by": None}))


async def test_a_patient_orders_and_reads_and_cancels(
    anna: Clients, gp: Clients, patient: str
) -> None:
    overview = OverviewRequest(practice=PRACTICE, medications=(entry(METFORMINE),))
    imported = await gp.medication.replace_overview(patient, overview, WAIT_S)
    assert isinstance(imported, MedicationOverview)
    assert await anna.medication.overview(patient, known=imported) is imported

    order = order_of(patient)
    placed = await anna.ordering.place(order, WAIT_S)
    assert isinstance(placed, OrderView)
    assert placed.placed_by.id == patient
    assert await anna.ordering.place(order, WAIT_S) == placed
    assert await anna.ordering.show(order.order_id) == placed
    assert (await anna.ordering.of_patient(patient)).orders == [placed]

    explanation = await anna.ordering.explanation(order.order_id)
    assert [line.outcome for line in explanation.decisions[0].lines] == [placed.lines[0].outcome]
    timeline = await anna.ordering.timeline(order.order_id, "en")
    assert [each.event for each in timeline.entries] == ["order.placed", "order.decided"]

    orderable = await anna.ordering.orderable(patient)
    assert (orderable.practice, len(orderable.medicines)) == (PRACTICE, 1)
    agbs = {pharmacy.agb for pharmacy in (await anna.ordering.pharmacies()).pharmacies}
    assert order.pharmacy in agbs
    assert (await anna.ordering.practice(PRACTICE)).agb == PRACTICE

    closed = await anna.ordering.cancel(order.order_id, CancelRequest(), WAIT_S)
    assert isinstance(closed, OrderView)
    assert closed.state is OrderState.CANCELLED
    assert {one.action for one in (await anna.ordering.audit(patient)).entries} >= {"orders.place"}


async def test_another_order_with_a_used_id_is_a_conflict(anna: Clients, patient: str) -> None:
    order = order_of(patient)
    await anna.ordering.place(order)
    with pytest.raises(Conflict) as raised:
        await anna.ordering.place(order.model_copy(update={"remark": "another"}))
    assert raised.value.code == "order-conflict"


async def test_what_is_not_there_is_not_found(anna: Clients, patient: str) -> None:
    with pytest.raises(NotFound):
        await anna.ordering.show(order_of(patient).order_id)
    with pytest.raises(NotFound):
        await anna.medication.overview(patient)


async def test_what_a_patient_may_not_do_is_forbidden(anna: Clients) -> None:
    with pytest.raises(Forbidden):
        await anna.metrics.orders(PRACTICE)


async def test_what_is_not_valid_names_its_field(anna: Clients) -> None:
    with pytest.raises(Invalid) as raised:
        await anna.ordering.of_patient("nobody")
    assert [error.field for error in raised.value.errors] == ["patient"]


async def test_a_wrong_token_is_unauthorized(services: Services, patient: str) -> None:
    with pytest.raises(Unauthorized):
        await services.as_bearer("wrong").ordering.of_patient(patient)


async def test_a_service_that_is_away_is_unavailable(stack: LocalStack, patient: str) -> None:
    """Given nobody who listens at notification's address; then it is away, and the others answer."""
    nobody = f"http://127.0.0.1:{free_ports().base}"
    endpoints = stack.endpoints
    addresses = Addresses(
        endpoints["ordering"], endpoints["medication"], nobody, endpoints["metrics"]
    )
    token = stack.token(Party.PATIENT, patients=(patient,), sub=patient)
    async with Services(addresses) as services:
        clients = services.as_bearer(token)
        with pytest.raises(Unavailable) as raised:
            await clients.notification.messages(patient)
        assert raised.value.code == "no-connection"
        assert (await clients.ordering.of_patient(patient)).orders == []
