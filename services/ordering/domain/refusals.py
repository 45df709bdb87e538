"""Why a line cannot be supplied as asked: the checks of the rules, each as a GP would say it."""

from datetime import date, timedelta

from schemas.base import RiskClass, is_blank
from schemas.reasons import Reason, ReasonCode
from schemas.records.directory import WEEKDAYS, ExpiredAuthorisation, OrderHours, Remarks
from schemas.records.medication import Status
from schemas.times import AMSTERDAM
from services.ordering.domain.facts import Facts
from services.ordering.domain.knowledge import UnderWay


def registered_elsewhere(facts: Facts) -> bool:
    """The patient is registered with another practice."""
    return facts.known.registered_at is not None and facts.known.registered_at != facts.practice


def overview_not_arrived(facts: Facts) -> bool:
    """The patient's overview has not arrived."""
    return facts.known.registered_at is None


def not_in_overview(facts: Facts) -> bool:
    """The medicine is not in the overview."""
    return facts.entry is None and facts.known.registered_at is not None


def temporary(facts: Facts) -> bool:
    """The medicine was prescribed temporarily."""
    return facts.entry is not None and facts.entry.status is Status.TEMPORARY


def stopped(facts: Facts) -> bool:
    """The medicine was stopped."""
    return facts.entry is not None and facts.entry.status is Status.STOPPED


def covered_by_repeat_service(facts: Facts) -> bool:
    """The pharmacy supplies the medicine by itself."""
    in_service = facts.entry is not None and facts.entry.repeat_service
    return in_service and (facts.known.repeat_service or not facts.known.connected)


def under_way_already(facts: Facts) -> bool:
    """The patient has ordered the medicine already, and that order is still under way."""
    return bool(facts.line.under_way) and _under_way(facts) is not None


def other_order(facts: Facts) -> Reason:
    """The reason that names the order which is under way."""
    other = _under_way(facts)
    return Reason(code=ReasonCode.DUPLICATE_ORDER, other_order=other.order_id if other else None)


def _under_way(facts: Facts) -> UnderWay | None:
    """The first order of this medicine that is under way; an approved one is so for the days of the policy."""
    since = facts.placed_on - timedelta(days=facts.policy.under_way_days)
    for each in facts.line.under_way:
        counts = facts.policy.duplicate_other_strength or not each.other_strength
        if counts and (each.approved_on is None or each.approved_on > since):
            return each
    return None


def is_too_early(facts: Facts) -> bool:
    """What the patient has at home lasts longer than the practice's margin."""
    first = facts.orderable_from
    return first is not None and facts.placed_on < first


def has_a_reason(facts: Facts) -> bool:
    """The order says why it differs: a period, or a remark for a person to read."""
    return facts.supply_until is not None or has_remark(facts)


def has_remark(facts: Facts) -> bool:
    """The order has a remark that people can see."""
    return facts.remark is not None and not is_blank(facts.remark)


def too_early(facts: Facts) -> bool:
    """The patient has enough of the medicine, and the order does not say why more is needed."""
    careful = facts.line.risk_class is RiskClass.A
    return not careful and is_too_early(facts) and not has_a_reason(facts)


def from_when(facts: Facts) -> Reason:
    """The reason with the first day on which it is not too early."""
    return Reason(code=ReasonCode.TOO_EARLY, earliest_date=facts.orderable_from)


def authorisation_has_ended(facts: Facts) -> bool:
    """What the GP authorised was over when the patient ordered: after its date, or with no repeats left."""
    given = facts.entry.authorisation if facts.entry else None
    if given is None:
        return False
    used_up = given.repeats is not None and facts.line.repeats_used >= given.repeats
    return used_up or facts.placed_on > given.until


def authorisation_ended(facts: Facts) -> bool:
    """The authorisation has ended, and the practice wants the patient to come first."""
    refused = facts.policy.expired_authorisation is ExpiredAuthorisation.REFUSE
    return refused and authorisation_has_ended(facts)


def outside_order_hours(facts: Facts) -> bool:
    """The practice takes no orders at this time."""
    hours = facts.policy.order_hours
    return hours is not None and not _taken(hours, facts)


def _taken(hours: OrderHours, facts: Facts) -> bool:
    placed = facts.placed_at.astimezone(AMSTERDAM)
    minute = placed.time().replace(second=0, microsecond=0)
    return WEEKDAYS[placed.weekday()] in hours.days and hours.first <= minute <= hours.last


def next_order_day(facts: Facts) -> Reason:
    """The reason with the next day on which the practice takes orders; that may be today."""
    hours = facts.policy.order_hours
    assert hours is not None, "orders are always taken without hours"
    placed = facts.placed_at.astimezone(AMSTERDAM)
    first = placed.date() if placed.time() < hours.first else _tomorrow(placed.date())
    days = (first + timedelta(days=n) for n in range(len(WEEKDAYS)))
    next_day = next(day for day in days if WEEKDAYS[day.weekday()] in hours.days)
    return Reason(code=ReasonCode.OUTSIDE_ORDER_HOURS, earliest_date=next_day)


def _tomorrow(day: date) -> date:
    return day + timedelta(days=1)


def remark_not_allowed(facts: Facts) -> bool:
    """The order has a remark, and the practice takes none."""
    return facts.policy.remarks is Remarks.NOT_ALLOWED and has_remark(facts)


def remark_missing(facts: Facts) -> bool:
    """The practice asks for a remark with every order, and there is none."""
    return facts.policy.remarks is Remarks.MANDATORY and not has_remark(facts)


def remark_too_long(facts: Facts) -> bool:
    """The remark is longer than the practice allows."""
    return facts.remark is not None and len(facts.remark) > facts.policy.remark_length
