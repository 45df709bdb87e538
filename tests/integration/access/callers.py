"""Who asks: a token of each role, for its own place or for nothing, and in whose name it acts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.local import LocalStack
from schemas.access import SYSTEM_KINDS, Party
from schemas.base import Actor, Role
from tests.harness.systems import system_name
from tests.integration.access.places import NO_PHARMACY, NO_PRACTICE, REGION, Place, proxy_of

_ACTS_AS: Mapping[Party, Role] = {
    Party.PATIENT: Role.PATIENT,
    Party.PROXY: Role.PROXY,
    Party.ASSISTANT: Role.ASSISTANT,
    Party.GP: Role.GP,
    Party.PHARMACIST: Role.PHARMACY,
}
"""People act for themselves; a system names somebody."""


@dataclass(frozen=True)
class Asking:
    """A caller: the header that proves who it is, and the actor that its bodies name."""

    headers: Mapping[str, str]
    actor: Actor
    names: bool = True
    """Whether its bodies name the actor."""


NOBODY = Asking({}, Actor(role=Role.PATIENT, id="somebody"))
"""Without a token."""


def asking(stack: LocalStack, role: Party, place: Place, *, empty: bool = False) -> Asking:
    """A caller of this role, whose token names this place, or nothing when `empty`."""
    sub = _sub(role, place, empty=empty)
    scope = {} if empty else _scope(role, place)
    headers = {"authorization": f"Bearer {stack.token(role, sub=sub, **scope)}"}
    if role in _ACTS_AS:
        return Asking(headers, Actor(role=_ACTS_AS[role], id=sub))
    return Asking(headers, Actor(role=Role.PATIENT, id=place.patient))


def _scope(role: Party, place: Place) -> dict[str, Any]:
    match role:
        case Party.PATIENT | Party.PROXY:
            return {"patients": (place.patient,)}
        case Party.ASSISTANT | Party.GP | Party.MANAGER:
            return {"practice": place.practice}
        case Party.PHARMACIST:
            return {"pharmacy": place.pharmacy}
        case Party.REGION:
            return {"region": REGION}
        case _:
            return {}


def _sub(role: Party, place: Place, *, empty: bool) -> str:
    """Whose token it is. A system's name says what it serves: `empty`, nothing of the tests."""
    if role is Party.PATIENT:
        return place.patient
    if role is Party.PROXY:
        return proxy_of(place.patient)
    if role not in SYSTEM_KINDS:
        return f"test_{role}"
    if role is Party.PHARMACY_SYSTEM:
        return system_name(role, NO_PHARMACY if empty else place.pharmacy)
    return system_name(role, NO_PRACTICE if empty else place.practice)
