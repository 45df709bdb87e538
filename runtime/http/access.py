"""Guards routes: each route names its action, and each request proves by a token who asks.

Checked in two steps. Before the endpoint: a valid token (401), and a role that may do the action at all (403).
In the endpoint, once it knows what the request concerns: `Caller.require`, whose refusal is the same 404 as for
what does not exist.
"""

import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts

from runtime.audit.entry import Entry, Outcome
from runtime.http.audited import Trace, WriteAudit, identifier
from runtime.http.plain_route import PlainRoute
from runtime.http.problems import Problem, invalid_field, not_found, unavailable
from runtime.http.rate_limits import Limiter
from runtime.http.tokens import InvalidToken, KeysUnavailable, Verified
from runtime.systems import Served, Systems
from schemas.access import SYSTEM_KINDS, Action, Claims, Party, Scope, scope_of
from schemas.base import PATIENT_ID, Actor, PlacedBy, Role
from schemas.records.access import AccessRevoked, ProxyGrant, grant_key

F = TypeVar("F", bound=Callable[..., Any])
A = TypeVar("A", Actor, PlacedBy)
Revocations = Mapping[str, AccessRevoked]
"""By the `sub` of the tokens that are refused."""
Proxies = Mapping[str, ProxyGrant]
"""By `grant_key`."""

_PATIENT = re.compile(PATIENT_ID)

_ACTORS: Mapping[Party, Role] = {
    Party.PATIENT: Role.PATIENT,
    Party.PROXY: Role.PROXY,
    Party.ASSISTANT: Role.ASSISTANT,
    Party.GP: Role.GP,
    Party.PHARMACIST: Role.PHARMACY,
}
"""People's roles in records. A system acts for somebody: the body says for whom."""


class Verifier(Protocol):
    """Verifies access tokens."""

    async def verify(self, token: str) -> Verified:
        """What a valid token says. Raises InvalidToken."""


@dataclass(frozen=True, slots=True)
class About:
    """What a request concerns; None for what it does not concern."""

    patient: str | None = None
    practice: str | None = None
    pharmacy: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What of a patient's records a caller may do an action to: all, or those of these practices and so on."""

    everything: bool = False
    practices: tuple[str, ...] = ()
    pharmacies: tuple[str, ...] = ()
    region: str | None = None

    def holds(self, about: About) -> bool:
        """Tell whether this is a part of it."""
        return (
            self.everything
            or about.practice in self.practices
            or about.pharmacy in self.pharmacies
            or (about.region is not None and about.region == self.region)
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request, admitted to `action`."""

    action: Action
    claims: Claims
    served: Served | None = None
    """Whom it serves, when it is a system."""
    proxies: Proxies = field(default_factory=dict)
    """Who stands in for whom, for a proxy."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When the request came."""
    trace: Trace = field(default_factory=Trace, compare=False)
    """What the request turns out to be about, for the audit."""

    @property
    def system(self) -> str | None:
        """The outside system that sends the request; None for a person."""
        return self.served.system.name if self.served else None

    def share(self, patient: str | None) -> Share:
        """What of this patient's records, or of those of no patient, the caller may do the action to."""
        share = self._share(patient)
        own = self.claims.practice if share.practices and self.served is None else None
        self.trace.concerns(() if patient is None else (patient,), own)
        return share

    def saw(self, patients: Iterable[str]) -> None:
        """Note whose records the answer shows, where the request names no patient."""
        self.trace.concerns(patients)

    def saw_nothing(self) -> None:
        """Note that the answer shows nothing: there is nothing, or nothing that the caller may see."""
        self.trace.nothing, self.trace.practice = True, None

    def entries(self, outcome: Outcome = Outcome.ALLOWED, reason: str | None = None) -> list[Entry]:
        """The audit entries of this request, for an endpoint that writes them in its own transaction."""
        self.trace.written = True
        return self.trace.entries(self.claims, self.action, outcome, reason)

    def _share(self, patient: str | None) -> Share:
        match scope_of(self.claims.role, self.action):
            case Scope.PATIENTS:
                return Share(everything=patient is not None and self._is_for(patient))
            case Scope.PRACTICE:
                return Share(practices=_named(self.claims.practice))
            case Scope.PHARMACY:
                return Share(pharmacies=_named(self.claims.pharmacy))
            case Scope.REGION:
                return Share(region=self.claims.region)
            case Scope.SERVES if self.served is not None:
                return Share(
                    practices=self.served.practices, pharmacies=self.served.system.pharmacies
                )
            case _:
                return Share()

    def _is_for(self, patient: str) -> bool:
        """Tell whether the token names this patient, and a proxy stands in for them now."""
        if patient not in self.claims.patients or self.claims.role is not Party.PROXY:
            return patient in self.claims.patients
        grant = self.proxies.get(grant_key(patient, self.claims.sub))
        return grant is not None and (grant.until is None or self.now < grant.until)

    def may(self, about: About) -> bool:
        """Tell whether the caller may do the action to what this is about."""
        self.trace.concerns(() if about.patient is None else (about.patient,), about.practice)
        if self.served is not None and scope_of(self.served.system.kind, self.action):
            # Without listing all practices of a region.
            return self.served.has_practice(about.practice) or self.served.has_pharmacy(
                about.pharmacy
            )
        return self._share(about.patient).holds(about)

    def require(self, about: About, what: str) -> None:
        """Raise the 404 for `what`, a kind of resource, unless the caller may do the action to it."""
        if not self.may(about):
            raise not_found(what)

    def acting(self, kind: type[A], named: A | None, field: str) -> A:
        """Who acts: a person by the token, and a system for whom its body names in `field`.

        Raises:
            Problem: 403, a person names somebody else; 422, a system names nobody.
        """
        if self.claims.role in SYSTEM_KINDS:
            if named is None:
                raise invalid_field(field, "is missing: a system names for whom it acts")
            self.trace.acts_for = named
            return named
        role, id = _ACTORS[self.claims.role], self.claims.sub
        if named is None:
            return kind.model_validate({"role": role, "id": id})
        if (named.role, named.id) != (role, id):
            raise Problem(403, "another-actor", "The token is of somebody else than who acts.")
        return named


def _named(code: str | None) -> tuple[str, ...]:
    return () if code is None else (code,)


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
            claims, served = await _admitted(request)
            caller = request.state.caller = Caller(
                self.action,
                claims,
                served,
                _proxies(claims, request.app.state.proxies()),
                request.app.state.clock(),
                _trace(request),
            )
            write = request.app.state.write_audit
            # Nothing is answered before its trace is on the disk.
            try:
                if scope_of(claims.role, self.action) is None:
                    raise Problem(403, "forbidden", "Your role does not allow this.")
                response = await handle(request)
            except Exception as error:
                await write(caller.trace.after(claims, self.action, error))
                raise
            await write(caller.trace.after(claims, self.action, None))
            return response

        return guarded


class GuardedPlainRoute(GuardedRoute, PlainRoute):
    """A plain route that is guarded."""


def caller_of(request: Request) -> Caller:
    """Who sends this request to a guarded route."""
    caller: Caller = request.state.caller
    return caller


CallerOf = Annotated[Caller, Depends(caller_of)]


def install(
    app: FastAPI,
    verifier: Verifier,
    write_audit: WriteAudit,
    limiter: Limiter,
    systems: Callable[[], Systems | None] = Systems,
    revocations: Callable[[], Revocations | None] = dict,
    proxies: Callable[[], Proxies | None] = dict,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Guard this app, whose routes are all added: verify, limit and audit its requests.

    `systems` gives the directory's, or None until it is read: a system's token is worth nothing without an
    entry there. `revocations` gives whose tokens are refused, or None until they are read; `proxies` who
    stands in for whom, likewise. `clock` gives the time (UTC).

    Raises:
        TypeError: a route is neither guarded nor public.
    """
    app.state.verifier = verifier
    app.state.write_audit = write_audit
    app.state.limiter = limiter
    app.state.systems = systems
    app.state.revocations = revocations
    app.state.proxies = proxies
    app.state.clock = clock
    _document_scheme(app)
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        guarded = isinstance(route, GuardedRoute)
        if isinstance(route, APIRoute) and not guarded and "public" not in vars(route.endpoint):
            raise TypeError(f"The route {route.path} is neither guarded nor public.")


def _document_scheme(app: FastAPI) -> None:
    """Add the security scheme that guarded routes name to the app's OpenAPI document."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        document = make()
        schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["bearer"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        return document

    app.openapi = openapi  # type: ignore[method-assign]


async def _admitted(request: Request) -> tuple[Claims, Served | None]:
    """Who sends a request, and whom it serves, within the limits. Raises Problem."""
    limiter: Limiter = request.app.state.limiter
    try:
        claims, served = await _identified(request)
    except Problem as refusal:
        if refusal.status == 401:
            await limiter.stranger(request)
        raise
    await limiter.bearer(request, claims)
    return claims, served


async def _identified(request: Request) -> tuple[Claims, Served | None]:
    """Who sends a request, and whom it serves. Raises Problem: 401, or 503 while nobody can tell."""
    verifier: Verifier = request.app.state.verifier
    try:
        verified = await verifier.verify(_bearer(request))
    except KeysUnavailable:
        # The token may be good: the client is to come back, not to log in again.
        raise unavailable("The issuer's keys are not known yet; please try again.") from None
    except InvalidToken as invalid:
        raise _unauthorized("invalid_token", invalid.code) from None
    _refuse_revoked(verified, request.app.state.revocations())
    claims = verified.claims
    return claims, _served(claims, request.app.state.systems())


def _trace(request: Request) -> Trace:
    """What the path says that the request is about, if it is well-formed."""
    patient = request.path_params.get("patient", "")
    trace = Trace(thing=identifier(request.path_params))
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
