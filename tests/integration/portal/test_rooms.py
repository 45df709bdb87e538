"""Everybody's first page on a running stack: one's own with what is real, and nobody else's."""

from collections.abc import AsyncIterator

import httpx
import pytest

from deploy.local import LocalStack
from samples.codes import practice_code
from samples.persons import a_person
from schemas import topics
from schemas.access import Claims, Party
from schemas.records.orders import OrderPlace
from tests.harness.kafka import eventually, send, sent
from tests.harness.made import METFORMINE, OMEPRAZOL, PHARMACY, an_import, an_order, entry
from tests.integration.ordering_api import OrderingClient
from tests.integration.people.client import Client, a_bsn
from tests.integration.portal.person import Person

HERE = practice_code(941)
WAIT_S = 20

PAGES = {
    "/practice/reviews": {Party.ASSISTANT, Party.GP},
    "/practice/patients": {Party.ASSISTANT, Party.GP},
    "/practice/orders": {Party.ASSISTANT, Party.GP, Party.MANAGER},
    "/pharmacy/prescriptions": {Party.PHARMACIST},
    "/region/orders": {Party.REGION},
    "/operator/state": {Party.OPERATOR},
}
PEOPLE = {
    Party.PATIENT: Claims(sub="pat_rooms001", role=Party.PATIENT, patients=("pat_rooms001",)),
    Party.ASSISTANT: Claims(sub="usr_rooms_assistant", role=Party.ASSISTANT, practice=HERE),
    Party.GP: Claims(sub="usr_rooms_gp", role=Party.GP, practice=HERE),
    Party.MANAGER: Claims(sub="usr_rooms_manager", role=Party.MANAGER, practice=HERE),
    Party.PHARMACIST: Claims(sub="usr_rooms_pharmacist", role=Party.PHARMACIST, pharmacy=PHARMACY),
    Party.REGION: Claims(sub="usr_rooms_region", role=Party.REGION, region="Lindewaard"),
    Party.OPERATOR: Claims(sub="usr_rooms_operator", role=Party.OPERATOR),
}


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=40) as client:
        yield client


@pytest.fixture
def ordering(stack: LocalStack, http: httpx.AsyncClient) -> OrderingClient:
    return OrderingClient(stack, http)


async def an_order_of_somebody(ordering: OrderingClient, *medicines: tuple[str, str]) -> OrderPlace:
    """An order of A. Kamerbewoner, patient here, with metformine and omeprazol, which is of high risk."""
    client = Client(ordering.stack, ordering.http, Party.ASSISTANT, {"practice": HERE})
    person = a_person(a_bsn(), initials="A.", prefix=None, surname="Kamerbewoner")
    patient = await client.registered(person)
    listed = (entry(METFORMINE), entry(OMEPRAZOL, high_risk=True))
    change = an_import(patient, *listed, practice=HERE)
    await send(ordering.stack.kafka, [sent(topics.MEDICATION_CHANGES.name, change)])
    await eventually(lambda: ordering.count("overviews", "patient", patient), lambda n: n == 1)
    order = an_order(patient, *medicines, practice=HERE)
    assert (await ordering.place(order, wait=WAIT_S)).status_code == 200
    return order


async def outcome(ordering: OrderingClient, order: OrderPlace) -> str:
    shown = (await ordering.get(f"/orders/{order.order_id}")).json()
    return str(shown["lines"][0]["outcome"])


def decision_of(order: OrderPlace) -> str:
    return f"/practice/patients/{order.patient}/orders/{order.order_id}/lines/1/review"


@pytest.mark.parametrize("role", PEOPLE)
async def test_everybody_finds_the_own_pages_and_no_others(
    stack: LocalStack, browser: httpx.AsyncClient, role: Party
) -> None:
    """Given somebody of each role; then the own pages are there, and the others' do not exist."""
    person = await Person.logged_in(stack, browser, PEOPLE[role])
    found = {page: (await person.look(page)).status_code for page in PAGES}
    assert found == {page: 200 if role in roles else 404 for page, roles in PAGES.items()}


async def test_an_approval_in_the_portal_approves_the_line_in_ordering(
    stack: LocalStack, browser: httpx.AsyncClient, ordering: OrderingClient
) -> None:
    order = await an_order_of_somebody(ordering, OMEPRAZOL)
    assistant = await Person.logged_in(stack, browser, PEOPLE[Party.ASSISTANT])
    page = await assistant.look("/practice/reviews")
    assert "A. Kamerbewoner" in page.text
    assert OMEPRAZOL[1] in page.text
    assert "High-risk medicine" in page.text
    form = {"outcome": "approved", "row": f"{order.order_id}-1"}
    answer = await assistant.send("/practice/reviews", decision_of(order), form)
    assert answer.status_code == 303, answer.text
    assert await outcome(ordering, order) == "approved"
    after = await assistant.look(answer.headers["location"])
    assert f"{OMEPRAZOL[1]} for A. Kamerbewoner" in after.text
    assert "You approved this" in after.text


async def test_a_refusal_needs_words_and_then_is_one(
    stack: LocalStack, browser: httpx.AsyncClient, ordering: OrderingClient
) -> None:
    order = await an_order_of_somebody(ordering, OMEPRAZOL)
    gp = await Person.logged_in(stack, browser, PEOPLE[Party.GP])
    form = {"outcome": "refused", "row": f"{order.order_id}-1"}
    empty = await gp.send("/practice/reviews", decision_of(order), form | {"explanation": " "})
    assert empty.status_code == 422
    assert f'id="explanation-{order.order_id}-1-error"' in empty.text
    assert await outcome(ordering, order) == "review"
    said = {"explanation": "Eerst <b>bloed</b> prikken", **form}
    assert (await gp.send("/practice/reviews", decision_of(order), said)).status_code == 303
    assert await outcome(ordering, order) == "refused"


async def test_who_decides_later_reads_who_was_earlier(
    stack: LocalStack, browser: httpx.AsyncClient, ordering: OrderingClient
) -> None:
    order = await an_order_of_somebody(ordering, OMEPRAZOL)
    gp = await Person.logged_in(stack, browser, PEOPLE[Party.GP])
    assistant = await Person.logged_in(stack, browser, PEOPLE[Party.ASSISTANT])
    form = {"outcome": "approved", "row": f"{order.order_id}-1"}
    first = await gp.send("/practice/reviews", decision_of(order), form, htmx=True)
    second = await assistant.send("/practice/reviews", decision_of(order), form, htmx=True)
    assert (first.status_code, second.status_code) == (200, 409)
    assert "You approved this" in first.text
    assert "A GP approved this" in second.text


async def test_a_form_for_another_patient_or_of_another_practice_decides_nothing(
    stack: LocalStack, browser: httpx.AsyncClient, ordering: OrderingClient
) -> None:
    order = await an_order_of_somebody(ordering, OMEPRAZOL)
    assistant = await Person.logged_in(stack, browser, PEOPLE[Party.ASSISTANT])
    elsewhere = await Person.logged_in(
        stack, browser, Claims(sub="usr_else", role=Party.GP, practice=practice_code(942))
    )
    form = {"outcome": "approved", "row": f"{order.order_id}-1"}
    wrong = decision_of(order).replace(order.patient, "pat_somebody1")
    page = "/practice/patients"
    assert (await assistant.send(page, wrong, form)).status_code == 404
    assert (await elsewhere.send(page, decision_of(order), form)).status_code == 404
    assert await outcome(ordering, order) == "review"


async def test_a_patient_is_found_and_a_medicine_stopped(
    stack: LocalStack, browser: httpx.AsyncClient, ordering: OrderingClient
) -> None:
    order = await an_order_of_somebody(ordering, METFORMINE)
    at = f"/practice/patients/{order.patient}"
    assistant = await Person.logged_in(stack, browser, PEOPLE[Party.ASSISTANT])
    search = {"surname": "kamerbewoner", "birth_date": "1949-03-01", "why": "order"}
    found = await assistant.send("/practice/patients", "/practice/patients", search)
    assert f'href="{at}"' in found.text
    saved = await assistant.send(
        at, f"{at}/medications/{METFORMINE[0]}/status", {"status": "stopped"}
    )
    page = await assistant.look(saved.headers["location"])
    assert f"{METFORMINE[1]} is now: stopped." in page.text
    other = await Person.logged_in(
        stack, browser, Claims(sub="usr_else", role=Party.GP, practice=practice_code(942))
    )
    assert (await other.look(at)).status_code == 404


async def test_a_pharmacy_sees_what_was_approved_for_it_by_name(
    stack: LocalStack, browser: httpx.AsyncClient, ordering: OrderingClient
) -> None:
    order = await an_order_of_somebody(ordering, METFORMINE)
    pharmacist = await Person.logged_in(stack, browser, PEOPLE[Party.PHARMACIST])

    async def page() -> str:
        return (await pharmacist.look("/pharmacy/prescriptions")).text

    shown = await eventually(page, lambda text: f"{order.order_id}"[:8] in text)
    assert "A. Kamerbewoner" in shown
    assert order.patient not in shown


async def test_figures_and_state_are_real(
    stack: LocalStack, browser: httpx.AsyncClient, ordering: OrderingClient
) -> None:
    await an_order_of_somebody(ordering, METFORMINE)
    manager = await Person.logged_in(stack, browser, PEOPLE[Party.MANAGER])

    async def figures() -> str:
        return (await manager.look("/practice/orders")).text

    assert "<figure" in await eventually(figures, lambda text: "<figure" in text)
    operator = await Person.logged_in(stack, browser, PEOPLE[Party.OPERATOR])
    state = (await operator.look("/operator/state")).text
    assert state.count(">Ready<") == 4
    region = await Person.logged_in(stack, browser, PEOPLE[Party.REGION])
    assert "Huisartsenpraktijk De Linde" in (await region.look("/region/orders")).text
