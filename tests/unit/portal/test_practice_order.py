"""An order at the practice: what happened to it, and every rule that was asked."""

import httpx
import pytest

from herhaal_client import NotFound
from portal.practice import order as page
from schemas.api.directory import PharmaciesView
from schemas.api.ordering import OrderView
from tests.unit.clients.asking import Reply
from tests.unit.portal.visits import ASSISTANT, Told, a_visit, answering, look
from tests.unit.schemas.explained import a_timeline, an_explanation
from tests.unit.schemas.test_api_bodies import ORDER

AT = f"ordering/orders/{ORDER.order_id}"


async def shown(order: OrderView = ORDER, patient: str = ORDER.patient, **changes: Reply) -> str:
    """The page; `changes` are other answers, to `timeline` and so on."""
    replies: dict[str, Reply] = {
        "": answering(order),
        "timeline": answering(a_timeline(order.order_id)),
        "explanation": answering(an_explanation(order.order_id)),
    }
    told = Told(
        {f"GET {AT}/{name}".rstrip("/"): reply for name, reply in (replies | changes).items()}
        | {"GET ordering/pharmacies": answering(PharmaciesView(pharmacies=[]))}
    )
    in_path = {"patient": patient, "order_id": f"{order.order_id}"}
    visit = a_visit(ASSISTANT, told, in_path=in_path)
    status, html = await look(page.pages, "GET", page.ORDER, visit)
    assert status == 200
    return html


async def test_it_has_the_history_and_every_rule_with_its_facts_and_versions() -> None:
    html = await shown()
    for text in (
        "The patient placed the order.",
        "A GP approved this.",
        "The medicine needs extra care.",
        "One rule did not hold",
        "The medicine had not been stopped.",
        "Class of the medicine: ",
        "rules version 2, medication list version 7, choices of the practice version 3",
        "The practice&#39;s choices of then are not kept any more.",
    ):
        assert text in html


async def test_no_identifier_of_a_person_is_on_the_page() -> None:
    html = await shown()
    assert "usr-gijs" not in html


async def test_an_order_of_another_patient_than_in_the_path_is_not_found() -> None:
    with pytest.raises(NotFound):
        await shown(patient="pat_bram0002")


async def test_when_the_explanation_is_away_the_history_is_shown() -> None:
    html = await shown(explanation=httpx.ConnectError("refused"))
    assert "The patient placed the order." in html
    assert "We cannot show this part now" in html
