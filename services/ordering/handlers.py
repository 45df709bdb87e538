"""ordering's part of the loop: which record leads to which decision, and what is published for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from runtime.connection import Connection
from runtime.digests import digest_of
from runtime.handling import Done, Rejected
from runtime.records import Message, Timer
from runtime.rows import Rows
from runtime.writes import Writes
from schemas import topics
from schemas.directory import Pharmacy, Policy, Practice
from schemas.orders import OrderCancel, OrderEvent, OrderPlace, OrderReview, OrderState, OrderTimer
from services.ordering import domain, history, published, store
from services.ordering.domain import Changed, Refused, Result, Unchanged
from services.ordering.events import API_SOURCE, SOURCE
from services.ordering.order import Order
from services.ordering.overview import Overview
from services.ordering.rules import Known

INPUTS = (topics.ORDERS_REQUESTS, topics.ORDERS_REVIEWS, topics.MEDICATION_STATUS)
OWN = topics.ORDERS_EVENTS

_FROM_OUR_API = ("ce_source", API_SOURCE.encode())

_CAREFUL = Policy()
"""The policy of a practice that is not in the directory."""


@dataclass
class Work:
    """One batch: what was loaded, and what changes."""

    orders: Rows[UUID, Order] = field(default_factory=Rows)
    overviews: dict[str, Overview] = field(default_factory=dict)
    adopted: dict[UUID, list[OrderEvent]] = field(default_factory=dict)
    """Published events of orders that are not known here yet."""
    waiting: dict[str, set[UUID]] = field(default_factory=dict)
    """Orders that wait for an overview, by patient."""
    changed_overviews: dict[str, Overview | None] = field(default_factory=dict)
    taken_in: list[UUID] = field(default_factory=list)
    """Orders that were placed through our API, for the first time or again."""
    newly_adopted: list[OrderEvent] = field(default_factory=list)

    def keep(self, order: Order, before: Order | None) -> None:
        """Note an order's next state."""
        self.orders.keep(order.order_id, order)
        if order.state is OrderState.WAITING:
            self.waiting.setdefault(order.patient, set()).add(order.order_id)
        elif before is not None and (waiting := self.waiting.get(order.patient)):
            waiting.discard(order.order_id)


class OrderingHandler:
    """Loads, decides and saves; `practices` and `pharmacies` are the directory as it is now."""

    def __init__(
        self, practices: Mapping[str, Practice], pharmacies: Mapping[str, Pharmacy]
    ) -> None:
        self._practices = practices
        self._pharmacies = pharmacies

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> Work:
        """The orders and overviews that these messages are about."""
        ids, arrived, patients = set[UUID](), set[str](), set[str]()
        for message in messages:
            if _is_overview(message):
                arrived.add(message.key)
            else:
                ids.add(_order_id(message))
                if isinstance(message.body, OrderPlace):
                    patients.add(message.key)
        patients |= arrived
        work = Work()
        if ids or patients:
            orders, work.overviews, work.adopted = await store.known(db, ids, patients)
            work.orders = Rows(orders)
        for order in await store.waiting_orders(db, arrived) if arrived else ():
            work.orders.loaded[order.order_id] = order
            work.waiting.setdefault(order.patient, set()).add(order.order_id)
        return work

    def handle(self, message: Message[Any], work: Work) -> Done | Rejected:
        """Decide one message."""
        match message.topic:
            case topics.MEDICATION_STATUS.name:
                return self._overview(message, work)
            case OWN.name:
                return self._adopt(message, work)
        order = work.orders.get(_order_id(message))
        match message.body:
            case OrderPlace() as command:
                return self._place(command, order, message, work)
            case OrderCancel() as command:
                return self._finish(domain.cancel(order, command, message.at), order, message, work)
            case OrderReview() as command:
                return self._finish(domain.review(order, command, message.at), order, message, work)
            case OrderTimer() as timer if message.at < timer.due_at:
                # The clock that fired it was ahead of the broker's, which decides.
                return Done(timers=(published.timer(timer, message.traceparent),))
            case OrderTimer() as timer:
                fired = domain.timer_fired(order, timer, message.at)
                return self._finish(fired, order, message, work)
            case _:
                return Rejected("not_handled")

    def save(self, work: Work, writes: Writes) -> None:
        """Write what changed."""
        if work.changed_overviews:
            store.save_overviews(writes, work.changed_overviews)
        if work.orders.changed:
            store.save_orders(writes, work.orders)
        if work.taken_in:
            store.settle(writes, work.taken_in)
        if work.newly_adopted:
            store.adopt(writes, work.newly_adopted)
        if known := work.adopted.keys() & work.orders.changed.keys():
            store.forget_adopted(writes, known)

    def _place(
        self, command: OrderPlace, order: Order | None, message: Message[Any], work: Work
    ) -> Done | Rejected:
        digest = digest_of(command)
        if _FROM_OUR_API in message.record.headers:
            work.taken_in.append(command.order_id)
        if order is not None:
            return self._finish(domain.place_again(order, command, digest), order, message, work)
        if work.adopted and (told := work.adopted.get(command.order_id)):
            return self._place_as_told(command, digest, told, message, work)
        known = self._known(command, work)
        return self._finish(domain.place(command, digest, message.at, known), None, message, work)

    def _place_as_told(
        self,
        command: OrderPlace,
        digest: str,
        told: Sequence[OrderEvent],
        message: Message[Any],
        work: Work,
    ) -> Done | Rejected:
        """Take the order over as it was decided before this database was restored."""
        done = self._finish(history.place(command, digest, told), None, message, work)
        order = work.orders.get(command.order_id)
        if order is None or order.state is not OrderState.WAITING:
            return done
        if order.patient not in work.overviews:
            return done
        # What it waited for came after it then, and has come before it now: it will not come again.
        arrived = domain.overview_arrived(order, message.at, self._known(order, work))
        return _both(done, self._finish(arrived, order, message, work))

    def _adopt(self, message: Message[Any], work: Work) -> Done | Rejected:
        """Take over an event that was published before this database was restored."""
        body: Any = message.body
        event: OrderEvent = body
        if ("ce_source", SOURCE.encode()) not in message.record.headers:
            return Done()
        order = work.orders.get(event.order_id)
        if order is None:
            work.newly_adopted.append(event)
            return Done()
        return self._finish(history.adopt(order, event), order, message, work)

    def _overview(self, message: Message[Any], work: Work) -> Done:
        """Keep a newer overview, and decide the orders that waited for it."""
        patient, overview = message.key, message.body
        current = work.overviews.get(patient)
        if overview is None:
            work.overviews.pop(patient, None)
            work.changed_overviews[patient] = None
            return Done()
        if current is not None and overview.version <= current.version:
            return Done()
        work.overviews[patient] = work.changed_overviews[patient] = overview
        done = Done()
        for order_id in sorted(work.waiting.get(patient, ())):
            order = work.orders.get(order_id)
            assert order is not None, "it was loaded, or placed in this batch"
            result = domain.overview_arrived(order, message.at, self._known(order, work))
            done = _both(done, self._finish(result, order, message, work))
        return done

    def _known(self, order: OrderPlace | Order, work: Work) -> Known:
        practice = self._practices.get(order.practice)
        return Known(
            overview=work.overviews.get(order.patient),
            pharmacy_known=order.pharmacy in self._pharmacies,
            policy=practice.policy if practice else _CAREFUL,
            policy_version=practice.version if practice else None,
        )

    def _finish(
        self, result: Result, before: Order | None, message: Message[Any], work: Work
    ) -> Done | Rejected:
        """Note what became of the order that was so `before`, and publish what follows."""
        match result:
            case Changed(order, events, prescriptions):
                work.keep(order, before)
                records = [published.event(event, order, message) for event in events]
                if prescriptions:
                    records += [published.prescription(p, message) for p in prescriptions]
                if before is None:
                    timers = self._timers(order, message.traceparent) if _waits(order) else ()
                    return Done(tuple(records), timers)
                waits_no_more = _waits(before) and not _waits(order)
                cancelled = (published.overdue_id(order),) if waits_no_more else ()
                return Done(tuple(records), cancelled=cancelled)
            case Unchanged():
                return Done()
            case Refused(code):
                return Rejected(code)

    def _timers(self, order: Order, traceparent: str | None) -> tuple[Timer, ...]:
        practice = self._practices.get(order.practice)
        due_at = domain.waits_until(order, practice.policy if practice else _CAREFUL)
        return (published.overdue(order, due_at, traceparent),)


def _is_overview(message: Message[Any]) -> bool:
    return message.topic == topics.MEDICATION_STATUS.name


def _waits(order: Order) -> bool:
    return order.state is OrderState.WAITING


def _order_id(message: Message[Any]) -> UUID:
    command: Any = message.body
    order_id: UUID = command.order_id
    return order_id


def _both(first: Done | Rejected, second: Done | Rejected) -> Done:
    assert isinstance(first, Done), "only what was not refused is followed by anything"
    assert isinstance(second, Done), "an overview that arrives is never refused"
    return Done(
        first.records + second.records,
        first.timers + second.timers,
        first.cancelled + second.cancelled,
    )
