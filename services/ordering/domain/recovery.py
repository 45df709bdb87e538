"""Recovers orders from their published events, after the database was restored from an older backup.

A published event is applied; it is neither decided nor published again. Its prescriptions are published again,
because the crash may have come between the two records.
"""

from collections.abc import Sequence
from datetime import datetime

from schemas.records.orders import OrderDecided, OrderEvent, OrderPlace, OrderState
from services.ordering.domain import decisions
from services.ordering.domain.decisions import OVERDUE, Change, Refused, Unchanged
from services.ordering.domain.events import first_prescriptions, follow
from services.ordering.domain.knowledge import Context
from services.ordering.domain.order import Order, begin


def recover(
    command: OrderPlace,
    digest: str,
    published: Sequence[OrderEvent],
    at: datetime,
    context: Context,
) -> Change | Refused:
    """Recover the order that this command placed from `published`, all its events in order of `seq`.

    `at` (UTC) is the command's append time.
    """
    first, *others = published
    if not isinstance(first, OrderDecided) or not _is_decision_on(first, command):
        return Refused("order_conflict")
    at_first = begin(command, digest, first)
    order, later = follow(at_first, others)
    prescriptions = first_prescriptions(at_first, first) + later
    timers = (decisions.overdue(order, order.placed_at, context.policy),) if _waits(order) else ()
    recovered = Change(
        order, prescriptions=prescriptions, timers=timers, recovered=tuple(published)
    )
    undecided = not order.cancelled and any(map(decisions.waits_for_overview, order.lines))
    decides = undecided and context.overview is not None
    return _decided_now(recovered, at, context) if decides else recovered


def catch_up(order: Order, event: OrderEvent) -> Change | Unchanged | Refused:
    """Apply a published event to an order in the database, if it is the order's next one."""
    if event.seq <= order.seq:
        return Unchanged()
    if event.patient != order.patient or event.seq > order.seq + 1:
        return Refused("not_its_next_event")
    after, prescriptions = follow(order, [event])
    cancelled = (OVERDUE,) if _waits(order) and not _waits(after) else ()
    return Change(after, prescriptions=prescriptions, cancelled=cancelled, recovered=(event,))


def _decided_now(waiting: Change, at: datetime, context: Context) -> Change:
    """The overview now precedes the order and will not be redelivered: decide now."""
    arrived = decisions.overview_arrived(waiting.order, at, context)
    decided = decisions.apply(waiting.order, arrived)
    assert isinstance(decided, Change), "a waiting order has a line to decide"
    return Change(
        decided.order,
        decided.events,
        waiting.prescriptions + decided.prescriptions,
        waiting.timers,
        decided.cancelled,
        decided.known,
        waiting.recovered,
    )


def _is_decision_on(event: OrderDecided, command: OrderPlace) -> bool:
    """Tell whether this event decided this command, and not another order under the same id."""
    placed = [(n.line, n.prk) for n in command.lines]
    decided = [(n.line, n.prk) for n in event.lines]
    quantities = zip(command.lines, event.lines, strict=False)
    if any(n.quantity not in (None, m.quantity) for n, m in quantities):
        return False
    if event.placed_by not in (None, command.placed_by):
        return False
    return (placed, command.patient, command.practice, command.pharmacy, command.channel) == (
        decided,
        event.patient,
        event.practice,
        event.pharmacy,
        event.channel,
    )


def _waits(order: Order) -> bool:
    return order.state is OrderState.WAITING
