"""What happened to a line, and who did it, in one sentence; for explanations and timelines."""

from collections.abc import Mapping

from schemas.base import Reviewer, Role
from schemas.reasons import Language
from schemas.records.orders import Outcome, Signal
from services.ordering.domain.journal import Note, NotedLine
from services.ordering.domain.past import DECIDED
from services.ordering.explanations.words import Words, words

WHO: Mapping[Role, Words] = {
    Role.PATIENT: words("De patiënt", "The patient"),
    Role.PROXY: words("Iemand namens de patiënt", "Somebody on behalf of the patient"),
    Role.ASSISTANT: words("Een assistent", "An assistant"),
    Role.GP: words("Een huisarts", "A GP"),
    Role.PHARMACY: words("De apotheek", "The pharmacy"),
    Role.POLICY: words("De regels van de praktijk", "The practice's rules"),
    Role.SYSTEM: words("Het systeem", "The system"),
}
"""Who did something, at the start of a sentence."""

_REVIEWERS: Mapping[Reviewer | None, Words] = {
    Reviewer.ASSISTANT: words("een assistent", "an assistant"),
    Reviewer.GP: words("een huisarts", "a GP"),
    Reviewer.PHARMACY: words("de apotheek", "the pharmacy"),
    None: words("iemand van de praktijk", "somebody of the practice"),
}
_BY_RULES: Mapping[Outcome, Words] = {
    Outcome.APPROVED: words(
        "Goedgekeurd volgens de regels van de praktijk.", "Approved by the practice's rules."
    ),
    Outcome.REVIEW: words("Voorgelegd aan {reviewer}.", "Passed on to {reviewer}."),
    Outcome.WAITING: words(
        "Wacht op het medicatieoverzicht.", "Waits for the medication overview."
    ),
    Outcome.REFUSED: words(
        "Niet goedgekeurd volgens de regels van de praktijk.",
        "Not approved by the practice's rules.",
    ),
    Outcome.E_CONSULT: words(
        "Niet goedgekeurd: hiervoor is een e-consult nodig.",
        "Not approved: this needs an e-consult.",
    ),
    Outcome.REPEAT_SERVICE: words(
        "Niet nodig: de apotheek levert het vanzelf.",
        "Not needed: the pharmacy supplies it by itself.",
    ),
    Outcome.CANCELLED: words("Geannuleerd.", "Cancelled."),
}
_OVERVIEW_CAME = words("Het medicatieoverzicht is er.", "The medication overview has arrived.")
_OVERVIEW_DID_NOT = words(
    "Het medicatieoverzicht kwam niet op tijd.", "The medication overview did not arrive in time."
)
_WITHDRAWN_BY_RULES = words(
    "De goedkeuring is ingetrokken: het medicijn wordt niet meer herhaald.",
    "The approval was withdrawn: the medicine is no longer repeated.",
)
_BY_PERSON: Mapping[Outcome, Words] = {
    Outcome.APPROVED: words("{who} heeft dit goedgekeurd.", "{who} approved this."),
    Outcome.REFUSED: words("{who} heeft dit niet goedgekeurd.", "{who} did not approve this."),
    Outcome.E_CONSULT: words(
        "{who} heeft dit doorverwezen naar een e-consult.", "{who} referred this to an e-consult."
    ),
}
_BY_PERSON_OTHERWISE = words("{who} heeft hierover beslist.", "{who} decided about this.")
_KEPT = words("{who} heeft de goedkeuring laten staan.", "{who} kept the approval.")
_WITHDRAWN = words("{who} heeft de goedkeuring ingetrokken.", "{who} withdrew the approval.")
_OVERRULED = words(
    "{who} wilde dit goedkeuren, maar het medicatieoverzicht was intussen veranderd: niet goedgekeurd.",
    "{who} wanted to approve this, but the medication overview had changed meanwhile: not approved.",
)
SIGNALS: Mapping[Signal, Words] = {
    Signal.CONTROL_DUE: words(
        "De controle die bij dit medicijn hoort, is nodig.",
        "The check that belongs to this medicine is due.",
    ),
}
"""What somebody should know of a line."""


def decided(note: Note, line: NotedLine, before: Outcome | None, language: Language) -> str:
    """What was decided about a line, and by whom; `before` is its outcome before that, if it had one."""
    role = Role.POLICY if note.by is None or note.type == DECIDED else note.by.role
    match role:
        case Role.POLICY:
            return _by_rules(line, before, language)
        case Role.SYSTEM:
            return f"{_OVERVIEW_DID_NOT[language]} {_outcome(line, language)}"
        case _:
            return _by_person(line, before)[language].format(who=WHO[role][language])


def passed_on(reviewer: Reviewer | None, language: Language) -> str:
    """To whom a line went."""
    return _BY_RULES[Outcome.REVIEW][language].format(reviewer=_REVIEWERS[reviewer][language])


def _by_rules(line: NotedLine, before: Outcome | None, language: Language) -> str:
    if before is None:
        return _outcome(line, language)
    if before is Outcome.APPROVED:
        return _WITHDRAWN_BY_RULES[language]
    return f"{_OVERVIEW_CAME[language]} {_outcome(line, language)}"


def _outcome(line: NotedLine, language: Language) -> str:
    assert line.outcome is not None, "a decision has an outcome"
    if line.outcome is Outcome.REVIEW:
        return passed_on(line.reviewer, language)
    return _BY_RULES[line.outcome][language]


def _by_person(line: NotedLine, before: Outcome | None) -> Words:
    if line.reviewed_as is not None:
        return _OVERRULED
    if before is Outcome.APPROVED:
        return _KEPT if line.outcome is Outcome.APPROVED else _WITHDRAWN
    assert line.outcome is not None, "a decision has an outcome"
    return _BY_PERSON.get(line.outcome, _BY_PERSON_OTHERWISE)
