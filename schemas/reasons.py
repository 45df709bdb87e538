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
    NOT_AUTHORISED = "NOT_AUTHORISED"
    RESTART_AFTER_GAP = "RESTART_AFTER_GAP"
    SPECIALIST_MEDICINE = "SPECIALIST_MEDICINE"
    WEEKLY_PACKING = "WEEKLY_PACKING"
    CONTROL_OVERDUE = "CONTROL_OVERDUE"
    DOSAGE_TO_CHECK = "DOSAGE_TO_CHECK"
    TOO_MANY_LINES = "TOO_MANY_LINES"
    OUTSIDE_ORDER_HOURS = "OUTSIDE_ORDER_HOURS"
    REMARK_NOT_ALLOWED = "REMARK_NOT_ALLOWED"
    REMARK_MISSING = "REMARK_MISSING"
    REMARK_TOO_LONG = "REMARK_TOO_LONG"


class Reason(Model):
    """One reason on a line, as it travels in a record.

    `earliest_date` (Europe/Amsterdam) is the first day on which this reason is gone. `other_order` is the order
    that the medicine is in already.
    """

    code: ReasonCode
    earliest_date: date | None = None
    other_order: OrderId | None = None


@dataclass(frozen=True)
class Explanation:
    """The sentences about a reason for the patient, and its code for other systems.

    `why` and `next_step` are by language. `next_step` is for a line that is not supplied; while somebody looks
    at it, it is `WAIT`. `hl7` is the v3 renewal-refusal code.
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

WAIT: dict[Language, str] = {"nl": _WAIT[0], "en": _WAIT[1]}
"""What to do while somebody of the practice looks at a line."""

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
        "Uw medicatieoverzicht is niet op tijd ontvangen; de praktijk kijkt naar uw bestelling.",
        "Neem contact op met de praktijk.",
        "Your medication overview did not arrive in time; the practice looks at your order.",
        "Please contact the practice.",
        "NOTPAT",
    ),
    ReasonCode.UNKNOWN_PHARMACY: _explain(
        "De apotheek die u koos is niet aangesloten; de praktijk stuurt het recept zelf.",
        _WAIT[0],
        "The pharmacy you chose is not connected; the practice sends the prescription itself.",
        _WAIT[1],
        "FAMPHYS",
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
    ReasonCode.NOT_AUTHORISED: _explain(
        "De huisarts heeft nog niet vastgelegd dat dit medicijn herhaald mag worden.",
        _WAIT[0],
        "The GP has not recorded yet that this medicine may be repeated.",
        _WAIT[1],
        "FAMPHYS",
    ),
    ReasonCode.RESTART_AFTER_GAP: _explain(
        "U heeft dit medicijn lang niet gekregen; de huisarts bekijkt of u weer kunt beginnen.",
        _WAIT[0],
        "You have not had this medicine for a long time; the GP looks at whether you can start again.",
        _WAIT[1],
        "FAMPHYS",
    ),
    ReasonCode.SPECIALIST_MEDICINE: _explain(
        "Een specialist schrijft dit medicijn voor; de huisarts bekijkt de herhaling.",
        _WAIT[0],
        "A specialist prescribes this medicine; the GP looks at the repeat.",
        _WAIT[1],
        "FAMPHYS",
    ),
    ReasonCode.WEEKLY_PACKING: _explain(
        "Uw apotheek verpakt dit medicijn per week en bekijkt uw bestelling.",
        _WAIT[0],
        "Your pharmacy packs this medicine by the week, and looks at your order.",
        _WAIT[1],
        "FAMPHYS",
    ),
    ReasonCode.CONTROL_OVERDUE: _explain(
        "De controle die bij dit medicijn hoort, is lang geleden; de huisarts bekijkt de herhaling.",
        _WAIT[0],
        "The check that belongs to this medicine is long overdue; the GP looks at the repeat.",
        _WAIT[1],
        "NEEDAPMT",
    ),
    ReasonCode.DOSAGE_TO_CHECK: _explain(
        "De huisarts controleert hoe vaak u dit medicijn moet gebruiken.",
        _WAIT[0],
        "The GP checks how often you should take this medicine.",
        _WAIT[1],
        "FAMPHYS",
    ),
    ReasonCode.TOO_MANY_LINES: _explain(
        "U bestelt veel medicijnen tegelijk; de praktijk bekijkt uw bestelling.",
        _WAIT[0],
        "You order many medicines at once; the practice looks at your order.",
        _WAIT[1],
        "FAMPHYS",
    ),
    ReasonCode.OUTSIDE_ORDER_HOURS: _explain(
        "De praktijk neemt op dit moment geen bestellingen aan.",
        "Bestel opnieuw vanaf de genoemde datum, op de tijden van de praktijk.",
        "The practice takes no orders at this moment.",
        "Please order again from the date given, at the practice's times.",
        "ONHOLD",
    ),
    ReasonCode.REMARK_NOT_ALLOWED: _explain(
        "Bij deze praktijk kan een bestelling geen opmerking hebben.",
        "Bestel opnieuw zonder opmerking, of stel uw vraag met een e-consult.",
        "At this practice an order cannot have a remark.",
        "Please order again without a remark, or ask your question through an e-consult.",
        "MODIFY",
    ),
    ReasonCode.REMARK_MISSING: _explain(
        "Deze praktijk vraagt bij elke bestelling een opmerking.",
        "Schrijf een opmerking bij uw bestelling en bestel opnieuw.",
        "This practice asks for a remark with every order.",
        "Please write a remark with your order, and order again.",
        "MODIFY",
    ),
    ReasonCode.REMARK_TOO_LONG: _explain(
        "Uw opmerking is langer dan deze praktijk toestaat.",
        "Maak uw opmerking korter en bestel opnieuw.",
        "Your remark is longer than this practice allows.",
        "Please make your remark shorter, and order again.",
        "MODIFY",
    ),
}
