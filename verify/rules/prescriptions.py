"""What pharmacies get: exactly one prescription for each approved line, a withdrawal for each taken back."""

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

import msgspec

from runtime.messages.cloudevents import event_id
from schemas import topics
from schemas.records.prescriptions import PrescriptionApproved, PrescriptionWithdrawn
from verify.facts import Facts
from verify.read import Fact
from verify.rules.found import Found, at

Line = tuple[UUID, int]


class _Asked(msgspec.Struct):
    """What ordering keeps of an order that only its request and its prescriptions tell."""

    remark: str | None = None
    supply_until: str | None = None


_asked = msgspec.json.Decoder(_Asked).decode


def prescription_without_approval(facts: Facts) -> Iterator[Found]:
    """Every prescription is of a line that was approved, with its content, on its pharmacy's topic.

    A withdrawal is of a line that was approved and taken back, and comes after the prescription.
    """
    prescribed: dict[Line, UUID] = {}
    asked = {row.order_id: row.body for row in facts.dump.ordering.orders}
    for message in _all(facts):
        body = message.body
        if body.order_id in facts.unjudged:
            continue
        where = (body.order_id, body.line)
        if isinstance(body, PrescriptionApproved):
            prescribed[where] = body.prescription_id
            why = _why_not_approved(message, body, facts, asked.get(body.order_id))
        else:
            why = _why_not_withdrawn(message, body, facts, prescribed.get(where))
        if why:
            yield Found(why, at(message))


def _why_not_approved(
    message: Fact, body: PrescriptionApproved, facts: Facts, asked: str | None
) -> str | None:
    order = facts.orders.get(body.order_id)
    line = order.lines.get(body.line) if order else None
    if line is None or line.approved is None:
        return "the line was not approved"
    told = (body.prk, body.medicine, body.quantity, body.dosage)
    if told != (line.prk, line.medicine, line.quantity, line.dosage):
        return "it is of another medicine, quantity or dosage than was approved"
    if (body.approved_at, body.approved_by) != line.approved:
        return "it was approved at another time or by somebody else"
    if event_id(body.TYPE, body.prescription_id) != message.ce_id:
        return "its id is another than its record's"
    if asked is not None and not _is_asked(body, asked):
        return "its remark or the day it has to last until is not what was asked"
    return _why_elsewhere(message, facts)


def _is_asked(body: PrescriptionApproved, stored: str) -> bool:
    try:
        asked = _asked(stored)
    except msgspec.DecodeError:
        return True  # That the stored order cannot be read is another rule's.
    until = None if body.supply_until is None else body.supply_until.isoformat()
    return (body.remark, until) == (asked.remark, asked.supply_until)


def _why_not_withdrawn(
    message: Fact, body: PrescriptionWithdrawn, facts: Facts, prescribed: UUID | None
) -> str | None:
    order = facts.orders.get(body.order_id)
    line = order.lines.get(body.line) if order else None
    if order is None or order.cancelled is None or line is None or not line.withdrawn:
        return "the line was not approved and then taken back"
    if prescribed is None:
        return "it is withdrawn before it was prescribed"
    if body.prescription_id != prescribed:
        return "its id is not that of the prescription"
    if (body.withdrawn_at, body.reason) != (order.cancelled.cancelled_at, order.cancelled.reason):
        return "it was taken back at another time or for another reason"
    return _why_elsewhere(message, facts)


def _why_elsewhere(message: Fact, facts: Facts) -> str | None:
    body, first = message.body, facts.orders[message.body.order_id].first
    told = (body.patient, body.practice, body.pharmacy)
    if told != (first.patient, first.practice, first.pharmacy):
        return "its patient, practice or pharmacy is another than the order's"
    if message.topic != topics.PRESCRIPTIONS_PREFIX + body.pharmacy:
        return "it is on another pharmacy's topic"
    return None


def prescription_count(facts: Facts) -> Iterator[Found]:
    """After de-duplication by id each approved line has one prescription, each taken back one withdrawal."""
    approved, withdrawn = _counted(facts)
    since = max(
        (facts.known_since(topic.topic.name) for topic in facts.prescriptions), default=None
    )
    for order in facts.orders.values():
        if since and order.events[-1].at <= since:
            continue
        for number, line in order.lines.items():
            where = (order.order_id, number)
            if line.approved and approved[where] != 1:
                yield Found(f"{approved[where]} prescriptions", f"{where[0]} line {number}")
            if line.withdrawn and withdrawn[where] != 1:
                yield Found(f"{withdrawn[where]} withdrawals", f"{where[0]} line {number}")


def _counted(facts: Facts) -> tuple[Counter[Line], Counter[Line]]:
    approved: Counter[Line] = Counter()
    withdrawn: Counter[Line] = Counter()
    for message in _all(facts):
        body = message.body
        counts = approved if isinstance(body, PrescriptionApproved) else withdrawn
        counts[body.order_id, body.line] += 1
    return approved, withdrawn


def _all(facts: Facts) -> Iterator[Fact]:
    for topic in facts.prescriptions:
        yield from topic.messages
