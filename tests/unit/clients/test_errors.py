"""What a service refuses is an exception that says what, and that holds neither the token nor what was said."""

from typing import Any

import httpx
import pytest

from herhaal_client import (
    ApiError,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
)
from tests.unit.clients.asking import TOKEN, Reply, a_problem, replying
from tests.unit.schemas.test_api_bodies import ID, ORDER

HTML = {"content-type": "text/html"}


async def failure(*replies: Reply, **options: Any) -> ApiError:
    with pytest.raises(ApiError) as raised:
        await replying(*replies).clients(**options).ordering.show(ID)
    return raised.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (410, ApiError),
        (413, ApiError),
        (422, Invalid),
        (429, TooManyRequests),
        (500, ApiError),
        (503, Unavailable),
    ],
)
async def test_a_problem_is_raised_as_its_kind(status: int, kind: type[ApiError]) -> None:
    error = await failure(a_problem(status, "a-code", detail="In words."))
    assert type(error) is kind
    assert (error.status, error.code, error.detail) == (status, "a-code", "In words.")


async def test_an_invalid_request_names_each_field() -> None:
    wrong = [{"field": "lines.0.prk", "reason": "is missing"}]
    error = await failure(a_problem(422, "invalid", errors=wrong))
    assert error.errors == (FieldError("lines.0.prk", "is missing"),)


async def test_a_problem_says_when_to_come_back() -> None:
    error = await failure(a_problem(429, headers={"retry-after": "40"}))
    assert error.retry_after_s == 40


async def test_a_date_says_when_to_come_back() -> None:
    long_ago = "Sun, 01 Nov 2020 00:00:00 GMT"
    assert (await failure(a_problem(429, headers={"retry-after": long_ago}))).retry_after_s == 0
    assert (await failure(a_problem(429, headers={"retry-after": "soon"}))).retry_after_s is None


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_an_ingress_that_answers_for_a_service_that_is_away_is_unavailable(
    status: int,
) -> None:
    error = await failure(httpx.Response(status, headers=HTML, text="<h1>Bad gateway</h1>"))
    assert type(error) is Unavailable
    assert error.status == status


@pytest.mark.parametrize("status", [301, 404, 401, 500])
async def test_a_refusal_in_other_words_is_not_taken_for_one_of_the_contract(status: int) -> None:
    """A wrong address answers 404 as well: that is no order that does not exist."""
    error = await failure(httpx.Response(status, headers=HTML, text="<h1>Nothing here</h1>"))
    assert type(error) is UnexpectedAnswer


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"order_id": "Jansen"}', b"\xff"])
async def test_a_body_that_does_not_match_the_contract_is_unexpected(content: bytes) -> None:
    error = await failure(httpx.Response(200, content=content))
    assert type(error) is UnexpectedAnswer
    assert error.status == 200


async def test_an_unexpected_body_is_described_without_its_values() -> None:
    """Given an answer with a patient's remark in a field of the wrong type; then nothing quotes it."""
    body = ORDER.model_dump(mode="json") | {"seq": "Ik ben ziek"}
    error = await failure(httpx.Response(200, json=body))
    assert "seq (int_parsing)" in error.detail
    assert "ziek" not in everything(error)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (httpx.ConnectError("refused"), "no-connection"),
        (httpx.ConnectTimeout("slow"), "no-connection"),
        (httpx.ReadTimeout("slow"), "too-slow"),
        (httpx.ReadError("reset"), "broken-off"),
        (httpx.RemoteProtocolError("closed"), "broken-off"),
    ],
)
async def test_nobody_who_answers_is_unavailable(reply: Exception, code: str) -> None:
    error = await failure(reply)
    assert type(error) is Unavailable
    assert (error.status, error.code) == (None, code)


def everything(error: BaseException) -> str:
    """All that an error, and those that led to it, hold and print."""
    told: list[str] = []
    at: BaseException | None = error
    while at is not None:
        told += [repr(at), str(at), repr(vars(at))]
        if isinstance(at, httpx.RequestError):
            told.append(f"{at.request.headers.raw}")
        at = at.__cause__ or at.__context__
    return " ".join(told)


def _broken(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("reset", request=request)


@pytest.mark.parametrize(
    "reply", [_broken, a_problem(403, detail="Jansen"), httpx.Response(200), httpx.Response(502)]
)
async def test_no_exception_holds_the_token_or_the_order(reply: Reply) -> None:
    told = everything(await failure(reply))
    assert TOKEN not in told
    assert f"{ID}" not in told


async def test_an_exception_prints_the_operation_and_no_words_of_the_answer() -> None:
    error = await failure(a_problem(403, "forbidden", detail="Mevrouw Jansen"))
    assert str(error) == "GET /orders/{order_id}: 403 forbidden"


async def test_a_token_with_other_characters_is_refused_without_being_quoted() -> None:
    clients = replying(httpx.Response(200)).clients(token="secret\r\nx: y")
    with pytest.raises(ValueError, match="no bearer token has") as raised:
        await clients.ordering.show(ID)
    assert "secret" not in everything(raised.value)


def test_an_error_of_httpx_holds_the_token() -> None:
    """So `everything` would find it."""
    asked = httpx.Request("GET", "http://ordering", headers={"authorization": f"Bearer {TOKEN}"})
    assert TOKEN in everything(httpx.ReadError("reset", request=asked))


def test_a_client_does_not_print_its_token() -> None:
    assert TOKEN not in repr(replying(httpx.Response(200)).clients())
