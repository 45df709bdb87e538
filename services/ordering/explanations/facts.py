"""What rules look at: each fact with its label and its value in words; a remark's own text is none."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from schemas.base import RiskClass
from schemas.reasons import Language
from schemas.records.medication import Status
from services.ordering.domain.facts import Facts
from services.ordering.domain.knowledge import UnderWay
from services.ordering.domain.refusals import has_remark
from services.ordering.explanations import policy_facts
from services.ordering.explanations.words import (
    NO,
    NONE,
    NOT_KNOWN,
    YES,
    Words,
    day,
    days,
    moment,
    number,
    words,
)

Value: TypeAlias = Callable[[Facts, Language], str]
"""The value of a fact in a language."""


class Fact(Struct, frozen=True):
    """Something that rules look at; `of_policy` if it is what the practice has chosen."""

    label: Words
    value: Value
    of_policy: bool = False


_HERE = words("deze praktijk", "this practice")
_ELSEWHERE = words("een andere praktijk", "another practice")
_STATUSES: Mapping[Status, Words] = {
    Status.CHRONIC: words("mag herhaald worden", "may be repeated"),
    Status.TEMPORARY: words("tijdelijk", "temporary"),
    Status.STOPPED: words("gestopt", "stopped"),
}
_CLASSES: Mapping[RiskClass, Words] = {
    RiskClass.A: words("A: de huisarts beslist elke keer", "A: the GP decides every time"),
    RiskClass.B: words("B: extra zorg nodig", "B: needs extra care"),
    RiskClass.C: words("C: gewoon", "C: ordinary"),
}
_NOT_COMPUTED = words("niet te berekenen", "cannot be computed")
_NOT_APPROVED_YET = words("nog niet goedgekeurd", "not approved yet")
_APPROVED_ON = words("goedgekeurd op {day}", "approved on {day}")
_OTHER_STRENGTH = words(", andere sterkte", ", another strength")
_UNLIMITED = words("niet beperkt", "not limited")


def _yes_no(asked: Callable[[Facts], bool]) -> Value:
    return lambda facts, language: (YES if asked(facts) else NO)[language]


def _of_entry(name: str) -> Value:
    return _yes_no(lambda facts: facts.entry is not None and bool(getattr(facts.entry, name)))


def _day(asked: Callable[[Facts], date | None], without: Words = NONE) -> Value:
    def value(facts: Facts, language: Language) -> str:
        found = asked(facts)
        return day(found, language) if found else without[language]

    return value


def _registered_at(facts: Facts, language: Language) -> str:
    at = facts.known.registered_at
    return (NOT_KNOWN if at is None else _HERE if at == facts.practice else _ELSEWHERE)[language]


def _status(facts: Facts, language: Language) -> str:
    return (_STATUSES[facts.entry.status] if facts.entry else NOT_KNOWN)[language]


def _listed(facts: Facts, language: Language) -> str:
    return facts.entry.medicine if facts.entry else NO[language]


def _dosage(facts: Facts, language: Language) -> str:
    return facts.entry.dosage if facts.entry else NOT_KNOWN[language]


def _under_way(facts: Facts, language: Language) -> str:
    found = [_other_order(each, language) for each in facts.line.under_way]
    return "; ".join(found) or NONE[language]


def _other_order(other: UnderWay, language: Language) -> str:
    approved = other.approved_on
    text = _APPROVED_ON if approved else _NOT_APPROVED_YET
    said = text[language].format(day=day(approved, language) if approved else "")
    return said + (_OTHER_STRENGTH[language] if other.other_strength else "")


def _supply_days(facts: Facts, language: Language) -> str:
    found = facts.line.supply_days
    return _NOT_COMPUTED[language] if found is None else days(found, language)


def _most_days(facts: Facts, language: Language) -> str:
    found = facts.line.most_days
    return NONE[language] if found is None else days(found, language)


def _repeats_left(facts: Facts, language: Language) -> str:
    given = facts.entry.authorisation if facts.entry else None
    if given is None:
        return NONE[language]
    if given.repeats is None:
        return _UNLIMITED[language]
    return f"{max(given.repeats - facts.line.repeats_used, 0)}"


def _authorised_until(facts: Facts) -> date | None:
    given = facts.entry.authorisation if facts.entry else None
    return given.until if given else None


def _remark_length(facts: Facts, _: Language) -> str:
    return f"{len(facts.remark or '')}"


def _amount(asked: Callable[[Facts], Decimal | None]) -> Value:
    def value(facts: Facts, language: Language) -> str:
        found, unit = asked(facts), facts.entry.unit if facts.entry else ""
        return NOT_KNOWN[language] if found is None else f"{number(found, language)} {unit}".strip()

    return value


_OF_ORDER: Mapping[str, Fact] = {
    "registered_at": Fact(words("Ingeschreven bij", "Registered at"), _registered_at),
    "overview": Fact(
        words("Medicatieoverzicht ontvangen", "Medication overview received"),
        _yes_no(lambda facts: facts.known.registered_at is not None),
    ),
    "listed": Fact(words("In het medicatieoverzicht", "In the medication overview"), _listed),
    "status": Fact(words("Status van het medicijn", "Status of the medicine"), _status),
    "in_service": Fact(
        words("Medicijn in een herhaalservice", "Medicine in a repeat service"),
        _of_entry("repeat_service"),
    ),
    "connected": Fact(
        words("Apotheek aangesloten", "Pharmacy connected"),
        _yes_no(lambda facts: facts.known.connected),
    ),
    "pharmacy_service": Fact(
        words("Apotheek heeft een herhaalservice", "Pharmacy runs a repeat service"),
        _yes_no(lambda facts: facts.known.repeat_service),
    ),
    "under_way": Fact(
        words("Andere bestellingen van dit medicijn", "Other orders of this medicine"), _under_way
    ),
    "covered_until": Fact(
        words("Voorraad tot en met", "Supply lasts until"),
        _day(lambda facts: facts.line.covered_until, _NOT_COMPUTED),
    ),
    "supply_days": Fact(words("Laatste voorraad is voor", "Last supply is for"), _supply_days),
    "most_days": Fact(
        words("Langste periode in de medicijnlijst", "Longest period in the list of medicines"),
        _most_days,
    ),
    "last_supplied_on": Fact(
        words("Laatst verstrekt op", "Last supplied on"),
        _day(lambda facts: facts.line.last_supplied_on, NOT_KNOWN),
    ),
    "risk_class": Fact(
        words("Klasse van het medicijn", "Class of the medicine"),
        lambda facts, language: _CLASSES[facts.line.risk_class][language],
    ),
    "ordered_on": Fact(words("Besteld op", "Ordered on"), _day(lambda facts: facts.placed_on)),
    "ordered_at": Fact(
        words("Besteld op", "Ordered on"),
        lambda facts, language: moment(facts.placed_at, language),
    ),
    "decided_on": Fact(words("Beslist op", "Decided on"), _day(lambda facts: facts.decided_on)),
    "remark": Fact(words("Opmerking in de bestelling", "Remark in the order"), _yes_no(has_remark)),
    "remark_length": Fact(
        words("Tekens in de opmerking", "Characters in the remark"), _remark_length
    ),
    "supply_until": Fact(
        words("Voorraad gevraagd tot en met", "Supply asked for until"),
        _day(lambda facts: facts.supply_until),
    ),
    "authorised_until": Fact(
        words("Machtiging van de huisarts tot en met", "Authorised by the GP until"),
        _day(_authorised_until, words("geen machtiging", "no authorisation")),
    ),
    "repeats_left": Fact(
        words("Herhalingen over van de machtiging", "Repeats left of the authorisation"),
        _repeats_left,
    ),
    "ordered_name": Fact(
        words("Naam in de bestelling", "Name in the order"), lambda facts, _: facts.asked.medicine
    ),
    "incomplete": Fact(
        words("Onleesbare regel van dit medicijn", "Unreadable entry of this medicine"),
        _of_entry("incomplete"),
    ),
    "times": Fact(
        words("Keer in de bestelling", "Times in the order"), lambda facts, _: f"{facts.times}"
    ),
    "lines": Fact(
        words("Medicijnen in de bestelling", "Medicines in the order"),
        lambda facts, _: f"{facts.lines}",
    ),
    "weekly": Fact(
        words("Medicijn voor één keer per week", "Medicine for once a week"),
        _yes_no(lambda facts: facts.line.weekly),
    ),
    "dosage": Fact(words("Dosering", "Dosage"), _dosage),
    "control_due": Fact(
        words("Controle nodig vanaf", "Check due on"),
        _day(lambda facts: facts.entry.control_due if facts.entry else None),
    ),
    "specialist": Fact(
        words("Voorgeschreven door een specialist", "Prescribed by a specialist"),
        _of_entry("specialist"),
    ),
    "weekly_packing": Fact(
        words("Per week verpakt", "Packed by the week"), _of_entry("weekly_packing")
    ),
    "quantity": Fact(
        words("Besteld, alle regels samen", "Ordered, all lines together"),
        _amount(lambda facts: facts.together),
    ),
    "usual_quantity": Fact(
        words("Gewone hoeveelheid", "Usual quantity"),
        _amount(lambda facts: facts.entry.quantity if facts.entry else None),
    ),
}

_OF_POLICY = {
    name: Fact(label, value, of_policy=True)
    for name, (label, value) in policy_facts.OF_POLICY.items()
}

FACTS: Mapping[str, Fact] = {**_OF_ORDER, **_OF_POLICY}
"""Every fact, by the name under which a rule lists it."""
