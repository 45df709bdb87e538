"""The made-up people and systems that a local stack knows, and what their tokens say."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

from schemas.access import ACCESS, Claims, Party, Scope


@dataclass(frozen=True)
class Person:
    """A made-up person: the claims of the tokens; on the login page only, the name and a line on who it is.

    A patient's `sub` is the pseudonym, as orders say it; everybody else's says nothing.
    """

    name: str
    claims: Claims
    nl: str
    en: str

    def about(self, language: str) -> str:
        """The line on who this is, in `nl` or `en`."""
        return {"nl": self.nl, "en": self.en}[language]


PEOPLE = (
    Person(
        "Anna Voorbeeld",
        Claims(sub="pat_example01", role=Party.PATIENT, patients=("pat_example01",)),
        nl="Gebruikt al jaren medicijnen, ook voor suikerziekte. Patiënt van Huisartsenpraktijk De Linde.",
        en="Has taken medicines for years, also for diabetes. Patient of Huisartsenpraktijk De Linde.",
    ),
    Person(
        "Bram Voorbeeld",
        Claims(sub="pat_example02", role=Party.PATIENT, patients=("pat_example02",)),
        nl="Heeft hartmedicijnen; zijn zus Carla helpt hem. Patiënt van Huisartsenpraktijk De Linde.",
        en="Takes medicines for his heart; his sister Carla helps him. Patient of Huisartsenpraktijk De Linde.",
    ),
    Person(
        "Carla Voorbeeld",
        Claims(sub="usr_p9f5j2hv", role=Party.PROXY, patients=("pat_example02", "pat_example03")),
        nl="Regelt de medicijnen van haar broers Bram en Bas, een tweeling.",
        en="Looks after the medicines of her brothers Bram and Bas, who are twins.",
    ),
    Person(
        "Dirk Linde",
        Claims(sub="usr_b3r6y8gs", role=Party.ASSISTANT, practice="01999001"),
        nl="Zit aan de balie en neemt de telefoon op bij Huisartsenpraktijk De Linde.",
        en="Is at the desk and answers the phone at Huisartsenpraktijk De Linde.",
    ),
    Person(
        "Esra Linde",
        Claims(sub="usr_z8d4k5nw", role=Party.ASSISTANT, practice="01999001"),
        nl="Kijkt de herhaalrecepten na bij Huisartsenpraktijk De Linde.",
        en="Checks the repeat orders at Huisartsenpraktijk De Linde.",
    ),
    Person(
        "Fleur Waterrand",
        Claims(sub="usr_h2x7v6tc", role=Party.ASSISTANT, practice="01999002"),
        nl="Werkt bij Gezondheidscentrum Waterrand.",
        en="Works at Gezondheidscentrum Waterrand.",
    ),
    Person(
        "Gijs Linde",
        Claims(sub="usr_m5q9p3fj", role=Party.GP, practice="01999001"),
        nl="Huisarts van Anna, Bram en Bas bij Huisartsenpraktijk De Linde.",
        en="GP of Anna, Bram and Bas at Huisartsenpraktijk De Linde.",
    ),
    Person(
        "Hanna Waterrand",
        Claims(sub="usr_w6g2s8rb", role=Party.GP, practice="01999002"),
        nl="Huisarts bij Gezondheidscentrum Waterrand.",
        en="GP at Gezondheidscentrum Waterrand.",
    ),
    Person(
        "Ilse Linde",
        Claims(sub="usr_c4y7d9kx", role=Party.MANAGER, practice="01999001"),
        nl="Ziet de cijfers van Huisartsenpraktijk De Linde.",
        en="Sees the figures of Huisartsenpraktijk De Linde.",
    ),
    Person(
        "Joost Waterrand",
        Claims(sub="usr_n3h5z6mq", role=Party.MANAGER, practice="01999002"),
        nl="Ziet de cijfers van Gezondheidscentrum Waterrand.",
        en="Sees the figures of Gezondheidscentrum Waterrand.",
    ),
    Person(
        "Karim Vijzel",
        Claims(sub="usr_v8t2f4pw", role=Party.PHARMACIST, pharmacy="02999001"),
        nl="Maakt recepten klaar bij Apotheek De Gouden Vijzel.",
        en="Prepares prescriptions at Apotheek De Gouden Vijzel.",
    ),
    Person(
        "Lotte Waterrand",
        Claims(sub="usr_j6s9b7gd", role=Party.PHARMACIST, pharmacy="02999002"),
        nl="Maakt recepten klaar bij Apotheek Waterrand.",
        en="Prepares prescriptions at Apotheek Waterrand.",
    ),
    Person(
        "Mila Dienst",
        Claims(sub="usr_x5c3r2yn", role=Party.PHARMACIST, pharmacy="02999003"),
        nl="Werkt bij Dienstapotheek Lindewaard, die altijd open is.",
        en="Works at Dienstapotheek Lindewaard, which is always open.",
    ),
    Person(
        "Noor Lindewaard",
        Claims(sub="usr_q7k4h8vz", role=Party.REGION, region="Lindewaard"),
        nl="Ziet de cijfers van alle praktijken in de regio Lindewaard, en geen patiënten.",
        en="Sees the figures of all practices in the region Lindewaard, and no patients.",
    ),
    Person(
        "Otto Beheer",
        Claims(sub="usr_d9m6w3ts", role=Party.OPERATOR),
        nl="Houdt het systeem draaiend en ziet alleen aantallen.",
        en="Keeps the system running and sees numbers only.",
    ),
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
