"""Lines that a policy approved without a person: what it may never approve, computed without ordering's code.

Facts come from the events, the requests, and what the order's journal says was known then. A line that was
decided before a restore has no such facts: for it only what the events and requests tell is checked.
"""

from collections.abc import Iterator

from schemas.base import is_blank
from schemas.records.directory import Approver, AutoApprove
from schemas.records.orders import Outcome
from schemas.times import local_date
from verify.approvals import Approval
from verify.evidence import Evidence
from verify.expected_orders import Past
from verify.notes import Entry
from verify.rules.finding import Finding
from verify.supplies import Approved, first_day


def duplicate_passed(evidence: Evidence) -> Iterator[Finding]:
    """No policy approves a medicine that is under way in an order that the patient placed before."""
    for approval in evidence.approvals:
        for other in evidence.before(approval):
            if _is_under_way(other.past, approval):
                yield Finding(f"it was under way in {other.order.order_id}", approval.where)


def _is_under_way(past: Past, approval: Approval) -> bool:
    """Tell whether a line was to be decided, or was approved and may not have been dispensed yet."""
    if past.outcome is not Outcome.APPROVED:
        return True
    approved_on = local_date(past.at)
    supplies = approval.entry.dispensed if approval.entry else ()
    if approval.policy is None or any(supply.on >= approved_on for supply in supplies):
        return False
    return (approval.placed_on - approved_on).days < approval.policy.under_way_days


def unauthorised_passed(evidence: Evidence) -> Iterator[Finding]:
    """No policy approves more than the GP's authorisation is good for, nor after it.

    Nor without one, where its practice wants one. What was refused or cancelled is given back; what is still to
    be decided counts.
    """
    for approval in evidence.approvals:
        entry = approval.entry
        if entry is not None and (why := _unauthorised(entry, approval, evidence)):
            yield Finding(why, approval.where)


def _unauthorised(entry: Entry, approval: Approval, evidence: Evidence) -> str | None:
    given, policy = entry.authorisation, approval.policy
    if given is None:
        needed = policy is not None and policy.auto_approve is AutoApprove.AUTHORISED_ONLY
        return "nobody authorised it" if needed or entry.specialist else None
    if max(approval.placed_on, approval.decided_on) > given.until:
        return "its authorisation was over"
    if given.repeats is None:
        return None
    earlier = (other.order.first.placed_at for other in evidence.before(approval))
    used = sum(local_date(placed_at) >= given.on for placed_at in earlier)
    return f"{used} of {given.repeats} repeats were used" if used >= given.repeats else None


def unseen_passed(evidence: Evidence) -> Iterator[Finding]:
    """No policy approves what a person must see, or what its practice leaves to a person."""
    for approval in evidence.approvals:
        for what in (*_for_a_person(approval), *_asked_of_a_person(approval, evidence)):
            yield Finding(f"the policy approved {what}", approval.where)


def _for_a_person(approval: Approval) -> Iterator[str]:
    known, entry, policy = approval.known_line, approval.entry, approval.policy
    classes = {known.risk_class if known else None, entry.risk_class if entry else None}
    if "A" in classes:
        yield "a medicine of class A"
    if policy and "B" in classes and policy.approver_class_b is not Approver.POLICY:
        yield "a medicine of class B"
    if policy and policy.approver is not Approver.POLICY:
        yield "what its practice leaves to a person"
    if entry and entry.weekly_packing:
        yield "weekly packing"
    if entry and entry.incomplete:
        yield "a medicine with an entry that cannot be used"
    if approval.known and not approval.known.connected:
        yield "an order for a pharmacy that is not connected"


def _asked_of_a_person(approval: Approval, evidence: Evidence) -> Iterator[str]:
    for request in evidence.place_requests.get(approval.order.order_id, ())[:1]:
        if request.body.remark and not is_blank(request.body.remark):
            yield "an order with a remark"
        if request.body.supply_until is not None:
            yield "an order for a larger supply"


def too_early_passed(evidence: Evidence) -> Iterator[Finding]:
    """No policy approves a medicine before the first day on which it is not too early.

    That day follows from what was dispensed or else approved, by the policy of that time.
    """
    for approval in evidence.approvals:
        policy, entry = approval.policy, approval.entry
        if policy is None or entry is None:
            continue
        approved = [
            Approved(local_date(other.past.at), other.line.quantity)
            for other in evidence.before(approval)
            if other.past.outcome is Outcome.APPROVED
        ]
        first = first_day(entry, approved, policy.too_early_days, policy.too_early_share)
        if first and approval.placed_on < first:
            yield Finding(f"it was too early until {first}", approval.where)
