"""What pharmacies get: exactly one prescription for each approved line, a withdrawal for each taken back."""

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from cli.verify.facts import Facts
from cli.verify.read import Fact
from cli.verify.rules.found import Found, at
from schemas import topics
from schemas.prescriptions import PrescriptionApproved, PrescriptionWithdrawn

Line = tuple[UUID, int]


def prescription_without_approval(facts: Facts) -> Iterator[Found]:
    """Every prescription is of a line that was approved, with its content, on its pharmacy's topic.

    A withdrawal is of a line that was approved and taken back, and comes after the prescription.
    """
    prescribed: set[Line] = set()
    for message in _all(facts):
        body = message.body
        if body.order_id in facts.unjudged:
            continue
        if isinstance(body, PrescriptionApproved):
            prescribed.add((body.order_id, body.line))
            why = _why_not_approved(message, body, facts)
        else:
            why = _why_not_withdrawn(message, body, facts)
            if why is None and (body.order_id, body.line) not in prescribed:
                why = "it is withdrawn before it was prescribed"
        if why:
            yield Found(why, at(message))


def _why_not_approved(message: Fact, body: PrescriptionApproved, facts: Facts) -> str | None:
    order = facts.orders.get(body.order_id)
    line = order.lines.get(body.line) if order else None
    if order is None or line is None or not line.was_approved:
        return "the line was not approved"
    if (body.prk, body.medicine, body.quantity) != (line.prk, line.medicine, line.quantity):
        return "it is of another medicine or quantity than was approved"
    return _why_elsewhere(message, facts)


def _why_not_withdrawn(message: Fact, body: PrescriptionWithdrawn, facts: Facts) -> str | None:
    order = facts.orders.get(body.order_id)
    line = order.lines.get(body.line) if order else None
    if line is None or not line.withdrawn:
        return "the line was not approved and then taken back"
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
            if line.was_approved and approved[where] != 1:
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
