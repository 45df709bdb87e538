"""Why an order line is not simply approved: codes, sentences for the patient, and HL7 v3 codes.

HL7 codes come from the v3 vocabulary PharmacySupplyRequestRenewalRefusalReasonCode.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from schemas.base import Model, OrderId

Language = Literal["nl", "en"]
LANGUAGES: tuple[Language, ...] = ("nl", "en")


class ReasonCode(StrEnum):
    """Every reason that ordering can give; a line has all that hold."""

    NOT_IN_OVERVIEW = "NOT_IN_OVERVIEW"
    TEMPORARY_MEDICATION = "TEMPORARY_MEDICATION"
    STOPPED_MEDICATION = "STOPPED_MEDICATION"
    COVERED_BY_REPEAT_SERVICE = "COVERED_BY_REPEAT_SERVICE"
    # Reserved: no rule gives the next three.
    TOO_EARLY = "TOO_EARLY"
    DUPLICATE_ORDER = "DUPLICATE_ORDER"
    AUTHORISATION_EXPIRED = "AUTHORISATION_EXPIRED"
    HIGH_RISK_MEDICATION = "HIGH_RISK_MEDICATION"
    REMARK_NEEDS_READING = "REMARK_NEEDS_READING"
    LARGER_SUPPLY = "LARGER_SUPPLY"
    QUANTITY_ABOVE_LIMIT = "QUANTITY_ABOVE_LIMIT"
    OTHER_PRACTICE = "OTHER_PRACTICE"
    UNKNOWN_PATIENT = "UNKNOWN_PATIENT"
    UNKNOWN_PHARMACY = "UNKNOWN_PHARMACY"
    STATUS_NOT_KNOWN_YET = "STATUS_NOT_KNOWN_YET"
    NAME_CONTRADICTS_CODE = "NAME_CONTRADICTS_CODE"
    OVERVIEW_INCOMPLETE = "OVERVIEW_INCOMPLETE"
    MEDICINE_TWICE = "MEDICINE_TWICE"
    OTHER_REPEAT_SERVICE = "OTHER_REPEAT_SERVICE"
    SUPPLY_DATE_PASSED = "SUPPLY_DATE_PASSED"


class Reason(Model):
    """One reason on a line, as it travels in a record."""

    code: ReasonCode
    earliest_date: date | None = None
    other_order: OrderId | None = None


@dataclass(frozen=True)
class Explanation:
    """The sentences about a reason for the patient, and its code for other systems.

    `why` and `next_step` are by language. `hl7` is the v3 renewal-refusal code.
    """

    why: dict[Language, str]
    next_step: dict[Language, str]
    hl7: str


def _explain(nl: str, nl_next: str, en: str, en_next: str, hl7: str) -> Explanation:
    return Explanation({"nl": nl, "en": en}, {"nl": nl_next, "en": en_next}, hl7)


_WAIT = (
    "U hoeft niets te doen; u krijgt bericht zodra de praktijk heeft besloten.",
    "You need not do anything; you will hear from us once the practice has decided.",
)

EXPLANATIONS: dict[ReasonCode, Explanation] = {
    ReasonCode.NOT_IN_OVERVIEW: _explain(
        "Dit medicijn staat niet in uw medicatieoverzicht.",
        "Stel uw vraag aan de praktijk met een e-consult.",
        "This medicine is not in your medication overview.",
        "Please ask the practice through an e-consult.",
        "FAMPHYS",
    ),
    ReasonCode.TEMPORARY_MEDICATION: _explain(
        "Dit medicijn is tijdelijk voorgeschreven en kan niet worden herhaald.",
        "Heeft u het nog nodig? Maak een afspraak met uw huisarts.",
        "This medicine was prescribed temporarily and cannot be repeated.",
        "Do you still need it? Please make an appointment with your GP.",
        "NEEDAPMT",
    ),
    ReasonCode.STOPPED_MEDICATION: _explain(
        "Dit medicijn is gestopt.",
        "Denkt u dat dit niet klopt? Neem contact op met de praktijk.",
        "This medicine has been stopped.",
        "Do you think this is wrong? Please contact the practice.",
        "STOPMED",
    ),
    ReasonCode.COVERED_BY_REPEAT_SERVICE: _explain(
        "Dit medicijn krijgt u al via de herhaalservice van uw apotheek.",
        "U hoeft het niet te bestellen; vraag uw apotheek wanneer het klaarligt.",
        "You already receive this medicine through your pharmacy's repeat service.",
        "You need not order it; ask your pharmacy when it is ready.",
        "ALREADYRX",
    ),
    ReasonCode.TOO_EARLY: _explain(
        "Het is nog te vroeg om dit medicijn te herhalen.",
        "Bestel het opnieuw vanaf de genoemde datum.",
        "It is too early to repeat this medicine.",
        "Please order it again from the date given.",
        "TOOEARLY",
    ),
    ReasonCode.DUPLICATE_ORDER: _explain(
        "U heeft dit medicijn al besteld.",
        "U hoeft niets te doen; uw eerdere bestelling loopt nog.",
        "You have already ordered this medicine.",
        "You need not do anything; your earlier order is still under way.",
        "ALREADYRX",
    ),
    ReasonCode.AUTHORISATION_EXPIRED: _explain(
        "De machtiging om dit medicijn te herhalen is verlopen.",
        "Maak een afspraak met uw huisarts.",
        "The authorisation to repeat this medicine has expired.",
        "Please make an appointment with your GP.",
        "NEEDAPMT",
    ),
    ReasonCode.HIGH_RISK_MEDICATION: _explain(
        "De huisarts bekijkt elke herhaling van dit medicijn.",
        _WAIT[0],
        "The GP looks at every repeat of this medicine.",
        _WAIT[1],
        "FAMPHYS",
    ),
    ReasonCode.REMARK_NEEDS_READING: _explain(
        "De praktijk leest eerst uw opmerking.",
        _WAIT[0],
        "The practice reads your remark first.",
        _WAIT[1],
        "FAMPHYS",
    ),
    ReasonCode.LARGER_SUPPLY: _explain(
        "U vraagt een grotere voorraad dan gewoonlijk; de praktijk bekijkt dat.",
        _WAIT[0],
        "You ask for a larger supply than usual; the practice looks at that.",
        _WAIT[1],
        "FAMPHYS",
    ),
    ReasonCode.QUANTITY_ABOVE_LIMIT: _explain(
        "U vraagt meer dan de praktijk zonder overleg herhaalt.",
        _WAIT[0],
        "You ask for more than the practice repeats without a check.",
        _WAIT[1],
        "MODIFY",
    ),
    ReasonCode.OTHER_PRACTICE: _explain(
        "U bent niet bij deze praktijk ingeschreven.",
        "Bestel bij uw eigen huisartsenpraktijk.",
        "You are not registered with this practice.",
        "Please order at your own GP practice.",
        "NOTPAT",
    ),
    ReasonCode.UNKNOWN_PATIENT: _explain(
        "De praktijk kent uw medicatie niet.",
        "Neem contact op met de praktijk.",
        "The practice does not have your medication on file.",
        "Please contact the practice.",
        "NOTPAT",
    ),
    ReasonCode.UNKNOWN_PHARMACY: _explain(
        "De gekozen apotheek is niet aangesloten.",
        "Kies een andere apotheek en bestel opnieuw.",
        "The pharmacy you chose is not connected.",
        "Please choose another pharmacy and order again.",
        "MODIFY",
    ),
    ReasonCode.STATUS_NOT_KNOWN_YET: _explain(
        "Uw medicatieoverzicht is nog niet ontvangen.",
        "U hoeft niets te doen; u krijgt bericht zodra het er is.",
        "Your medication overview has not arrived yet.",
        "You need not do anything; you will hear from us once it is there.",
        "ONHOLD",
    ),
    ReasonCode.NAME_CONTRADICTS_CODE: _explain(
        "In uw bestelling staat een andere naam bij dit medicijn dan in uw medicatieoverzicht.",
        _WAIT[0],
        "Your order has another name for this medicine than your medication overview.",
        _WAIT[1],
        "FAMPHYS",
    ),
    ReasonCode.OVERVIEW_INCOMPLETE: _explain(
        "Uw medicatieoverzicht is voor dit medicijn niet volledig.",
        _WAIT[0],
        "Your medication overview is not complete for this medicine.",
        _WAIT[1],
        "FAMPHYS",
    ),
    ReasonCode.MEDICINE_TWICE: _explain(
        "Dit medicijn staat meer dan één keer in uw bestelling; de praktijk bekijkt hoeveel u nodig heeft.",
        _WAIT[0],
        "This medicine is in your order more than once; the practice looks at how much you need.",
        _WAIT[1],
        "FAMPHYS",
    ),
    ReasonCode.OTHER_REPEAT_SERVICE: _explain(
        "U krijgt dit medicijn via een herhaalservice, maar de apotheek die u koos heeft er geen.",
        _WAIT[0],
        "You receive this medicine through a repeat service, but the pharmacy you chose has none.",
        _WAIT[1],
        "FAMPHYS",
    ),
    ReasonCode.SUPPLY_DATE_PASSED: _explain(
        "De datum tot wanneer u een voorraad vraagt, is al voorbij.",
        _WAIT[0],
        "The date until which you ask for a supply has passed.",
        _WAIT[1],
        "FAMPHYS",
    ),
}
