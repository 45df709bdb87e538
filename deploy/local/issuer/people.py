"""The made-up people and systems that a local stack knows, and what their tokens say."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

from schemas.access import ACCESS, Claims, Party, Scope


@dataclass(frozen=True)
class Person:
    """A made-up person: the name, on the login page only, and the claims of the tokens.

    A patient's `sub` is the pseudonym, as orders say it; everybody else's says nothing.
    """

    name: str
    claims: Claims


PEOPLE = (
    Person(
        "Anna Voorbeeld",
        Claims(sub="pat_example01", role=Party.PATIENT, patients=("pat_example01",)),
    ),
    Person(
        "Bram Voorbeeld",
        Claims(sub="pat_example02", role=Party.PATIENT, patients=("pat_example02",)),
    ),
    Person(
        "Carla Voorbeeld",
        Claims(sub="usr_p9f5j2hv", role=Party.PROXY, patients=("pat_example02", "pat_example03")),
    ),
    Person("Dirk Linde", Claims(sub="usr_b3r6y8gs", role=Party.ASSISTANT, practice="01999001")),
    Person("Esra Linde", Claims(sub="usr_z8d4k5nw", role=Party.ASSISTANT, practice="01999001")),
    Person(
        "Fleur Waterrand", Claims(sub="usr_h2x7v6tc", role=Party.ASSISTANT, practice="01999002")
    ),
    Person("Gijs Linde", Claims(sub="usr_m5q9p3fj", role=Party.GP, practice="01999001")),
    Person("Hanna Waterrand", Claims(sub="usr_w6g2s8rb", role=Party.GP, practice="01999002")),
    Person("Ilse Linde", Claims(sub="usr_c4y7d9kx", role=Party.MANAGER, practice="01999001")),
    Person("Joost Waterrand", Claims(sub="usr_n3h5z6mq", role=Party.MANAGER, practice="01999002")),
    Person("Karim Vijzel", Claims(sub="usr_v8t2f4pw", role=Party.PHARMACIST, pharmacy="02999001")),
    Person(
        "Lotte Waterrand", Claims(sub="usr_j6s9b7gd", role=Party.PHARMACIST, pharmacy="02999002")
    ),
    Person("Mila Dienst", Claims(sub="usr_x5c3r2yn", role=Party.PHARMACIST, pharmacy="02999003")),
    Person("Noor Lindewaard", Claims(sub="usr_q7k4h8vz", role=Party.REGION, region="Lindewaard")),
    Person("Otto Beheer", Claims(sub="usr_d9m6w3ts", role=Party.OPERATOR)),
)

SYSTEMS = (
    Claims(sub="lindewaard-portal", role=Party.PORTAL),
    Claims(sub="linde-his", role=Party.PRACTICE_SYSTEM),
    Claims(sub="waterrand-his", role=Party.PRACTICE_SYSTEM),
    Claims(sub="vijzel-ais", role=Party.PHARMACY_SYSTEM),
    Claims(sub="waterrand-ais", role=Party.PHARMACY_SYSTEM),
)
"""Each system's `sub` is its name in the example directory, and its `client_id`."""


class TokenScope(TypedDict, total=False):
    """What a token says besides its role; `sub` is whose it is: a system's name."""

    patients: Sequence[str]
    practice: str | None
    pharmacy: str | None
    region: str | None
    sub: str | None


def claims_of(role: Party, **scope: Unpack[TokenScope]) -> Claims:
    """Make the claims of a token. Without `sub`, they are those of the first made-up person or system with this
    role and scope; where there is none, of somebody else, the same each time.

    Raises pydantic.ValidationError for a code, pseudonym or name that is none.
    """
    sub = scope.get("sub")
    claims = Claims(
        sub=sub or "unknown",
        role=role,
        patients=tuple(scope.get("patients", ())),
        practice=scope.get("practice"),
        pharmacy=scope.get("pharmacy"),
        region=scope.get("region"),
    )
    return claims if sub else claims.model_copy(update={"sub": _sub_of(claims)})


def missing_scope(claims: Claims) -> Scope | None:
    """The scope that the table of access wants of this role, and that the claims leave empty."""
    scopes = {scopes[claims.role] for scopes in ACCESS.values() if claims.role in scopes}
    needed = sorted(scope for scope in scopes if scope.value in Claims.model_fields)
    return next((scope for scope in needed if not getattr(claims, scope.value)), None)


def _sub_of(claims: Claims) -> str:
    for known in (*(person.claims for person in PEOPLE), *SYSTEMS):
        if _without_sub(known) == _without_sub(claims):
            return known.sub
    if claims.role is Party.PATIENT and claims.patients:
        return claims.patients[0]
    digest = hashlib.sha256(repr(_without_sub(claims)).encode()).hexdigest()
    return f"usr_{digest[:12]}"


def _without_sub(claims: Claims) -> Mapping[str, object]:
    return claims.model_dump(mode="json", exclude={"sub"})
