"""What was asked is answered: nothing acknowledged is lost, nothing taken in goes without an outcome."""

from collections.abc import Iterator
from datetime import datetime

from schemas.records.orders import (
    OrderCancel,
    OrderDecided,
    OrderLineDecided,
    OrderPlace,
    OrderReview,
)
from verify.facts import Facts
from verify.history import CHANGES, Operation
from verify.read import Fact
from verify.rules.found import Found, at, on


def acknowledged_lost(facts: Facts) -> Iterator[Found]:
    """What a client was told is taken has its effect, or is a dead letter if that may become of it.

    Over Kafka the broker acknowledges whatever bytes it gets; over HTTP only what can be decided is.
    A medicine may leave the overview while the change of its status is under way, over either.
    """
    for operation in facts.history or ():
        if operation.outcome != "ok" or _took_effect(operation, facts):
            continue
        may_be_refused = operation.via == "kafka" or operation.f == "set_status"
        if not (may_be_refused and _is_kept(operation, facts)):
            what = f"{operation.f} over {operation.via} was acknowledged and is lost"
            yield Found(what, f"{operation.order_id}")


def _took_effect(operation: Operation, facts: Facts) -> bool:
    if operation.f in CHANGES:
        return operation.order_id in facts.applied
    if operation.order_id in facts.unjudged:
        return True
    if operation.f == "review":
        review = facts.review_at.get((operation.partition, operation.offset))
        return review is not None and _review_settled(review, facts)
    order = facts.orders.get(operation.order_id)
    if operation.f == "cancel":
        return order is None or not order.is_open
    return order is not None


def _is_kept(operation: Operation, facts: Facts) -> bool:
    if operation.order_id in facts.buried and operation.f != "review":
        return True
    where = (_input(operation, facts), operation.partition, operation.offset)
    return any(where in letters.by_origin for letters in facts.letters.values())


def _input(operation: Operation, facts: Facts) -> str:
    """The name of the topic that an operation writes on."""
    if operation.f in CHANGES:
        return facts.changes.topic.name
    return (facts.reviews if operation.f == "review" else facts.requests).topic.name


def refused_decided(facts: Facts) -> Iterator[Found]:
    """What was certainly not taken has no effect, unless another attempt at the same may have been."""
    # A review names its order, of which other lines may have been reviewed: it is not told apart.
    attempts = [o for o in facts.history or () if o.f != "review"]
    maybe = {(o.f, o.order_id) for o in attempts if o.outcome != "fail"}
    for f, what in {(o.f, o.order_id) for o in attempts} - maybe:
        order = facts.orders.get(what)
        if f in CHANGES:
            carried_out = what in facts.applied
        else:
            carried_out = order is not None and (f == "place" or order.cancelled is not None)
        if carried_out:
            yield Found(
                f"the {f} was refused to its client, and took effect all the same", f"{what}"
            )


def input_not_settled(facts: Facts) -> Iterator[Found]:
    """Every record on an input led to what it asks for, was so before, or is a dead letter."""
    for message in facts.requests.messages:
        if not _request_settled(message, facts) and not facts.is_buried("ordering", message.record):
            yield Found(f"{type(message.body).__name__} has no outcome", at(message))
    for message in facts.reviews.messages:
        if not _review_settled(message, facts) and not facts.is_buried("ordering", message.record):
            yield Found("the review has no outcome", at(message))
    yield from _changes_not_settled(facts)


def _request_settled(message: Fact, facts: Facts) -> bool:
    command = message.body
    order = facts.orders.get(command.order_id)
    if command.order_id in facts.unjudged:
        return True
    if order is None or order.first.patient != command.patient:
        return False
    match command:
        case OrderPlace():
            return _is_decision_on(order.first, command)
        case OrderCancel():
            return not order.is_open
        case _:
            return True


def _is_decision_on(decided: OrderDecided, command: OrderPlace) -> bool:
    asked = [(n.line, n.prk, n.medicine, n.quantity) for n in command.lines]
    told = [(n.line, n.prk, n.medicine, n.quantity) for n in decided.lines]
    return asked == told and (decided.practice, decided.pharmacy, decided.channel) == (
        command.practice,
        command.pharmacy,
        command.channel,
    )


def _review_settled(message: Fact, facts: Facts) -> bool:
    command = message.body
    if not isinstance(command, OrderReview) or command.order_id in facts.unjudged:
        return True
    order = facts.orders.get(command.order_id)
    return order is not None and any(
        isinstance(event.body, OrderLineDecided) and _settles(event.body, command, message.at)
        for event in order.events
    )


def _settles(decided: OrderLineDecided, command: OrderReview, at: datetime) -> bool:
    """Whether this follows from a review taken then, or that person had decided the same before."""
    if decided.line != command.line:
        return False
    same = (decided.outcome, decided.decided_by) == (command.outcome, command.decided_by)
    was_so = decided.decided_at < at and same and command.quantity in (None, decided.quantity)
    return was_so or decided.decided_at == at


def _changes_not_settled(facts: Facts) -> Iterator[Found]:
    applied = {(row.patient, row.change_id) for row in facts.dump.medication.applied}
    for message in facts.changes.messages:
        change = (message.key, message.body.change_id)
        if change not in applied and not facts.is_buried("medication", message.record):
            yield Found("the change has no outcome", at(message))


def unreadable_not_kept(facts: Facts) -> Iterator[Found]:
    """Every input record that cannot be read is a dead letter of each service that reads it."""
    for service, inputs in facts.inputs.items():
        for topic in inputs:
            for record, why in topic.unreadable:
                if not facts.is_buried(service, record):
                    yield Found(f"{why.reason}, and no dead letter of {service}", on(record))


def misplaced_not_moved(facts: Facts) -> Iterator[Found]:
    """A record on another partition than its key's is on its own partition as well."""
    for topics in facts.inputs.values():
        for topic in topics:
            if not topic.misplaced:
                continue
            there = {(m.partition, m.key.encode(), m.record.value) for m in topic.everything()}
            for record, home in topic.misplaced:
                if (home, record.key, record.value) not in there:
                    yield Found(f"it was not moved to partition {home}", on(record))


def dead_letter_without_cause(facts: Facts) -> Iterator[Found]:
    """A dead letter is the record that it names, as it was, and a service tells of it once."""
    records = {(r.topic, r.partition, r.offset): r for r in facts.dump.records}
    begins = {(span.topic, span.partition): span.begin for span in facts.dump.spans}
    for letters in facts.letters.values():
        for record in (*letters.foreign, *letters.conflicting):
            yield Found("it contradicts another, or does not say whose it is", on(record))
        for letter in letters.by_origin.values():
            origin = records.get(letter.origin)
            if origin is None:
                if letter.offset >= begins.get((letter.topic, letter.partition), 0):
                    yield Found("there is no such record", on(letter.record))
            elif (origin.key, origin.value) != (letter.record.key, letter.value):
                yield Found("the record was another", on(letter.record))
