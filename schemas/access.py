"""Who may do what: one table, from which enforcement, OpenAPI, the documentation and the tests derive.

A person or system has a role, proved by a token (`Claims`). The table says which roles may do an action, and
within which scope; what it does not say is denied.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from schemas.base import ActorId, Model, PatientId, PharmacyAgb, PracticeAgb


class Party(StrEnum):
    """The roles of people, and the kinds of systems."""

    PATIENT = "patient"
    PROXY = "proxy"
    ASSISTANT = "assistant"
    GP = "gp"
    MANAGER = "manager"
    PHARMACIST = "pharmacist"
    REGION = "region"
    OPERATOR = "operator"
    PORTAL = "portal"
    PRACTICE_SYSTEM = "practice-system"
    PHARMACY_SYSTEM = "pharmacy-system"


SYSTEM_KINDS = frozenset({Party.PORTAL, Party.PRACTICE_SYSTEM, Party.PHARMACY_SYSTEM})
"""The roles of outside systems; all others are of people."""


class Scope(StrEnum):
    """What an action may concern: the claim of the token that must name it, or the system's directory entry."""

    PATIENTS = "patients"
    """The patients of the token: oneself, or those one stands in for."""
    PRACTICE = "practice"
    """The practice of the token, and its patients."""
    PHARMACY = "pharmacy"
    """The pharmacy of the token, and its prescriptions."""
    REGION = "region"
    """The region of the token, and its practices."""
    SERVES = "serves"
    """The practices and pharmacies that a system serves, as its directory entry says."""
    PUBLIC = "public"
    """Public facts of the directory: nothing is needed but a token."""
    SYSTEM = "system"
    """How the system is, in numbers: nothing is needed but the role."""


class Action(StrEnum):
    """What one can do."""

    ORDERS_PLACE = "orders.place"
    ORDERS_READ = "orders.read"
    ORDERS_CANCEL = "orders.cancel"
    ORDERS_HISTORY = "orders.history"
    ORDERABLE_READ = "orderable.read"
    REVIEWS_READ = "reviews.read"
    REVIEWS_DECIDE = "reviews.decide"
    PRESCRIPTIONS_READ = "prescriptions.read"
    OVERVIEW_READ = "overview.read"
    OVERVIEW_IMPORT = "overview.import"
    STATUS_SET = "status.set"
    MESSAGES_READ = "messages.read"
    MESSAGES_MARK = "messages.mark"
    PREFERENCES_READ = "preferences.read"
    PREFERENCES_WRITE = "preferences.write"
    REPORTS_READ = "reports.read"
    REPORTS_REGION = "reports.region"
    POLICY_READ = "policy.read"
    POLICY_TRY = "policy.try"
    AUDIT_READ = "audit.read"
    PEOPLE_WRITE = "people.write"
    PEOPLE_READ = "people.read"
    PEOPLE_FIND = "people.find"
    PROXIES_READ = "proxies.read"
    PROXIES_GRANT = "proxies.grant"
    PROXIES_REVOKE = "proxies.revoke"
    DIRECTORY_READ = "directory.read"
    STATE_READ = "state.read"


_PATIENTS = {Party.PATIENT: Scope.PATIENTS, Party.PROXY: Scope.PATIENTS}
_CARE = {Party.ASSISTANT: Scope.PRACTICE, Party.GP: Scope.PRACTICE}
_PHARMACY = {Party.PHARMACIST: Scope.PHARMACY, Party.PHARMACY_SYSTEM: Scope.SERVES}
_PORTAL = {Party.PORTAL: Scope.SERVES}
_PRACTICE_SYSTEM = {Party.PRACTICE_SYSTEM: Scope.SERVES}

ACCESS: Mapping[Action, Mapping[Party, Scope]] = {
    Action.ORDERS_PLACE: _PATIENTS | _PORTAL | {Party.ASSISTANT: Scope.PRACTICE},
    Action.ORDERS_READ: _PATIENTS | _CARE | _PORTAL | _PHARMACY,
    Action.ORDERS_CANCEL: _PATIENTS | _CARE | _PORTAL | _PHARMACY,
    Action.ORDERS_HISTORY: _PATIENTS | _CARE | _PORTAL,
    Action.ORDERABLE_READ: _PATIENTS | _CARE | _PORTAL,
    Action.REVIEWS_READ: _CARE,
    Action.REVIEWS_DECIDE: _CARE,
    Action.PRESCRIPTIONS_READ: _PHARMACY,
    Action.OVERVIEW_READ: _PATIENTS | _CARE | _PORTAL | _PRACTICE_SYSTEM,
    Action.OVERVIEW_IMPORT: _CARE | _PRACTICE_SYSTEM,
    Action.STATUS_SET: _CARE,
    Action.MESSAGES_READ: _PATIENTS | _CARE | _PORTAL,
    Action.MESSAGES_MARK: _PATIENTS,
    Action.PREFERENCES_READ: _PATIENTS,
    Action.PREFERENCES_WRITE: _PATIENTS,
    Action.AUDIT_READ: _PATIENTS | _CARE,
    Action.POLICY_READ: _CARE | {Party.MANAGER: Scope.PRACTICE},
    Action.POLICY_TRY: {Party.GP: Scope.PRACTICE, Party.MANAGER: Scope.PRACTICE},
    Action.REPORTS_READ: _CARE | {Party.MANAGER: Scope.PRACTICE, Party.REGION: Scope.REGION},
    Action.REPORTS_REGION: {Party.REGION: Scope.REGION},
    Action.PEOPLE_WRITE: _CARE | _PRACTICE_SYSTEM,
    Action.PEOPLE_READ: _PATIENTS | _CARE | _PRACTICE_SYSTEM | _PHARMACY,
    Action.PEOPLE_FIND: _CARE,
    Action.PROXIES_READ: _PATIENTS | _CARE,
    Action.PROXIES_GRANT: {Party.PATIENT: Scope.PATIENTS} | _CARE,
    Action.PROXIES_REVOKE: _PATIENTS | _CARE,
    Action.DIRECTORY_READ: dict.fromkeys(Party, Scope.PUBLIC),
    Action.STATE_READ: {Party.OPERATOR: Scope.SYSTEM},
}
"""Which roles may do each action, and within which scope."""

RegionName = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Claims(Model):
    """What a token says of its bearer; everything that is not said is nothing.

    `sub` is an opaque identifier of the person or system, never a name. `patients` are oneself, or those whom a
    proxy stands in for. A system's `sub` is its name in the directory, which says whom it serves.
    """

    sub: ActorId
    role: Party
    patients: tuple[PatientId, ...] = ()
    practice: PracticeAgb | None = None
    pharmacy: PharmacyAgb | None = None
    region: RegionName | None = None


def scope_of(role: Party, action: Action) -> Scope | None:
    """The scope within which this role may do this action; None when it may not."""
    return ACCESS[action].get(role)
