"""Prescriptions: exactly one for each approved line, and a withdrawal for each such line that ends after that.

A line that the practice sends itself, to a pharmacy that is not connected, has neither.
"""

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

import msgspec

from runtime.messages.cloudevents import event_id
from schemas import topics
from schemas.records.prescriptions import PrescriptionApproved, PrescriptionWithdrawn
from verify.evidence import Evidence
from verify.rules.finding import Finding
from verify.topic_records import ParsedRecord

Line = tuple[UUID, int]


_SAME = ("prk", "medicine", "ordered_as", "quantity", "unit", "dosage")
"""What a prescription says as its approved line does."""


class _Requested(msgspec.Struct):
    """The fields of ordering's row that only the request and the prescriptions have; no event repeats them."""

    remark: str | None = None
    supply_until: str | None = None


_decode_requested = msgspec.json.Decoder(_Requested).decode


def prescription_without_approval(evidence: Evidence) -> Iterator[Finding]:
    """Every prescription is of an approved line, with its content, on its pharmacy's topic.

    A withdrawal is of a line that was cancelled or refused after that, and comes after the prescription.
    """
    prescribed: dict[Line, UUID] = {}
    requested = {row.order_id: row.body for row in evidence.dump.ordering.orders}
    for message in _all(evidence):
        body = message.body
        if body.order_id in evidence.unverifiable:
            continue
        where = (body.order_id, body.line)
        if isinstance(body, PrescriptionApproved):
            prescribed[where] = body.prescription_id
            why = _approval_problem(message, body, evidence, requested.get(body.order_id))
        else:
            why = _withdrawal_problem(message, body, evidence, prescribed.get(where))
        if why:
            yield Finding(why, message.where)


def _approval_problem(
    message: ParsedRecord, body: PrescriptionApproved, evidence: Evidence, requested: str | None
) -> str | None:
    order = evidence.orders.get(body.order_id)
    line = order.lines.get(body.line) if order else None
    if line is None or line.sent is None:
        return "the line was not approved, or is sent by the practice"
    sent = line.sent
    if any(getattr(body, field) != getattr(sent, field) for field in _SAME):
        return "its medicine, quantity, unit or dosage differs from the approved line's"
    if (body.approved_at, body.approved_by) != (sent.at, sent.by):
        return "its approval's time or actor differs from the line's"
    if event_id(body.TYPE, body.prescription_id) != message.ce_id:
        return "its prescription_id does not belong to its ce_id"
    if requested is not None and not _is_requested(body, requested):
        return "its remark or supply_until differs from the request's"
    return _address_problem(message, evidence)


def _is_requested(body: PrescriptionApproved, stored: str) -> bool:
    try:
        requested = _decode_requested(stored)
    except msgspec.DecodeError:
        return True  # orders_differ reports an unreadable row
    until = None if body.supply_until is None else body.supply_until.isoformat()
    return (body.remark, until) == (requested.remark, requested.supply_until)


def _withdrawal_problem(
    message: ParsedRecord, body: PrescriptionWithdrawn, evidence: Evidence, prescribed: UUID | None
) -> str | None:
    order = evidence.orders.get(body.order_id)
    line = order.lines.get(body.line) if order else None
    if line is None or line.withdrawn is None:
        return "the line did not end after it was sent"
    if prescribed is None:
        return "it comes before its prescription"
    if body.prescription_id != prescribed:
        return "its prescription_id is not that of the prescription"
    if (body.withdrawn_at, body.reason) != line.withdrawn:
        return "its time or reason differs from the event's that ended the line"
    return _address_problem(message, evidence)


def _address_problem(message: ParsedRecord, evidence: Evidence) -> str | None:
    body, first = message.body, evidence.orders[message.body.order_id].first
    addressed = (body.patient, body.practice, body.pharmacy)
    if addressed != (first.patient, first.practice, first.pharmacy):
        return "its patient, practice or pharmacy differs from the order's"
    if message.topic != topics.PRESCRIPTIONS_PREFIX + body.pharmacy:
        return "it is on the topic of another pharmacy"
    return None


def prescription_count(evidence: Evidence) -> Iterator[Finding]:
    """After de-duplication each line that was sent has one prescription, each that ended also a withdrawal."""
    approved, withdrawn = _counted(evidence)
    since = max(
        (evidence.complete_since(topic.topic.name) for topic in evidence.prescriptions),
        default=None,
    )
    for order in evidence.orders.values():
        if since and order.events[-1].at <= since:
            continue
        for number, line in order.lines.items():
            where = (order.order_id, number)
            if line.sent and approved[where] != 1:
                yield Finding(f"{approved[where]} prescriptions", f"{where[0]} line {number}")
            if line.withdrawn and withdrawn[where] != 1:
                yield Finding(f"{withdrawn[where]} withdrawals", f"{where[0]} line {number}")


def _counted(evidence: Evidence) -> tuple[Counter[Line], Counter[Line]]:
    approved: Counter[Line] = Counter()
    withdrawn: Counter[Line] = Counter()
    for message in _all(evidence):
        body = message.body
        counts = approved if isinstance(body, PrescriptionApproved) else withdrawn
        counts[body.order_id, body.line] += 1
    return approved, withdrawn


def _all(evidence: Evidence) -> Iterator[ParsedRecord]:
    for topic in evidence.prescriptions:
        yield from topic.messages
