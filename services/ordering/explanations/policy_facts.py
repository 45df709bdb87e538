"""What a practice has chosen, as rules read it, in words."""

from collections.abc import Callable, Mapping

from schemas.reasons import Language
from schemas.records.directory import (
    WEEKDAYS,
    Approver,
    AutoApprove,
    ExpiredAuthorisation,
    OrderHours,
    Remarks,
    Weekday,
)
from services.ordering.domain.facts import Facts
from services.ordering.explanations.words import NO, YES, Words, day, days, number, words

_APPROVERS: Mapping[Approver, Words] = {
    Approver.POLICY: words("de regels", "the rules"),
    Approver.ASSISTANT: words("een assistent", "an assistant"),
    Approver.GP: words("een huisarts", "a GP"),
}
_AUTO: Mapping[AutoApprove, Words] = {
    AutoApprove.AUTHORISED_ONLY: words("alleen met een machtiging", "only what is authorised"),
    AutoApprove.ALL_PLAIN: words("ook zonder machtiging", "also without an authorisation"),
}
_EXPIRED: Mapping[ExpiredAuthorisation, Words] = {
    ExpiredAuthorisation.REVIEW: words("de huisarts kijkt", "the GP looks"),
    ExpiredAuthorisation.REFUSE: words("niet herhalen", "no repeat"),
}
_REMARKS: Mapping[Remarks, Words] = {
    Remarks.NOT_ALLOWED: words("mag niet", "not allowed"),
    Remarks.OPTIONAL: words("mag", "allowed"),
    Remarks.MANDATORY: words("moet", "required"),
}
_ALWAYS = words("altijd", "always")
_DAYS: Mapping[Weekday, Words] = dict(
    zip(
        WEEKDAYS,
        map(
            words,
            ("ma", "di", "wo", "do", "vr", "za", "zo"),
            ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
        ),
        strict=True,
    )
)


def _hours(facts: Facts, language: Language) -> str:
    hours = facts.policy.order_hours
    return _ALWAYS[language] if hours is None else _written(hours, language)


def _written(hours: OrderHours, language: Language) -> str:
    named = ", ".join(_DAYS[each][language] for each in hours.days)
    return f"{named} {hours.first:%H:%M}–{hours.last:%H:%M}"


def _earliest(facts: Facts, language: Language) -> str:
    first = facts.orderable_from
    return _ALWAYS[language] if first is None else day(first, language)


def _other_strength(facts: Facts, language: Language) -> str:
    return (YES if facts.policy.duplicate_other_strength else NO)[language]


OF_POLICY: Mapping[str, tuple[Words, Callable[[Facts, Language], str]]] = {
    "earliest_date": (words("Te bestellen vanaf", "Can be ordered from"), _earliest),
    "under_way_days": (
        words("Een goedgekeurde bestelling loopt nog", "An approved order is under way for"),
        lambda facts, language: days(facts.policy.under_way_days, language),
    ),
    "other_strength": (
        words("Andere sterkte telt als hetzelfde", "Another strength counts as the same"),
        _other_strength,
    ),
    "expired_authorisation": (
        words("Als een machtiging voorbij is", "When an authorisation is over"),
        lambda facts, language: _EXPIRED[facts.policy.expired_authorisation][language],
    ),
    "order_hours": (words("De praktijk neemt bestellingen aan", "Orders are taken"), _hours),
    "remarks_allowed": (
        words("Een opmerking in een bestelling", "A remark in an order"),
        lambda facts, language: _REMARKS[facts.policy.remarks][language],
    ),
    "remark_limit": (
        words("Tekens in een opmerking, ten hoogste", "Characters in a remark, at most"),
        lambda facts, _: f"{facts.policy.remark_length}",
    ),
    "class_b_approver": (
        words("Over klasse B beslist", "Class B is decided by"),
        lambda facts, language: _APPROVERS[facts.policy.approver_class_b][language],
    ),
    "control_overdue_days": (
        words("Een controle mag te laat zijn", "A check may be late by"),
        lambda facts, language: days(facts.policy.control_overdue_days, language),
    ),
    "restart_gap": (
        words("Opnieuw beginnen na", "A new start after"),
        lambda facts, language: days(facts.policy.restart_gap_days, language),
    ),
    "auto_approve": (
        words("Vanzelf goedgekeurd wordt", "Approved by itself"),
        lambda facts, language: _AUTO[facts.policy.auto_approve][language],
    ),
    "most_times": (
        words("Zonder overleg, keer de gewone hoeveelheid", "Without a check, times the usual"),
        lambda facts, language: number(facts.policy.most_times_usual, language),
    ),
    "lines_at_most": (
        words("Medicijnen tegelijk zonder overleg", "Medicines at once without a check"),
        lambda facts, _: f"{facts.policy.lines_at_most}",
    ),
    "approver": (
        words("Over een gewone herhaling beslist", "An ordinary repeat is decided by"),
        lambda facts, language: _APPROVERS[facts.policy.approver][language],
    ),
}
"""By name: the label and the value."""
