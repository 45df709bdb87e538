"""What a decision says of itself: every review and refusal has its reasons, and names who and what it must."""

from collections.abc import Iterator
from uuid import UUID

from schemas.base import Role
from schemas.reasons import Reason, ReasonCode
from schemas.records.directory import Approver
from schemas.records.orders import DecidedLine, OrderDecided, OrderLineDecided, Outcome
from schemas.times import local_date
from verify.evidence import Evidence
from verify.expected_orders import ExpectedOrder
from verify.notes import Known
from verify.rules.finding import Finding

_DATED = (ReasonCode.TOO_EARLY, ReasonCode.OUTSIDE_ORDER_HOURS)


def verdict_without_reason(evidence: Evidence) -> Iterator[Finding]:
    """Every review has a reviewer; it has a reason, unless its practice reviews everything, as a refusal has.

    A reason with a date has one after the order, and a duplicate names another order of the patient. What the
    rules approve has no reason, and a person needs none.
    """
    known_orders = {row.order_id: row.patient for row in evidence.dump.ordering.orders}
    for order in evidence.orders.values():
        for message in order.events:
            known = evidence.known_for(order, message.body.seq)
            for line in _verdicts(message.body):
                why = _problem(line, order, known, evidence)
                why = why or _reason_problem(line.reasons, order, known_orders)
                if why:
                    yield Finding(f"line {line.line}: {why}", message.where)


def _verdicts(event: object) -> tuple[DecidedLine | OrderLineDecided, ...]:
    match event:
        case OrderDecided():
            return event.lines
        case OrderLineDecided():
            return (event,)
        case _:
            return ()


def _problem(
    line: DecidedLine | OrderLineDecided,
    order: ExpectedOrder,
    known: Known | None,
    evidence: Evidence,
) -> str | None:
    if (line.outcome is Outcome.REVIEW) != (line.reviewer is not None):
        return "a review without a reviewer, or a reviewer without a review"
    if line.sent_by_practice and line.outcome is not Outcome.APPROVED:
        return "the practice sends what is not approved"
    if _is_a_persons(line) or (line.outcome is Outcome.APPROVED) != bool(line.reasons):
        return None
    if line.outcome is Outcome.REVIEW and _reviews_everything(order, known, evidence):
        return None
    return "approved with a reason, or not approved without"


def _is_a_persons(line: DecidedLine | OrderLineDecided) -> bool:
    """Tell whether a person decided it as it is now, and no overview overruled that."""
    if isinstance(line, DecidedLine) or line.reviewed_as is not None:
        return False
    return line.decided_by.role not in (Role.POLICY, Role.SYSTEM)


def _reviews_everything(order: ExpectedOrder, known: Known | None, evidence: Evidence) -> bool:
    """Tell whether its policy may leave every repeat to a person; a policy that is not kept may."""
    if known is None:
        return True
    policy = evidence.policy(order.first.practice, known.policy_version)
    return policy is None or policy.approver is not Approver.POLICY


def _reason_problem(
    reasons: tuple[Reason, ...], order: ExpectedOrder, patients: dict[UUID, str]
) -> str | None:
    placed_on = local_date(order.first.placed_at)
    for reason in reasons:
        if (reason.code in _DATED) != (reason.earliest_date is not None):
            return f"{reason.code} has no date, or needs none"
        if reason.earliest_date is not None and reason.earliest_date < placed_on:
            return f"{reason.code} has a date before the order"
        if reason.code is ReasonCode.TOO_EARLY and reason.earliest_date == placed_on:
            return f"{reason.code} has the day of the order"
        if (reason.code is ReasonCode.DUPLICATE_ORDER) != (reason.other_order is not None):
            return f"{reason.code} names no order, or needs none"
        if reason.other_order is not None and not _is_another(reason.other_order, order, patients):
            return f"{reason.code} names no other order of the patient"
    return None


def _is_another(other: UUID, order: ExpectedOrder, patients: dict[UUID, str]) -> bool:
    return other != order.order_id and patients.get(other) == order.first.patient
