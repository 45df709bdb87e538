"""Guards routes: each route names its action, and each request proves by a token who asks.

Checked in two steps. Before the endpoint: a valid token (401), and a role that may do the action at all (403).
In the endpoint, once it knows what the request concerns: `Caller.require`, whose refusal is the same 404 as for
what does not exist.
"""

import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts

from runtime.http.audited import Trace, WriteAudit, identifier
from runtime.http.caller import Caller, Proxies
from runtime.http.plain_route import PlainRoute
from runtime.http.problems import Problem, unavailable
from runtime.http.rate_limits import Limiter
from runtime.http.tokens import InvalidToken, KeysUnavailable, Verified
from runtime.systems import Served, Systems
from schemas.access import ACCESS, SYSTEM_KINDS, Action, Claims, Party
from schemas.base import PATIENT_ID
from schemas.records.access import AccessRevoked

F = TypeVar("F", bound=Callable[..., Any])
Revocations = Mapping[str, AccessRevoked]
"""By the `sub` of the tokens that are refused."""

_PATIENT = re.compile(PATIENT_ID)


class Verifier(Protocol):
    """Verifies access tokens."""

    async def verify(self, token: str) -> Verified:
        """What a valid token says. Raises InvalidToken."""


def may(action: Action) -> Callable[[F], F]:
    """Name the action of an endpoint; without one its route is refused."""

    def mark(endpoint: F) -> F:
        endpoint.__dict__["action"] = action
        return endpoint

    return mark


def public(endpoint: F) -> F:
    """Mark an endpoint that anybody may call."""
    endpoint.__dict__["public"] = True
    return endpoint


class GuardedRoute(APIRoute):
    """A route that admits a request by its token before its endpoint runs.

    Raises:
        TypeError: the endpoint names no action.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        action = endpoint.__dict__.get("action")
        if action is None:
            raise TypeError(f"The endpoint of {path} names no action.")
        self.action: Action = action
        extra = {"security": [{"bearer": []}], "x-action": action.value}
        options["openapi_extra"] = (options.get("openapi_extra") or {}) | extra
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Make the handler: admit the request, then handle it as any route does."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            door: Door = request.app.state.door
            caller = request.state.caller = await door.admit(request, self.action)
            # Nothing is answered before its trace is on the disk.
            try:
                caller.require_role()
                response = await handle(request)
            except Exception as error:
                await door.write_audit(caller.after(error))
                raise
            await door.write_audit(caller.after(None))
            return response

        return guarded


class GuardedPlainRoute(GuardedRoute, PlainRoute):
    """A plain route that is guarded."""


def caller_of(request: Request) -> Caller:
    """Who sends this request to a guarded route."""
    caller: Caller = request.state.caller
    return caller


CallerOf = Annotated[Caller, Depends(caller_of)]


@dataclass(frozen=True, slots=True)
class Door:
    """What a request must pass before its endpoint, and what is written of it afterwards.

    `systems` gives the directory's, or None until it is read: a system's token is worth nothing without an
    entry there. `revocations` gives whose tokens are refused, `proxies` who stands in for whom; each is None
    until it is read. `clock` gives the time (UTC).
    """

    verifier: Verifier
    limiter: Limiter
    write_audit: WriteAudit
    systems: Callable[[], Systems | None] = Systems
    revocations: Callable[[], Revocations | None] = dict
    proxies: Callable[[], Proxies | None] = dict
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def admit(self, request: Request, action: Action) -> Caller:
        """Who sends a request, within the limits. Raises Problem: 401, 429, or 503 while nobody can tell."""
        try:
            verified = await self.verified(request)
            served = self._served(verified)
        except Problem as refusal:
            if refusal.status == 401:
                await self.limiter.stranger(request)
            raise
        await self.limiter.bearer(request, verified.claims)
        return self._caller(verified, action, served, _trace(request))

    async def verified(self, request: Request) -> Verified:
        """What a request's token says. Raises Problem: 401, or 503 while nobody can tell."""
        try:
            return await self.verifier.verify(_bearer(request))
        except KeysUnavailable:
            # The token may be good: the client is to come back, not to log in again.
            raise unavailable("The issuer's keys are not known yet; please try again.") from None
        except InvalidToken as invalid:
            raise _unauthorized("invalid_token", invalid.code) from None

    def caller_now(self, verified: Verified, action: Action) -> Caller:
        """Who bears a token that was verified before, as of now: for an answer that goes on.

        Raises Problem: 401 once the token has expired, to the second, or is refused; 503 as `admit`.
        """
        if self.clock().timestamp() >= verified.expires_at:
            raise _unauthorized("invalid_token", "expired")
        return self._caller(verified, action, self._served(verified), Trace())

    def _served(self, verified: Verified) -> Served | None:
        _refuse_revoked(verified, self.revocations())
        return _served(verified.claims, self.systems())

    def _caller(
        self, verified: Verified, action: Action, served: Served | None, trace: Trace
    ) -> Caller:
        proxies = _proxies(verified.claims, self.proxies())
        return Caller(action, verified.claims, served, proxies, self.clock(), trace)


def install(app: FastAPI, door: Door) -> None:
    """Guard this app, whose routes are all added.

    Raises:
        TypeError: a route is neither guarded nor public.
    """
    app.state.door = door
    _document(app)
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        guarded = isinstance(route, GuardedRoute)
        if isinstance(route, APIRoute) and not guarded and "public" not in vars(route.endpoint):
            raise TypeError(f"The route {route.path} is neither guarded nor public.")


def _document(app: FastAPI) -> None:
    """Add the security scheme to the app's OpenAPI document, and what each operation does and for whom."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = make()
        schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["bearer"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        for methods in document["paths"].values():
            for operation in methods.values():
                _describe(operation)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _describe(operation: dict[str, Any]) -> None:
    """Make the endpoint's docstring the summary, and say who may do it."""
    if "description" in operation:
        operation["summary"] = operation.pop("description")
    if action := operation.get("x-action"):
        roles = ", ".join(ACCESS[Action(action)])
        operation["description"] = f"Action `{action}`. Roles: {roles}."


def _trace(request: Request) -> Trace:
    """What the path says that the request is about, if it is well-formed."""
    patient = request.path_params.get("patient", "")
    trace = Trace(path=identifier(request.path_params))
    trace.concerns((patient,) if _PATIENT.fullmatch(patient) else ())
    return trace


def _proxies(claims: Claims, proxies: Proxies | None) -> Proxies:
    """What a proxy's token is compared with. Raises a 503 while nobody can tell."""
    if claims.role is not Party.PROXY:
        return {}
    if proxies is None:
        raise unavailable("Who stands in for whom is not read yet; please try again.")
    return proxies


def _refuse_revoked(verified: Verified, revocations: Revocations | None) -> None:
    """Raise a 401 for a token that was issued before its bearer was revoked, a 503 while nobody can tell."""
    if revocations is None:
        raise unavailable("Revocations are not read yet; please try again.")
    revoked = revocations.get(verified.claims.sub)
    if revoked is not None and verified.issued_at <= revoked.not_before.timestamp():
        raise _unauthorized("invalid_token", "revoked")


def _served(claims: Claims, systems: Systems | None) -> Served | None:
    """Whom a system serves, by the directory. Raises a 401 for one that is not there, or not any more."""
    if claims.role not in SYSTEM_KINDS:
        return None
    if systems is None:
        raise unavailable("The directory is not read yet; please try again.")
    served = systems.served_by(claims.sub)
    if served is None or served.system.kind != claims.role or served.system.removed_at is not None:
        raise _unauthorized("invalid_token", "system")
    return served


def _bearer(request: Request) -> str:
    values = request.headers.getlist("authorization")
    if len(values) != 1:
        raise _unauthorized()
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized()
    return token


def _unauthorized(error: str | None = None, description: str | None = None) -> Problem:
    """401 as RFC 6750 has it: without an error when there was no token."""
    challenge = (
        "Bearer" if error is None else f'Bearer error="{error}", error_description="{description}"'
    )
    return Problem(
        401,
        "unauthorized",
        "A valid access token is needed.",
        headers={"WWW-Authenticate": challenge},
    )
