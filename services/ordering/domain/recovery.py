"""An order as its own published events tell it: what stands when the database is older than these.

An event that was published is followed, not decided and published again. Prescriptions are: the crash may have
come between the two.
"""

from collections.abc import Sequence
from datetime import datetime

from schemas.records.orders import OrderDecided, OrderEvent, OrderPlace, OrderState
from services.ordering.domain import decisions
from services.ordering.domain.decisions import OVERDUE, Change, Context, Refused, Unchanged
from services.ordering.domain.events import first_prescriptions, follow
from services.ordering.domain.order import Order, begin


def recover(
    command: OrderPlace,
    digest: str,
    published: Sequence[OrderEvent],
    at: datetime,
    context: Context,
) -> Change | Refused:
    """The order that this command placed, as it was decided and went on: `published` are all its events.

    `at` (UTC) is when Kafka took the command.
    """
    first, *others = published
    if not isinstance(first, OrderDecided) or not _is_decision_on(first, command):
        return Refused("order_conflict")
    begun = begin(command, digest, first)
    order, later = follow(begun, others)
    means = first_prescriptions(begun, first) + later
    if not _waits(order):
        return Change(order, prescriptions=means)
    timer = decisions.overdue(order, order.placed_at, context.policy)
    waiting = Change(order, prescriptions=means, timers=(timer,))
    return waiting if context.overview is None else _decided_now(waiting, at, context)


def catch_up(order: Order, event: OrderEvent) -> Change | Unchanged | Refused:
    """Follow a published event of an order that is in the database; its events come in order."""
    if event.seq <= order.seq:
        return Unchanged()
    if event.patient != order.patient or event.seq > order.seq + 1:
        return Refused("not_its_next_event")
    after, means = follow(order, [event])
    ended = _waits(order) and not _waits(after)
    return Change(after, prescriptions=means, cancelled=(OVERDUE,) if ended else ())


def _decided_now(waiting: Change, at: datetime, context: Context) -> Change:
    """The overview now precedes the order and will not be redelivered: decide now."""
    arrived = decisions.overview_arrived(waiting.order, at, context)
    decided = decisions.carried_out(waiting.order, arrived)
    assert isinstance(decided, Change), "a line of it waits"
    return Change(
        decided.order,
        decided.events,
        waiting.prescriptions + decided.prescriptions,
        waiting.timers,
        decided.cancelled,
    )


def _is_decision_on(event: OrderDecided, command: OrderPlace) -> bool:
    """Whether this event decided what this command asks, and not another order under its id."""
    asked = [(n.line, n.prk, n.medicine, n.quantity) for n in command.lines]
    decided = [(n.line, n.prk, n.medicine, n.quantity) for n in event.lines]
    return (asked, command.patient, command.practice, command.pharmacy, command.channel) == (
        decided,
        event.patient,
        event.practice,
        event.pharmacy,
        event.channel,
    )


def _waits(order: Order) -> bool:
    return order.state is OrderState.WAITING
