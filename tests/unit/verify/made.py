"""A clean history and dump with every kind of order, made by the services' own handlers."""

from dataclasses import dataclass
from functools import cache
from uuid import UUID

import msgspec

from runtime.kafka.group_members import Member
from runtime.messages.encoding import encode_parts
from services.medication.domain.history import OverviewChange
from services.ordering.store import line_rows
from tests.unit.verify.plays import ordinary_orders, special_cases, waiting_orders
from tests.unit.verify.rule_plays import rules_at_work
from tests.unit.verify.world import Service, World
from verify import dump as dumps
from verify.dump import Dump
from verify.history import Operation
from verify.rows import (
    AppliedChangeRow,
    CountedOrderRow,
    DailyLinesRow,
    DailyOrdersRow,
    HistoryRow,
    MessageRow,
    NotificationOrderRow,
    OrderIdRow,
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


@cache
def clean(orders: int = 24) -> Case:
    """A case without defects: this many orders of a few patients, and every special kind."""
    world = World()
    done = (
        *ordinary_orders(world, orders),
        *special_cases(world),
        *rules_at_work(world),
        *waiting_orders(world),
    )
    return Case(done, dump_of(world))


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
                "".join(f"{encode_parts(note).decode()}\n" for note in work.notes[id]),
            )
            for id, o in sorted(work.orders.current.items())
        ),
        order_ids=tuple(
            OrderIdRow(id, o.placed_at) for id, o in sorted(work.orders.current.items())
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
        histories=tuple(
            HistoryRow(patient, encode_parts(history).decode())
            for patient, history in sorted(work.histories.items())
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
