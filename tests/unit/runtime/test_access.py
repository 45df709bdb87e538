"""Guarded routes: a token, a role that may do the action, and a scope that names what it concerns."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from runtime.audit.entry import Entry
from runtime.http import access, problems
from runtime.http.access import (
    CallerOf,
    Door,
    GuardedPlainRoute,
    GuardedRoute,
    Revocations,
    caller_of,
    may,
    public,
)
from runtime.http.audited import WriteAudit
from runtime.http.caller import About, Caller, Proxies
from runtime.http.rate_limits import Limiter
from runtime.http.requests import PreferWait, Traceparent
from runtime.http.tokens import InvalidToken, Verified
from runtime.systems import Served, Systems
from schemas.access import ACCESS, SYSTEM_KINDS, Action, Claims, Party, Scope
from schemas.base import Actor, PlacedBy, Role
from schemas.records.access import AccessRevoked, ProxyGrant, WhyRevoked, grant_key
from tests.harness.made import PHARMACY, PRACTICE
from tests.unit.schemas.test_grants import a_system

ANNA, BERT = "pat_anna0001", "pat_bert0002"

CLAIMS = {
    "patient": Claims(sub=ANNA, role=Party.PATIENT, patients=(ANNA,)),
    "gp": Claims(sub="gp-1", role=Party.GP, practice=PRACTICE),
    "operator": Claims(sub="op-1", role=Party.OPERATOR),
    "portal": Claims(sub="mijnzorg", role=Party.PORTAL),
}


ISSUED_AT = 1_790_000_000.0


async def nobody_reads(_: Sequence[Entry]) -> None:
    """Write no audit: these tests ask for answers."""


class Tokens:
    """Takes a role's name for a token."""

    async def verify(self, token: str) -> Verified:
        if token not in CLAIMS:
            raise InvalidToken("unknown")
        return Verified(CLAIMS[token], issued_at=ISSUED_AT, expires_at=math.inf)


class NoLimits:
    """Admits every request; keeps what each was counted for."""

    def __init__(self) -> None:
        self.counted: list[str] = []

    async def bearer(self, request: Request, claims: Claims) -> None:
        self.counted.append(claims.sub)

    async def stranger(self, request: Request) -> None:
        self.counted.append("address")

    async def patient(self, claims: Claims, patient: str) -> None:
        self.counted.append(patient)


def app(
    verifier: Any,
    systems: Callable[[], Systems | None] = Systems,
    revocations: Callable[[], Revocations | None] = dict,
    write_audit: WriteAudit = nobody_reads,
    limiter: Limiter | None = None,
    proxies: Callable[[], Proxies | None] = dict,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FastAPI:
    """An app with an ordinary and a plain guarded route, and a public one."""
    routes = APIRouter(route_class=GuardedRoute)

    @routes.get("/patients/{patient}")
    @may(Action.ORDERS_READ)
    async def read(caller: CallerOf, patient: str) -> Response:
        caller.require(About(patient=patient, practice=PRACTICE), "patient")
        return JSONResponse({"patient": patient})

    @may(Action.ORDERS_PLACE)
    async def place(request: Request, wait_s: PreferWait, traceparent: Traceparent) -> Response:
        return JSONResponse({"action": caller_of(request).action})

    routes.add_api_route("/orders", place, methods=["POST"], route_class_override=GuardedPlainRoute)
    made = FastAPI()
    problems.install(made)
    made.include_router(routes)

    @made.get("/livez")
    @public
    async def livez() -> str:
        return "ok"

    door = Door(verifier, limiter or NoLimits(), write_audit, systems, revocations, proxies, clock)
    access.install(made, door)
    return made


async def ask(
    method: str,
    path: str,
    *tokens: str,
    verifier: Any = None,
    write_audit: WriteAudit = nobody_reads,
) -> httpx.Response:
    """Send a request with these bearer tokens."""
    guarded = app(verifier or Tokens(), write_audit=write_audit)
    transport = httpx.ASGITransport(guarded, raise_app_exceptions=False)
    headers = [("authorization", f"Bearer {token}") for token in tokens]
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path, headers=headers)


@pytest.mark.parametrize(("method", "path"), [("GET", f"/patients/{ANNA}"), ("POST", "/orders")])
async def test_without_a_valid_token_nothing_is_answered(method: str, path: str) -> None:
    """RFC 6750: no error code when no token was sent, `invalid_token` for one that is not valid."""
    without = await ask(method, path)
    assert (without.status_code, without.headers["www-authenticate"]) == (401, "Bearer")
    assert without.headers["content-type"] == "application/problem+json"
    invalid = await ask(method, path, "forged")
    assert invalid.status_code == 401
    assert 'error="invalid_token"' in invalid.headers["www-authenticate"]
    assert (await ask(method, path, "gp", "patient")).status_code == 401


async def test_a_role_that_may_never_do_this_is_refused() -> None:
    assert (await ask("GET", f"/patients/{ANNA}", "operator")).status_code == 403
    assert (await ask("POST", "/orders", "operator")).status_code == 403


async def test_what_one_may_not_know_is_what_does_not_exist() -> None:
    assert (await ask("GET", f"/patients/{ANNA}", "patient")).json() == {"patient": ANNA}
    assert (await ask("GET", f"/patients/{BERT}", "gp")).status_code == 200
    hidden = await ask("GET", f"/patients/{BERT}", "patient")
    assert (hidden.status_code, hidden.json()["detail"]) == (404, "There is no such patient.")


async def test_a_plain_route_knows_its_caller() -> None:
    assert (await ask("POST", "/orders", "patient")).json() == {"action": "orders.place"}


async def test_a_public_route_needs_no_token() -> None:
    assert (await ask("GET", "/livez")).status_code == 200


def test_a_route_without_an_action_is_refused_at_start() -> None:
    async def nameless() -> None:
        """Do nothing."""

    with pytest.raises(TypeError, match="/nameless names no action"):
        APIRouter(route_class=GuardedRoute).add_api_route("/nameless", nameless)
    unguarded = FastAPI()
    unguarded.add_api_route("/open", nameless)
    with pytest.raises(TypeError, match="/open is neither guarded nor public"):
        access.install(unguarded, Door(Tokens(), NoLimits(), nobody_reads))


WHERE = About(patient=ANNA, practice=PRACTICE, pharmacy=PHARMACY, region="Lindewaard")
ELSEWHERE = About(patient=BERT, practice="01999002", pharmacy="02999002", region="Elders")
SCOPES: dict[str, Any] = {
    "patients": (ANNA,),
    "practice": PRACTICE,
    "pharmacy": PHARMACY,
    "region": "Lindewaard",
}
GRANTED = {grant_key(ANNA, "x"): ProxyGrant(grant=grant_key(ANNA, "x"), patient=ANNA, proxy="x")}
SERVED = {
    kind: Served(
        a_system("served", kind, practices=(PRACTICE,), pharmacies=(PHARMACY,)), entries={}
    )
    for kind in SYSTEM_KINDS
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Party)
def test_the_table_decides_for_every_role_and_action(role: Party, action: Action) -> None:
    scope = ACCESS[action].get(role)
    whole = Caller(action, Claims(sub="x", role=role, **SCOPES), SERVED.get(role), GRANTED)
    everywhere = scope is Scope.PUBLIC
    assert whole.may(WHERE) is (scope not in (None, Scope.SYSTEM))
    assert whole.may(ELSEWHERE) is everywhere
    assert whole.may(About()) is everywhere
    # Only the claim that the table names counts.
    others = {name: value for name, value in SCOPES.items() if name != scope}
    assert Caller(action, Claims(sub="x", role=role, **others)).may(WHERE) is everywhere


@pytest.mark.parametrize("named", [None, Actor(role=Role.GP, id="gp-1")])
def test_a_person_acts_as_the_token_says_named_or_not(named: Actor | None) -> None:
    caller = Caller(Action.STATUS_SET, CLAIMS["gp"])
    assert caller.acting(Actor, named, "by") == Actor(role=Role.GP, id="gp-1")


@pytest.mark.parametrize("named", [("gp", "gp-2"), ("assistant", "gp-1")])
def test_a_person_acts_in_no_other_name(named: tuple[str, str]) -> None:
    other = Actor(role=Role(named[0]), id=named[1])
    with pytest.raises(problems.Problem, match="another-actor"):
        Caller(Action.STATUS_SET, CLAIMS["gp"]).acting(Actor, other, "by")


def test_a_system_acts_for_whom_it_names_and_must_name_somebody() -> None:
    patient = PlacedBy(role=Role.PATIENT, id=ANNA)
    caller = Caller(Action.ORDERS_PLACE, CLAIMS["portal"], SERVED[Party.PORTAL])
    assert caller.acting(PlacedBy, patient, "placed_by") == patient
    with pytest.raises(problems.Problem) as refused:
        caller.acting(PlacedBy, None, "placed_by")
    assert refused.value.status == 422
    (error,) = refused.value.errors
    assert (error["field"], "for whom it acts" in error["reason"]) == ("placed_by", True)


PORTAL = a_system("mijnzorg", Party.PORTAL)
REMOVED = PORTAL.model_copy(update={"removed_at": datetime.now(UTC)})


@pytest.mark.parametrize(
    ("systems", "status"),
    [
        (Systems({"mijnzorg": PORTAL}), 200),
        (Systems({"mijnzorg": a_system("mijnzorg", Party.PORTAL, practices=("01999002",))}), 404),
        (Systems({"mijnzorg": REMOVED}), 401),
        (Systems({"mijnzorg": a_system("mijnzorg", Party.PHARMACY_SYSTEM)}), 401),
        (Systems(), 401),
        (None, 503),
    ],
    ids=["serves", "serves another", "removed", "another kind", "unknown", "not read yet"],
)
async def test_a_system_may_what_the_directory_says_at_this_moment(
    systems: Systems | None, status: int
) -> None:
    """Given a valid token of a portal; then its entry in the directory decides, and not the token."""
    made = app(Tokens(), lambda: systems)
    transport = httpx.ASGITransport(made)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        headers = {"authorization": "Bearer portal"}
        answer = await client.get(f"/patients/{ANNA}", headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def asked(token: str, revocations: Revocations | None) -> httpx.Response:
    """Ask for Anna with this token, while these revocations hold."""
    transport = httpx.ASGITransport(app(Tokens(), revocations=lambda: revocations))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        headers = {"authorization": f"Bearer {token}"}
        return await client.get(f"/patients/{ANNA}", headers=headers)


@pytest.mark.parametrize(
    ("token", "counted"),
    [("gp", "gp-1"), ("operator", "op-1"), ("forged", "address"), ("portal", "address")],
    ids=["valid", "a role that may not", "not valid", "a system that is not in the directory"],
)
async def test_a_request_counts_for_its_token_or_without_a_valid_one_for_its_address(
    token: str, counted: str
) -> None:
    limits = NoLimits()
    transport = httpx.ASGITransport(app(Tokens(), limiter=limits))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        await client.get(f"/patients/{ANNA}", headers={"authorization": f"Bearer {token}"})
    assert limits.counted == [counted]


def revoked(sub: str, after_s: float) -> Revocations:
    """Revoked so long after the tokens of `Tokens` were issued."""
    at = datetime.fromtimestamp(ISSUED_AT, UTC) + timedelta(seconds=after_s)
    return {sub: AccessRevoked(sub=sub, not_before=at, why=WhyRevoked.LEFT)}


@pytest.mark.parametrize(("after_s", "status"), [(1, 401), (0, 401), (-1, 200)])
async def test_a_token_from_before_its_bearer_was_revoked_is_refused(
    after_s: float, status: int
) -> None:
    """Given a valid token; when its bearer is revoked; then only a token that is issued later is accepted."""
    assert (await asked("gp", {})).status_code == 200
    answer = await asked("gp", revoked("gp-1", after_s))
    assert answer.status_code == status
    if status == 401:
        said = 'error="invalid_token", error_description="revoked"'
        assert said in answer.headers["www-authenticate"]


async def test_somebody_elses_revocation_changes_nothing() -> None:
    assert (await asked("patient", revoked("gp-1", after_s=1))).status_code == 200


async def test_nobody_is_admitted_until_the_revocations_are_read() -> None:
    """Fail closed, and ask to come back; a token that is not valid is refused all the same."""
    answer = await asked("gp", None)
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert (await asked("forged", None)).status_code == 401
