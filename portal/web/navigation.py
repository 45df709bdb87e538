"""The main menu of each role, and where each begins."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.web.languages import mark
from schemas.access import Claims, Party


@dataclass(frozen=True)
class Link:
    """A link of the main menu; `text` is in English. Pages under `also` belong to it too.

    A link that `counts` shows how many messages are unread.
    """

    path: str
    text: str
    also: str | None = None
    counts: bool = False


_FIGURES = Link("/practice/orders", mark("Figures"))
_POLICY = Link("/practice/policy", mark("Policy"))
_OF_CARE = (
    Link("/practice/reviews", mark("To review")),
    Link("/practice/patients", mark("Patients")),
    _FIGURES,
)


def links_of(claims: Claims, patient: str | None) -> Sequence[Link]:
    """The main menu: of a patient's or proxy's pages for the patient whose pages these are."""
    match claims.role:
        case Party.PATIENT | Party.PROXY:
            return _of_patient(patient) if patient else ()
        case Party.ASSISTANT:
            return _OF_CARE
        case Party.GP:
            return (*_OF_CARE, _POLICY)
        case Party.MANAGER:
            return (_FIGURES, _POLICY)
        case Party.PHARMACIST:
            return (Link("/pharmacy/prescriptions", mark("Prescriptions")),)
        case Party.REGION:
            return (Link("/region/orders", mark("Figures")),)
        case Party.OPERATOR:
            return (Link("/operator/state", mark("State")),)
        case _:
            return ()


def home_of(claims: Claims) -> str:
    """The first page of who has just logged in."""
    match claims.role:
        case Party.PATIENT | Party.PROXY if len(claims.patients) == 1:
            return f"/patients/{claims.patients[0]}/medicines"
        case Party.PATIENT | Party.PROXY:
            return "/for"
        case _:
            return next((link.path for link in links_of(claims, None)), "/nothing")


def _of_patient(patient: str) -> Sequence[Link]:
    at = f"/patients/{patient}"
    return (
        Link(f"{at}/medicines", mark("My medicines"), f"{at}/order/"),
        Link(f"{at}/orders", mark("My orders")),
        Link(f"{at}/messages", mark("Messages"), counts=True),
        Link(f"{at}/me", mark("My details")),
    )
