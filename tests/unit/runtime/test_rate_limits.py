"""Rate limits: what is counted for whom, and what an answer says of it."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from runtime.http import problems
from runtime.http.answer_headers import AnswerHeaders
from runtime.http.problems import Problem
from runtime.http.rate_limits import REMOVE_EVERY_S, RateLimits, network_of
from runtime.limits import Counted, Limit, Limits, Use
from schemas.access import Claims, Party

LIMITS = Limits(Limit(2, 10), Limit(4, 10), Limit(1, 10), Limit(3, 10))
"""For a person, a system, a patient and an address."""

GP = Claims(sub="gp-1", role=Party.GP)
PORTAL = Claims(sub="mijnzorg", role=Party.PORTAL)


class Quotas:
    """Counts until a quota is used up; nothing becomes free again."""

    def __init__(self) -> None:
        self.used: dict[bytes, int] = {}
        self.statements: list[Mapping[Use, int]] = []
        self.removals = 0

    async def __call__(
        self, wanted: Mapping[Use, int], remove_free: bool
    ) -> Mapping[bytes, Counted]:
        self.statements.append(wanted)
        self.removals += remove_free
        await asyncio.sleep(0)
        return {use.key: self._count(use, n) for use, n in wanted.items()}

    def _count(self, use: Use, n: int) -> Counted:
        used = self.used.get(use.key, 0)
        admitted = min(n, use.limit.quota - used)
        self.used[use.key] = used + admitted
        return Counted(admitted, self.used[use.key] * use.limit.step_s)


def app(limits: RateLimits) -> FastAPI:
    """An app whose routes count: by the header `sub` a person, a system, or nobody."""
    made = FastAPI()
    made.add_middleware(AnswerHeaders)
    problems.install(made)

    @made.get("/patients/{patient}")
    async def of_patient(request: Request) -> str:
        await limits.bearer(request, PORTAL)
        return "done"

    @made.get("/orders")
    async def orders(request: Request) -> str:
        await limits.bearer(request, GP)
        return "done"

    @made.get("/refused")
    async def refused(request: Request) -> str:
        await limits.stranger(request)
        raise Problem(401, "unauthorized", "No.")

    return made


async def ask(made: FastAPI, *paths: str, address: str = "192.0.2.1") -> list[httpx.Response]:
    transport = httpx.ASGITransport(made, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return [await client.get(path) for path in paths]


async def test_an_answer_says_what_is_left_and_a_refusal_when_to_come_back() -> None:
    """The fields of draft-ietf-httpapi-ratelimit-headers, and Retry-After."""
    first, _, third = await ask(app(RateLimits(LIMITS, Quotas())), *["/orders"] * 3)
    assert first.status_code == 200
    assert first.headers["ratelimit-policy"] == '"person";q=2;w=10'
    assert first.headers["ratelimit"] == '"person";r=1;t=5'
    assert "retry-after" not in first.headers
    assert third.status_code == 429
    assert third.headers["content-type"] == "application/problem+json"
    assert third.json()["type"] == "urn:herhaal:problem:too-many-requests"
    assert third.headers["ratelimit"] == '"person";r=0;t=10'
    assert third.headers["retry-after"] == "5"


async def test_a_system_is_counted_for_each_patient_too() -> None:
    """Given a portal that asks for one patient too often; then it may go on for others."""
    made = app(RateLimits(LIMITS, Quotas()))
    once, again, other = await ask(made, "/patients/pat_a", "/patients/pat_a", "/patients/pat_b")
    assert [once.status_code, again.status_code, other.status_code] == [200, 429, 200]
    assert once.headers["ratelimit-policy"] == '"system";q=4;w=10, "patient";q=1;w=10'
    assert once.headers["ratelimit"] == '"system";r=3;t=3, "patient";r=0;t=10'


async def test_a_patient_whom_a_body_names_is_counted_for_a_system_alone() -> None:
    limits = RateLimits(LIMITS, Quotas())
    for _ in range(5):
        await limits.patient(GP, "pat_a")
    await limits.patient(PORTAL, "pat_a")
    with pytest.raises(Problem) as refused:
        await limits.patient(PORTAL, "pat_a")
    assert refused.value.status == 429
    assert refused.value.headers["Retry-After"] == "10"
    assert refused.value.headers["RateLimit-Policy"] == '"patient";q=1;w=10'


async def test_one_systems_requests_for_a_patient_are_not_anothers() -> None:
    """Nobody can use up what somebody else may ask, or learn from the count that somebody asks."""
    limits = RateLimits(LIMITS, Quotas())
    await limits.patient(PORTAL, "pat_a")
    await limits.patient(Claims(sub="another", role=Party.PORTAL), "pat_a")


async def test_requests_without_a_valid_token_count_for_their_address() -> None:
    made = app(RateLimits(LIMITS, Quotas()))
    statuses = [answer.status_code for answer in await ask(made, *["/refused"] * 4)]
    assert statuses == [401, 401, 401, 429]
    (elsewhere,) = await ask(made, "/refused", address="192.0.2.2")
    assert elsewhere.status_code == 401
    assert elsewhere.headers["ratelimit-policy"] == '"address";q=3;w=10'


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_of_an_ipv6_address_the_network_counts(address: str, counted: str) -> None:
    assert network_of(address) == counted


async def test_requests_that_arrive_together_are_counted_in_one_statement() -> None:
    quotas = Quotas()
    limits = RateLimits(LIMITS, quotas)
    one = limits.patient(PORTAL, "pat_0")
    many = [limits.patient(PORTAL, f"pat_{n % 3}") for n in range(1, 30)]
    outcomes = await asyncio.gather(one, *many, return_exceptions=True)
    assert [outcome is None for outcome in outcomes] == [True] * 3 + [False] * 27
    assert len(quotas.statements) <= 2
    assert sum(sum(wanted.values()) for wanted in quotas.statements) == 30


async def test_rows_that_say_nothing_any_more_are_removed_now_and_then() -> None:
    now_s, quotas = [0.0], Quotas()
    limits = RateLimits(LIMITS, quotas, clock=lambda: now_s[0])
    await limits.patient(PORTAL, "pat_a")
    assert quotas.removals == 0
    now_s[0] = REMOVE_EVERY_S
    await limits.patient(PORTAL, "pat_b")
    await limits.patient(PORTAL, "pat_c")
    assert quotas.removals == 1


async def test_a_count_that_fails_admits_nobody() -> None:
    async def away(*_: Any) -> Mapping[bytes, Counted]:
        raise ConnectionRefusedError

    (answer,) = await ask(app(RateLimits(LIMITS, away)), "/orders")
    assert answer.status_code == 503


@pytest.mark.parametrize("text", ["", "100", "0/20", "100/0", "-1/20", "1.5/20", "100/20/3", 5])
def test_a_limit_that_is_none_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="QUOTA/SECONDS"):
        Limit.parse(text)
