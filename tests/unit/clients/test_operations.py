"""Each method of the client sends the request of its operation, and reads the answer as the contract says."""

import inspect
import re

import httpx
import pytest
from pydantic import BaseModel

from herhaal_client import MedicationClient, MetricsClient, NotificationClient, OrderingClient
from tests.unit.clients.asking import TOKEN, Scripted, replying
from tests.unit.clients.example import EVENTS, PATIENT, Example
from tests.unit.clients.operations import EXAMPLES, IMPORT, OVERVIEW

CLIENTS = {
    "ordering": OrderingClient,
    "medication": MedicationClient,
    "notification": NotificationClient,
    "metrics": MetricsClient,
}


def reply(example: Example) -> httpx.Response:
    if example.operation == EVENTS:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=b"")
    content = example.answer.model_dump_json(by_alias=True) if example.answer else ""
    return httpx.Response(example.status, content=content)


async def used(example: Example) -> tuple[Scripted, object]:
    service = replying(reply(example))
    return service, await example.use(service.clients())


def pattern(path: str) -> str:
    """What a path of the OpenAPI document matches."""
    return re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_a_method_sends_its_request_and_reads_the_answer(example: Example) -> None:
    service, result = await used(example)
    assert result == example.answer
    (request,) = service.requests
    method, _, path = example.operation.partition(" ")
    assert request.method == method
    assert request.url.host == example.service
    assert re.fullmatch(f".*{pattern(path)}", request.url.raw_path.decode().partition("?")[0])
    assert dict(request.url.params) == example.query
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers.get("prefer") == ("wait=20" if example.waits else None)
    _assert_body(request, example.body)


def _assert_body(request: httpx.Request, body: BaseModel | None) -> None:
    if body is None:
        assert request.content == b""
        return
    assert request.headers["content-type"] == "application/json"
    assert type(body).model_validate_json(request.content) == body


def test_every_method_of_a_client_has_an_example() -> None:
    methods = {
        f"{service}.{name}"
        for service, client in CLIENTS.items()
        for name, _ in inspect.getmembers(client, inspect.isfunction)
        if not name.startswith("_")
    }
    assert {example.name for example in EXAMPLES} == methods


async def test_a_base_url_may_have_a_path() -> None:
    example = next(one for one in EXAMPLES if one.service == "metrics")
    service, _ = await used(example)
    assert service.requests[0].url.path == "/behind/an-ingress/practices/01999001/orders"


async def test_an_overview_that_is_known_is_not_sent_again() -> None:
    """Given version 3; when the service answers that this is the current one; then it is the answer."""
    service = replying(httpx.Response(304))
    shown = await service.clients().medication.overview(PATIENT, known=OVERVIEW)
    assert shown is OVERVIEW
    assert service.requests[0].headers["if-none-match"] == '"3"'


async def test_a_change_without_an_id_is_one_change_when_it_is_sent_again() -> None:
    example = next(one for one in EXAMPLES if one.method == "replace_overview")
    service = replying(httpx.Response(503), reply(example))
    without = IMPORT.model_copy(update={"change_id": None})
    await service.clients().medication.replace_overview(PATIENT, without)
    first, second = (IMPORT.model_validate_json(sent.content) for sent in service.requests)
    assert first.change_id == second.change_id is not None


@pytest.mark.parametrize("value", ["", ".", ".."])
async def test_a_value_that_would_be_another_path_is_not_sent(value: str) -> None:
    service = replying(httpx.Response(200))
    with pytest.raises(ValueError, match="patient is no value of a path"):
        await service.clients().ordering.of_patient(value)
    assert service.requests == []


async def test_a_value_stays_one_segment_of_the_path() -> None:
    service = replying(httpx.Response(200, content='{"orders": []}'))
    await service.clients().ordering.of_patient("../people?x=1#")
    path = service.requests[0].url.raw_path
    assert path == b"/patients/..%2Fpeople%3Fx%3D1%23/orders?limit=100"
