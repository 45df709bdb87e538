"""A clean history and dump with every kind of order, made by the services' own handlers."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import msgspec

from runtime.kafka.group_members import Member
from runtime.messages.encoding import encode_parts
from schemas import topics
from schemas.base import PlacedBy, Role
from schemas.records.medication import FlawedEntry, MedicationSetStatus, Status
from schemas.records.orders import OrderReview, Outcome
from services.medication.domain.history import OverviewChange
from services.ordering.store import line_rows
from tests.harness.made import (
    AMOXICILLINE,
    GP,
    METFORMINE,
    OMEPRAZOL,
    a_cancellation,
    an_import,
    an_order,
    entry,
)
from tests.unit.verify.world import Service, World
from verify import dump as dumps
from verify.dump import Dump
from verify.history import Operation
from verify.rows import (
    AppliedChangeRow,
    CountedOrderRow,
    DailyLinesRow,
    DailyOrdersRow,
    KafkaRecord,
    MessageRow,
    NotificationOrderRow,
    OrderLineRow,
    OrderRow,
    OverviewChangeRow,
    OverviewCopyRow,
    OverviewRow,
    ProgressRow,
    TimerRow,
)


@dataclass(frozen=True)
class Case:
    """The checker's input."""

    history: tuple[Operation, ...]
    dump: Dump


_WRONG = ("medicine", "status", "dosage", "quantity", "unit")
"""The fields that one entry of each patient's list lacks."""


@cache
def clean(orders: int = 24) -> Case:
    """A case without defects: this many orders of a few patients, and every special kind."""
    world = World()
    done = tuple(_play(world, orders))
    return Case(done, dump_of(world))


def operation(
    order_id: UUID, outcome: Any = "ok", f: Any = "place", via: Any = "http"
) -> Operation:
    """An operation with its outcome."""
    return Operation(uuid4(), f, via, order_id, outcome)


def _acknowledged(record: KafkaRecord, f: Any, order_id: UUID) -> Operation:
    """An operation that Kafka acknowledged."""
    return Operation(uuid4(), f, "kafka", order_id, "ok", record.partition, record.offset)


def _play(world: World, orders: int) -> Iterator[Operation]:
    patients = [f"pat_made{number:04d}" for number in range(5)]
    for patient in patients:
        change = an_import(
            patient,
            entry(METFORMINE),
            entry(OMEPRAZOL),
            entry(OMEPRAZOL, dosage="zo nodig 1 extra"),
            entry(AMOXICILLINE, Status.TEMPORARY),
            FlawedEntry(readable={"prk": "1007"}, wrong=_WRONG),
        )
        world.send(topics.MEDICATION_CHANGES, change)
        yield operation(change.change_id, f="import", via="kafka")
    for number in range(orders):
        order = an_order(patients[number % 5], METFORMINE, *((AMOXICILLINE,) if number % 3 else ()))
        world.send(topics.ORDERS_REQUESTS, order)
        yield operation(order.order_id)
        if number % 6 == 0:
            world.send(topics.ORDERS_REQUESTS, a_cancellation(order))
            yield operation(order.order_id, f="cancel")
    yield from _special_cases(world, patients[0])
    yield from _waiting_orders(world)


def _special_cases(world: World, patient: str) -> Iterator[Operation]:
    requests = topics.ORDERS_REQUESTS
    reviewed = an_order(patient, METFORMINE, OMEPRAZOL, remark="graag voor vier maanden")
    world.send(requests, reviewed)
    world.send(requests, reviewed)
    yield operation(reviewed.order_id, "unknown")
    yield operation(reviewed.order_id, "fail")
    for line, outcome in ((1, Outcome.APPROVED), (2, Outcome.REFUSED), (2, Outcome.REFUSED)):
        review = _a_review(reviewed.order_id, patient, line, outcome)
        yield _acknowledged(world.send(topics.ORDERS_REVIEWS, review), "review", reviewed.order_id)
    world.send(requests, a_cancellation(reviewed))
    world.send(requests, a_cancellation(an_order(patient)))
    world.send(requests, an_order(patient, OMEPRAZOL, order_id=reviewed.order_id))
    broken = world.send(requests, an_order(patient), value=b'{"order_id": ')
    yield _acknowledged(broken, "place", uuid4())
    astray = an_order(patient, placed_by=PlacedBy(role=Role.ASSISTANT, id="assistant-1"))
    home = broken.partition
    world.send(requests, astray, partition=(home + 1) % 8)
    yield operation(astray.order_id, via="kafka")
    yield operation(uuid4(), "fail")
    yield operation(uuid4(), "unknown")
    stop = _stop(patient)
    yield _acknowledged(world.send(topics.MEDICATION_CHANGES, stop), "set_status", stop.change_id)
    unknown = _stop(f"{patient}-unknown")
    yield _acknowledged(
        world.send(topics.MEDICATION_CHANGES, unknown), "set_status", unknown.change_id
    )
    otherwise = _a_review(reviewed.order_id, patient, 1, Outcome.REFUSED)
    yield _acknowledged(world.send(topics.ORDERS_REVIEWS, otherwise), "review", reviewed.order_id)
    world.publish_again(world.topics[topics.ORDERS_EVENTS.name, home][-2:])


def _waiting_orders(world: World) -> Iterator[Operation]:
    """Orders whose overview comes later, never, or not yet; the second one's timer fires."""
    later, never, not_yet = (an_order(f"pat_late{n:04d}") for n in range(3))
    for order in (later, never):
        world.send(topics.ORDERS_REQUESTS, order)
    world.send(topics.MEDICATION_CHANGES, an_import(later.patient))
    world.pass_time(3700)
    world.send(topics.ORDERS_REQUESTS, not_yet)
    for order in (later, never, not_yet):
        yield operation(order.order_id)


def _a_review(order_id: UUID, patient: str, line: int, outcome: Any) -> OrderReview:
    return OrderReview(
        order_id=order_id, patient=patient, line=line, outcome=outcome, decided_by=GP
    )


def _stop(patient: str) -> MedicationSetStatus:
    return MedicationSetStatus(
        change_id=uuid4(), patient=patient, by=GP, prk=OMEPRAZOL[0], status=Status.STOPPED
    )


def dump_of(world: World) -> Dump:
    """The dump of this world."""
    return Dump(
        taken_at=world.now,
        partitions=world.partitions,
        records=world.records,
        ordering=_ordering(world.ordering),
        medication=_medication(world.medication),
        notification=_notification(world.notification),
        metrics=_metrics(world.metrics),
        members=tuple(
            Member(service.name, f"herhaal-{service.name}-made-{pid}-19ac0")
            for pid, service in enumerate(world.services, 1000)
        ),
    )


def _progress(service: Service) -> tuple[ProgressRow, ...]:
    return tuple(ProgressRow(*where, done, 1) for where, done in sorted(service.done.items()))


def _ordering(service: Service) -> dumps.Ordering:
    work = service.work
    return dumps.Ordering(
        progress=_progress(service),
        timers=tuple(
            TimerRow(UUID(timer.id), partition, timer.due_at, msgspec.msgpack.encode(timer.record))
            for partition, timer in service.timers.values()
        ),
        orders=tuple(
            OrderRow(
                o.order_id,
                o.patient,
                o.practice,
                o.state,
                o.placed_at,
                o.digest,
                encode_parts(o).decode(),
            )
            for _, o in sorted(work.orders.current.items())
        ),
        order_lines=tuple(
            OrderLineRow(*row)
            for id, o in sorted(work.orders.current.items())
            for row in line_rows(o, work.due.get(id))
        ),
        overviews=tuple(
            OverviewCopyRow(
                patient,
                overview.practice,
                overview.version,
                encode_parts(overview.medications).decode(),
            )
            for patient, overview in sorted(work.overviews.items())
        ),
    )


def _medication(service: Service) -> dumps.Medication:
    work = service.work
    return dumps.Medication(
        progress=_progress(service),
        overviews=tuple(
            OverviewRow(
                key,
                p.overview.practice,
                p.overview.version,
                p.seen_version,
                p.overview.changed_at,
                encode_parts(p.overview.change).decode(),
                encode_parts(p.overview.medications).decode(),
                encode_parts(p.overview.flaws).decode(),
            )
            for key, p in sorted(work.patients.items())
            if p.overview
        ),
        changes=tuple(
            _change_row(entry)
            for entry in sorted(work.history, key=lambda entry: (entry.patient, entry.version))
        ),
        applied=tuple(
            AppliedChangeRow(a.patient, a.change_id, a.digest, a.at) for a in work.applied
        ),
    )


def _change_row(entry: OverviewChange) -> OverviewChangeRow:
    change = entry.change
    return OverviewChangeRow(
        entry.patient,
        entry.version,
        change.change_id,
        change.kind,
        change.by.role,
        change.by.id,
        change.reason,
        entry.at,
        entry.practice_before,
        entry.practice,
        None if entry.before is None else encode_parts(entry.before).decode(),
        encode_parts(entry.after).decode(),
        encode_parts(entry.flaws).decode(),
        change.through,
    )


def _notification(service: Service) -> dumps.Notification:
    work = service.work
    return dumps.Notification(
        progress=_progress(service),
        orders=tuple(
            NotificationOrderRow(o.order_id, o.seq, encode_parts(o).decode())
            for _, o in sorted(work.orders.current.items())
        ),
        messages=tuple(
            MessageRow(
                number,
                m.message_id,
                m.patient,
                m.order_id,
                m.kind,
                m.template_version,
                m.at,
                encode_parts(m.facts).decode(),
            )
            for number, m in enumerate(work.messages, start=1)
        ),
    )


def _metrics(service: Service) -> dumps.Metrics:
    work = service.work
    return dumps.Metrics(
        progress=_progress(service),
        counted=tuple(
            CountedOrderRow(
                c.order_id,
                c.seq,
                c.cell.practice,
                c.cell.day,
                c.cell.channel,
                msgspec.json.encode(dict(c.outcomes)).decode(),
            )
            for _, c in sorted(work.orders.current.items())
        ),
        lines=tuple(
            DailyLinesRow(c.practice, c.day, c.channel, c.outcome, lines)
            for c, lines in sorted(work.lines.items())
        ),
        orders=tuple(
            DailyOrdersRow(c.practice, c.day, c.channel, orders)
            for c, orders in sorted(work.new_orders.items())
        ),
    )
