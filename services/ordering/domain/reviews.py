"""Why a person looks at a line first, and who: the checks of the rules, each as a GP would say it."""

from datetime import date, timedelta
from decimal import Decimal

from schemas.base import Reviewer, RiskClass
from schemas.dosage import read_dosage
from schemas.records.directory import Approver, AutoApprove, ExpiredAuthorisation
from services.ordering.domain.facts import Facts
from services.ordering.domain.knowledge import days_of
from services.ordering.domain.names import contradicts
from services.ordering.domain.overview import Entry
from services.ordering.domain.refusals import (
    authorisation_has_ended,
    has_a_reason,
    has_remark,
    is_too_early,
)

USUAL_DAYS = 92
"""How long a supply lasts where that is not known: the longest of a chronic medicine (G-Standaard, GPADVP)."""


def pharmacy_not_connected(facts: Facts) -> bool:
    """The pharmacy is not connected, which is the patient's right: the practice sends the prescription
    itself."""
    return not facts.known.connected


def name_contradicts_code(facts: Facts) -> bool:
    """The order has another medicine's name than the overview has for this code: which one is meant?"""
    return facts.entry is not None and contradicts(facts.asked.medicine, facts.entry.medicine)


def overview_incomplete(facts: Facts) -> bool:
    """Another entry of this medicine was left out of the overview for a flaw: perhaps a second dosage."""
    return facts.entry is not None and facts.entry.incomplete


def medicine_twice(facts: Facts) -> bool:
    """The order has this medicine more than once."""
    return facts.times > 1


def other_repeat_service(facts: Facts) -> bool:
    """The medicine is in a repeat service, and the pharmacy of the order runs none: another may supply it."""
    in_service = facts.entry is not None and facts.entry.repeat_service
    return in_service and facts.known.connected and not facts.known.repeat_service


def supply_date_passed(facts: Facts) -> bool:
    """The order is for a period that is over."""
    return facts.supply_until is not None and facts.supply_until < facts.decided_on


def too_early_with_a_reason(facts: Facts) -> bool:
    """It is early, but the order says why, such as a journey, or the medicine must not be refused without a
    GP."""
    careful = facts.line.risk_class is RiskClass.A
    return is_too_early(facts) and (careful or has_a_reason(facts))


def weekly_taken_daily(facts: Facts) -> bool:
    """A medicine that is taken once a week has a dosage that does not say so: taken daily it is an overdose."""
    if not facts.line.weekly or facts.entry is None:
        return False
    dosage = read_dosage(facts.entry.dosage)
    return dosage is None or not dosage.is_weekly


def high_risk(facts: Facts) -> bool:
    """The medicine needs care: the GP decides every repeat, or the practice wants somebody to look."""
    match facts.line.risk_class:
        case RiskClass.A:
            return True
        case RiskClass.B:
            by_policy = facts.policy.approver_class_b is Approver.POLICY
            return not (by_policy and is_authorised(facts) and not control_due(facts))
        case RiskClass.C:
            return False


def who_decides_high_risk(facts: Facts) -> Reviewer:
    """The GP, but for class B where the practice leaves it to the assistant."""
    to_assistant = facts.policy.approver_class_b is Approver.ASSISTANT
    return by_class(facts) if to_assistant else Reviewer.GP


def by_class(facts: Facts) -> Reviewer:
    """The GP for a medicine of class A, else the assistant."""
    return Reviewer.GP if facts.line.risk_class is RiskClass.A else Reviewer.ASSISTANT


def is_authorised(facts: Facts) -> bool:
    """A GP has authorised repeats for this patient, and the authorisation has not ended."""
    given = facts.entry.authorisation if facts.entry else None
    return given is not None and not authorisation_has_ended(facts)


def control_due(facts: Facts) -> bool:
    """The check that belongs to the medicine is due."""
    due = facts.entry.control_due if facts.entry else None
    return due is not None and due < facts.decided_on


def control_long_overdue(facts: Facts) -> bool:
    """The check that belongs to the medicine has been due for longer than the practice accepts."""
    due = facts.entry.control_due if facts.entry else None
    return due is not None and _days_after(due, facts) > facts.policy.control_overdue_days


def _days_after(day: date, facts: Facts) -> int:
    return (facts.decided_on - day).days


def from_a_specialist(facts: Facts) -> bool:
    """A specialist prescribes it, and the GP has not taken that over for this patient."""
    return facts.entry is not None and facts.entry.specialist and not is_authorised(facts)


def restart_after_gap(facts: Facts) -> bool:
    """The patient had it so long ago that this is a new start."""
    last = facts.line.last_supplied_on
    return last is not None and facts.placed_on - last >= timedelta(
        days=facts.policy.restart_gap_days
    )


def authorisation_to_renew(facts: Facts) -> bool:
    """The authorisation has ended: the GP decides whether to renew it. Also when it ended while the order
    waited."""
    given = facts.entry.authorisation if facts.entry else None
    if given is None:
        return False
    to_gp = facts.policy.expired_authorisation is ExpiredAuthorisation.REVIEW
    waited = facts.placed_on <= given.until < facts.decided_on
    return waited or (to_gp and authorisation_has_ended(facts))


def not_authorised(facts: Facts) -> bool:
    """No GP has authorised repeats for this patient, and the practice approves nothing without."""
    if facts.policy.auto_approve is AutoApprove.ALL_PLAIN or facts.entry is None:
        return False
    return facts.entry.authorisation is None


def packed_by_the_week(facts: Facts) -> bool:
    """The pharmacy packs it by the week: it decides how an order fits in."""
    return facts.entry is not None and facts.entry.weekly_packing


def remark_to_read(facts: Facts) -> bool:
    """The order has a remark, which a person always reads."""
    return has_remark(facts)


def larger_supply(facts: Facts) -> bool:
    """The order is for a longer period, such as a journey."""
    return facts.supply_until is not None and facts.supply_until >= facts.decided_on


def who_decides_larger_supply(facts: Facts) -> Reviewer:
    """The pharmacy for weekly packing; the assistant for a little more than usual; else the GP."""
    if facts.entry is not None and facts.entry.weekly_packing:
        return Reviewer.PHARMACY
    assert facts.supply_until is not None, "only a larger supply asks this"
    usual = facts.line.supply_days or (facts.entry.days_supply if facts.entry else None)
    extra = (facts.supply_until - facts.decided_on).days - (usual or USUAL_DAYS)
    much = extra > facts.policy.larger_supply_assistant_days
    return Reviewer.GP if much else by_class(facts)


def larger_quantity(facts: Facts) -> bool:
    """More is asked, in all lines of the medicine, than the practice repeats without a person, or for longer
    than the list of medicines allows."""
    if facts.entry is None or facts.together is None:
        return False
    usual = facts.entry.quantity * facts.policy.most_times_usual
    return facts.together > usual or _for_too_long(
        facts.entry, facts.together, facts.line.most_days
    )


def _for_too_long(entry: Entry, quantity: Decimal, most_days: int | None) -> bool:
    days = None if most_days is None else days_of(entry, quantity, None)
    return most_days is not None and days is not None and days > most_days


def too_many_lines(facts: Facts) -> bool:
    """The order has more medicines than the practice approves at once without a person."""
    return facts.lines > facts.policy.lines_at_most


def everything_reviewed(facts: Facts) -> bool:
    """The practice has a person look at every repeat."""
    return facts.policy.approver is not Approver.POLICY


def approver(facts: Facts) -> Reviewer:
    """The one to whom the practice leaves every repeat."""
    return Reviewer.GP if facts.policy.approver is Approver.GP else by_class(facts)
