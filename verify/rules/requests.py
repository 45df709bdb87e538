"""Requests: what was acknowledged took effect, and every input record has an outcome."""

from collections.abc import Iterator
from datetime import datetime

from schemas.records.orders import (
    DecidedLine,
    OrderCancel,
    OrderDecided,
    OrderLine,
    OrderLineDecided,
    OrderPlace,
    OrderReview,
)
from verify.evidence import Evidence
from verify.history import CHANGES, Operation
from verify.rules.finding import Finding
from verify.topic_records import ParsedRecord


def acknowledged_lost(evidence: Evidence) -> Iterator[Finding]:
    """Every acknowledged operation took effect, or is a dead letter where that is allowed.

    Over Kafka any record may become a dead letter, as the broker acknowledges any bytes. Over HTTP only
    `set_status` may: another change can remove the medicine from the overview first.
    """
    for operation in evidence.history or ():
        if operation.outcome != "ok" or _took_effect(operation, evidence):
            continue
        may_be_dead_letter = operation.via == "kafka" or operation.f == "set_status"
        if not (may_be_dead_letter and _became_dead_letter(operation, evidence)):
            what = f"{operation.f} over {operation.via} was acknowledged and has no effect"
            yield Finding(what, f"{operation.order_id}")


def _took_effect(operation: Operation, evidence: Evidence) -> bool:
    if operation.f in CHANGES:
        return operation.order_id in evidence.applied_changes
    if operation.order_id in evidence.unverifiable:
        return True
    if operation.f == "review":
        review = evidence.review_by_offset.get((operation.partition, operation.offset))
        return review is not None and _review_settled(review, evidence)
    order = evidence.orders.get(operation.order_id)
    if operation.f == "cancel":
        return order is None or not order.is_open
    return order is not None


def _became_dead_letter(operation: Operation, evidence: Evidence) -> bool:
    if operation.order_id in evidence.dead_letter_ids and operation.f != "review":
        return True
    where = (_input(operation, evidence), operation.partition, operation.offset)
    return any(where in letters.by_origin for letters in evidence.dead_letters.values())


def _input(operation: Operation, evidence: Evidence) -> str:
    """The name of the topic that an operation writes to."""
    if operation.f in CHANGES:
        return evidence.changes.topic.name
    return (evidence.reviews if operation.f == "review" else evidence.requests).topic.name


def refused_decided(evidence: Evidence) -> Iterator[Finding]:
    """An operation that certainly failed had no effect, unless another attempt at it may have succeeded."""
    # A review names its order only, and another line of that order may have been reviewed.
    attempts = [o for o in evidence.history or () if o.f != "review"]
    not_refused = {(o.f, o.order_id) for o in attempts if o.outcome != "fail"}
    for f, what in {(o.f, o.order_id) for o in attempts} - not_refused:
        order = evidence.orders.get(what)
        if f in CHANGES:
            took_effect = what in evidence.applied_changes
        else:
            took_effect = order is not None and (f == "place" or order.cancelled is not None)
        if took_effect:
            yield Finding(f"the {f} was refused and took effect", f"{what}")


def input_not_settled(evidence: Evidence) -> Iterator[Finding]:
    """Every input record took effect, asked for what was already so, or is a dead letter."""
    for message in evidence.requests.messages:
        if not _request_settled(message, evidence) and not evidence.is_dead_letter(
            "ordering", message.record
        ):
            yield Finding(f"{type(message.body).__name__} has no outcome", message.where)
    for message in evidence.reviews.messages:
        if not _review_settled(message, evidence) and not evidence.is_dead_letter(
            "ordering", message.record
        ):
            yield Finding("the review has no outcome", message.where)
    yield from _changes_not_settled(evidence)


def _request_settled(message: ParsedRecord, evidence: Evidence) -> bool:
    command = message.body
    order = evidence.orders.get(command.order_id)
    if command.order_id in evidence.unverifiable:
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
    requested = [(n.line, n.prk) for n in command.lines]
    decided_lines = [(n.line, n.prk) for n in decided.lines]
    same_lines = requested == decided_lines and all(map(_keeps, decided.lines, command.lines))
    if decided.placed_by not in (None, command.placed_by):
        return False
    return same_lines and (decided.practice, decided.pharmacy, decided.channel) == (
        command.practice,
        command.pharmacy,
        command.channel,
    )


def _keeps(decided: DecidedLine, requested: OrderLine) -> bool:
    """Tell whether the request's quantity is kept, if any, and its name.

    Its name is kept where the overview has none, or as what it was ordered as.
    """
    if requested.quantity not in (None, decided.quantity):
        return False
    if decided.unit is None:
        return decided.medicine == requested.medicine
    return decided.ordered_as in (None, requested.medicine)


def _review_settled(message: ParsedRecord, evidence: Evidence) -> bool:
    command = message.body
    if not isinstance(command, OrderReview) or command.order_id in evidence.unverifiable:
        return True
    order = evidence.orders.get(command.order_id)
    return order is not None and any(
        isinstance(event.body, OrderLineDecided) and _settles(event.body, command, message.at)
        for event in order.events
    )


def _settles(decided: OrderLineDecided, command: OrderReview, at: datetime) -> bool:
    """Whether a decision follows from a review with this append time, or repeats it by the same person."""
    if decided.line != command.line:
        return False
    reviewed_as = decided.reviewed_as or decided.outcome
    same = (reviewed_as, decided.decided_by) == (command.outcome, command.decided_by)
    repeats = decided.decided_at < at and same and command.quantity in (None, decided.quantity)
    return repeats or decided.decided_at == at


def _changes_not_settled(evidence: Evidence) -> Iterator[Finding]:
    applied = {(row.patient, row.change_id) for row in evidence.dump.medication.applied}
    for message in evidence.changes.messages:
        change = (message.key, message.body.change_id)
        if change not in applied and not evidence.is_dead_letter("medication", message.record):
            yield Finding("the change has no outcome", message.where)


def unreadable_not_kept(evidence: Evidence) -> Iterator[Finding]:
    """Every unreadable input record is a dead letter of each service that reads its topic."""
    for service, inputs in evidence.inputs.items():
        for topic in inputs:
            for record, why in topic.unreadable:
                if not evidence.is_dead_letter(service, record):
                    yield Finding(f"{why.reason}, but not a dead letter of {service}", record.where)


def misplaced_not_moved(evidence: Evidence) -> Iterator[Finding]:
    """Every misplaced record is also on the partition of its key."""
    for topics in evidence.inputs.values():
        for topic in topics:
            if not topic.misplaced:
                continue
            present = {(m.partition, m.key.encode(), m.record.value) for m in topic.all_messages()}
            for record, home in topic.misplaced:
                if (home, record.key, record.value) not in present:
                    yield Finding(f"it was not sent on to partition {home}", record.where)


def dead_letter_without_cause(evidence: Evidence) -> Iterator[Finding]:
    """Every dead letter holds the record that it names, unchanged; each service writes one a record."""
    records = {(r.topic, r.partition, r.offset): r for r in evidence.dump.records}
    begins = {
        (partition.topic, partition.partition): partition.begin
        for partition in evidence.dump.partitions
    }
    for letters in evidence.dead_letters.values():
        for record in (*letters.foreign, *letters.conflicting):
            yield Finding(
                "it contradicts an earlier dead letter, or names no service and record",
                record.where,
            )
        for letter in letters.by_origin.values():
            origin = records.get(letter.origin)
            if origin is None:
                if letter.offset >= begins.get((letter.topic, letter.partition), 0):
                    yield Finding("the record that it names does not exist", letter.record.where)
            elif (origin.key, origin.value) != (letter.record.key, letter.value):
                yield Finding(
                    "the record that it names has another key or value", letter.record.where
                )
