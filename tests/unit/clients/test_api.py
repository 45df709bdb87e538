"""What goes with each request: a fresh token, the trace, time-outs; and what is sent again, and when."""

import asyncio
from itertools import count

import httpx
import pytest

from herhaal_client import Retries, TooManyRequests, Unavailable
from herhaal_client.calls import Answer, Call
from schemas.api.people import RegisterRequest
from tests.unit.clients.asking import Reply, a_problem, received, replying
from tests.unit.clients.example import PATIENT
from tests.unit.clients.operations import REGISTER, REGISTERED
from tests.unit.clients.ordering_operations import CANCEL, PLACE
from tests.unit.schemas.test_api_bodies import ID

AWAY = httpx.Response(503, headers={"retry-after": "1"})
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_each_try_has_a_fresh_token() -> None:
    tokens = (f"token{number}" for number in count(1))

    async def fresh() -> str:
        return next(tokens)

    service = replying(AWAY, received())
    await service.clients(fresh).ordering.show(ID)
    sent = [request.headers["authorization"] for request in service.requests]
    assert sent == ["Bearer token1", "Bearer token2"]


async def test_a_trace_goes_with_each_request() -> None:
    service = replying(received())
    await service.clients(traceparent=TRACE).ordering.show(ID)
    assert service.requests[0].headers["traceparent"] == TRACE


async def test_there_is_no_trace_without_one() -> None:
    service = replying(received())
    await service.clients().ordering.show(ID)
    assert "traceparent" not in service.requests[0].headers


@pytest.mark.parametrize("wait_s", [0, 20])
async def test_an_answer_may_take_ten_seconds_longer_than_the_caller_waits(wait_s: int) -> None:
    service = replying(received())
    await service.clients().ordering.place(PLACE, wait_s)
    times = service.requests[0].extensions["timeout"]
    assert times == {"connect": 2.0, "read": 10.0 + wait_s, "write": 10.0, "pool": 2.0}


@pytest.mark.parametrize(
    "reply",
    [
        AWAY,
        httpx.Response(502),
        httpx.Response(504),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("closed"),
    ],
)
async def test_an_order_is_sent_again_when_nobody_took_it(reply: Reply) -> None:
    """Its id makes the repeat the same order."""
    service = replying(reply, received())
    await service.clients().ordering.place(PLACE)
    first, second = service.requests
    assert first.content == second.content


async def test_a_cancellation_is_sent_again() -> None:
    service = replying(AWAY, received())
    await service.clients().ordering.cancel(ID, CANCEL)
    assert len(service.requests) == 2


async def test_a_call_is_tried_three_times_and_waits_as_long_as_the_service_says() -> None:
    service = replying(AWAY)
    with pytest.raises(Unavailable):
        await service.clients().ordering.show(ID)
    assert len(service.requests) == 3
    assert all(1 <= wait_s < 2 for wait_s in service.waits)


async def test_without_a_word_of_the_service_the_wait_is_short_and_random() -> None:
    services = [replying(httpx.Response(502)) for _ in range(20)]
    for service in services:
        with pytest.raises(Unavailable):
            await service.clients().ordering.show(ID)
    waits = {wait_s for service in services for wait_s in service.waits}
    assert len(waits) > 20
    assert max(waits) < 1


async def test_nobody_waits_longer_than_the_budget() -> None:
    """Given a service that wants a rest of a minute; then the caller hears so at once."""
    service = replying(a_problem(503, headers={"retry-after": "60"}))
    with pytest.raises(Unavailable) as raised:
        await service.clients().ordering.show(ID)
    assert raised.value.retry_after_s == 60
    assert (len(service.requests), service.waits) == (1, [])


async def test_the_budget_can_be_none() -> None:
    service = replying(httpx.Response(502))
    with pytest.raises(Unavailable):
        await service.clients(budget_s=0).ordering.show(ID)
    assert len(service.requests) == 1


@pytest.mark.parametrize(("later_s", "requests"), [("1", 2), ("2", 1), (None, 1)])
async def test_too_many_requests_is_tried_again_only_after_a_short_rest(
    later_s: str | None, requests: int
) -> None:
    headers = {"retry-after": later_s} if later_s else {}
    service = replying(a_problem(429, headers=headers), a_problem(429, headers=headers))
    with pytest.raises(TooManyRequests):
        await service.clients(tries=2).ordering.show(ID)
    assert len(service.requests) == requests


@pytest.mark.parametrize("status", [401, 403, 404, 409, 410, 422, 500])
async def test_a_refusal_is_not_tried_again(status: int) -> None:
    service = replying(a_problem(status), received())
    with pytest.raises(Exception, match=f"{status}"):
        await service.clients().ordering.show(ID)
    assert len(service.requests) == 1


async def test_what_took_too_long_is_not_tried_again() -> None:
    service = replying(httpx.ReadTimeout("slow"), received())
    with pytest.raises(Unavailable):
        await service.clients().ordering.show(ID)
    assert len(service.requests) == 1


async def test_a_caller_who_leaves_ends_the_call() -> None:
    tries = []

    async def hangs(call: Call) -> Answer:
        tries.append(call)
        await asyncio.sleep(60)
        return Answer(call.asked, 200, b"")

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(Retries().run(Call("GET", "/pharmacies"), hangs), 0.01)
    assert len(tries) == 1


NOBODY_KNOWN = RegisterRequest(**(dict(REGISTER) | {"bsn": None}))


@pytest.mark.parametrize(
    ("person", "reply", "requests"),
    [
        (REGISTER, httpx.Response(502), 2),
        (NOBODY_KNOWN, httpx.Response(502), 1),
        (NOBODY_KNOWN, httpx.ReadError("reset"), 1),
        (NOBODY_KNOWN, httpx.ConnectError("refused"), 2),
        (NOBODY_KNOWN.model_copy(update={"patient": PATIENT}), httpx.Response(502), 2),
    ],
)
async def test_a_person_who_would_be_registered_twice_is_not_sent_again(
    person: RegisterRequest, reply: Reply, requests: int
) -> None:
    """Without BSN and pseudonym a service cannot tell a repeat; when nothing was sent, there is none."""
    service = replying(reply, httpx.Response(200, content=REGISTERED.model_dump_json()))
    clients = service.clients(tries=2)
    if requests == 1:
        with pytest.raises(Unavailable):
            await clients.notification.register(person)
    else:
        assert await clients.notification.register(person) == REGISTERED
    assert len(service.requests) == requests
