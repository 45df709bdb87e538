"""How each service is, for operators: numbers, and which service does not answer."""

import httpx

from portal.operator import state
from schemas.api.state import StateView, Waits
from tests.unit.portal.visits import OPERATOR, Told, a_visit, answering, look

PAGE = "/operator/state"


def a_state(service: str, **changes: object) -> httpx.Response:
    fields: dict[str, object] = {
        "service": service,
        "ready": True,
        "problems": [],
        "waiting": {Waits.INTAKE: 1234},
        "lag": 0,
        "dead_letters": 7,
    }
    return answering(StateView.model_validate(fields | changes))


async def test_each_service_says_whether_it_is_ready_and_what_waits() -> None:
    told = Told(
        {
            "GET ordering/state": a_state("ordering"),
            "GET medication/state": a_state(
                "medication", ready=False, problems=["waiting for Kafka"]
            ),
            "GET notification/state": a_state("notification", dead_letters=None),
            "GET metrics/state": httpx.ConnectError("refused"),
        }
    )
    status, html = await look(state.pages, "GET", PAGE, a_visit(OPERATOR, told))
    assert status == 200
    for text in (">Ready<", ">Not ready<", ">Does not answer<", "waiting for Kafka", "1,234"):
        assert text in html
    assert html.count("<dd>7</dd>") == 2
    assert "not known now" in html


def test_everything_that_can_wait_has_words() -> None:
    assert state.WAITING.keys() == {*Waits}
