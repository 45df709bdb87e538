"""Who sends a request, what it may concern, and what is noted of it for the audit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from runtime.audit.entry import Entry, Outcome
from runtime.http.audited import FORBIDDEN, Trace
from runtime.http.problems import Problem, invalid_field, not_found
from runtime.systems import Served
from schemas.access import SYSTEM_KINDS, Action, Claims, Party, Scope, scope_of
from schemas.base import Actor, PlacedBy, Role
from schemas.records.access import ProxyGrant, grant_key

A = TypeVar("A", Actor, PlacedBy)
Proxies = Mapping[str, ProxyGrant]
"""By `grant_key`."""

_ACTORS: Mapping[Party, Role] = {
    Party.PATIENT: Role.PATIENT,
    Party.PROXY: Role.PROXY,
    Party.ASSISTANT: Role.ASSISTANT,
    Party.GP: Role.GP,
    Party.PHARMACIST: Role.PHARMACY,
}
"""People's roles in records. A system acts for somebody: the body says for whom."""


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

    def reaches(self, patient: str) -> bool:
        """Tell whether the token gives anything of this patient, if there is anything."""
        return self._share(patient) != Share()

    def saw(self, patients: Iterable[str]) -> None:
        """Note whose records the answer shows, where the request names no patient."""
        self.trace.concerns(patients)

    def saw_nothing(self) -> None:
        """Note that the answer shows nothing: there is nothing, or nothing that the caller may see."""
        self.trace.nothing, self.trace.practice = True, None

    def entries(self, outcome: Outcome = Outcome.ALLOWED, reason: str | None = None) -> list[Entry]:
        """The audit entries of this request, for an endpoint that writes them in its own transaction."""
        self.trace.written = outcome
        return self.trace.entries(self.claims, self.action, outcome, reason)

    def after(self, error: Exception | None) -> Sequence[Entry]:
        """The audit entries that are still to be written when the endpoint has ended, by this error if any."""
        return self.trace.after(self.claims, self.action, error)

    def require_role(self) -> None:
        """Raise a 403 unless the caller's role may do the action to anything at all."""
        if self._scope is None:
            raise Problem(403, FORBIDDEN, "Your role does not allow this.")

    @property
    def _scope(self) -> Scope | None:
        return scope_of(self.claims.role, self.action)

    def _share(self, patient: str | None) -> Share:
        match self._scope:
            case Scope.PUBLIC:
                return Share(everything=True)
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
        """Tell whether the caller may do the action to what this is about, which the audit then says."""
        self.trace.concerns(() if about.patient is None else (about.patient,), about.practice)
        return self.allows(about)

    def allows(self, about: About) -> bool:
        """As `may`, for one of many things that are looked through and may not be shown."""
        if self.served is not None and self._scope is Scope.SERVES:
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
