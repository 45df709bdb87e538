"""The rules on one order line, as a GP would say them."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from msgspec import Struct

from schemas.directory import Policy
from schemas.medication import Status
from schemas.orders import OrderLine, OrderPlace, Outcome
from schemas.reasons import Reason, ReasonCode
from services.ordering.order import Line
from services.ordering.overview import Entry, Overview

_OUTCOME_OF = {
    ReasonCode.NOT_IN_OVERVIEW: Outcome.E_CONSULT,
    ReasonCode.COVERED_BY_REPEAT_SERVICE: Outcome.REPEAT_SERVICE,
    ReasonCode.STATUS_NOT_KNOWN_YET: Outcome.WAITING,
}
"""Reasons that do not simply refuse a line."""

_BECAUSE = {code: Reason(code=code) for code in ReasonCode}
"""Reasons without particulars are values: one of each is enough."""


class Known(Struct, frozen=True):
    """What is known when an order is decided.

    `overview` is None as long as the patient's has not arrived. `policy_version` is None, and the policy
    the careful default, for a practice that is not in the directory.
    """

    overview: Overview | None
    pharmacy_known: bool
    policy: Policy
    policy_version: int | None


def refusals(
    order: OrderPlace, line: OrderLine, entry: Entry | None, known: Known
) -> Iterator[Reason]:
    """Every reason why this line cannot be supplied, not only the first."""
    if known.overview is not None and known.overview.practice != order.practice:
        yield _BECAUSE[ReasonCode.OTHER_PRACTICE]
    if not known.pharmacy_known:
        yield _BECAUSE[ReasonCode.UNKNOWN_PHARMACY]
    if known.overview is None:
        # Waiting helps only an order that an overview can still lead to an approval.
        if known.pharmacy_known:
            yield _BECAUSE[ReasonCode.STATUS_NOT_KNOWN_YET]
    elif entry is None:
        yield _BECAUSE[ReasonCode.NOT_IN_OVERVIEW]
    else:
        yield from _refusals_of(entry)


def _refusals_of(entry: Entry) -> Iterator[Reason]:
    match entry.status:
        case Status.CHRONIC:
            pass
        case Status.TEMPORARY:
            yield _BECAUSE[ReasonCode.TEMPORARY_MEDICATION]
        case Status.STOPPED:
            yield _BECAUSE[ReasonCode.STOPPED_MEDICATION]
        case _:
            assert_never(entry.status)
    if entry.repeat_service:
        yield _BECAUSE[ReasonCode.COVERED_BY_REPEAT_SERVICE]


def reviews(order: OrderPlace, line: OrderLine, entry: Entry, policy: Policy) -> Iterator[Reason]:
    """Every reason why the practice wants a person to look at this line first."""
    if policy.review_high_risk and entry.high_risk:
        yield _BECAUSE[ReasonCode.HIGH_RISK_MEDICATION]
    if policy.review_remarks and order.remark and order.remark.strip():
        yield _BECAUSE[ReasonCode.REMARK_NEEDS_READING]
    if policy.review_larger_supply and order.supply_until is not None:
        yield _BECAUSE[ReasonCode.LARGER_SUPPLY]
    if policy.review_larger_quantity and line.quantity > entry.quantity:
        yield _BECAUSE[ReasonCode.QUANTITY_ABOVE_LIMIT]


def decide_line(order: OrderPlace, line: OrderLine, known: Known) -> Line:
    """What becomes of one line. A line that cannot be supplied is not reviewed either."""
    entry = _entry(known.overview, line.prk)
    reasons = tuple(refusals(order, line, entry, known))
    if reasons:
        return _line(line, _refused_as(reasons), reasons, entry)
    assert entry is not None, "a line without an entry has a reason"
    reasons = tuple(reviews(order, line, entry, known.policy))
    review = bool(reasons) or known.policy.review_everything
    return _line(line, Outcome.REVIEW if review else Outcome.APPROVED, reasons, entry)


def _entry(overview: Overview | None, prk: str) -> Entry | None:
    if overview is not None:
        for entry in overview.medications:
            if entry.prk == prk:
                return entry
    return None


def _refused_as(reasons: Sequence[Reason]) -> Outcome:
    ways = {_OUTCOME_OF.get(reason.code, Outcome.REFUSED) for reason in reasons}
    if Outcome.WAITING in ways and Outcome.REFUSED not in ways:
        return Outcome.WAITING
    return ways.pop() if len(ways) == 1 else Outcome.REFUSED


def _line(
    line: OrderLine, outcome: Outcome, reasons: tuple[Reason, ...], entry: Entry | None
) -> Line:
    dosage = entry.dosage if entry else ""
    return Line(line.line, line.prk, line.medicine, line.quantity, outcome, reasons, dosage)
