"""ordering's part of the loop: which record leads to which decision, and what is published for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from runtime.connection import Connection
from runtime.digests import digest_of
from runtime.handling import Done, Rejected
from runtime.records import Message, Outgoing, Timer, event_id, id_text, outgoing
from runtime.writes import Writes
from schemas import topics
from schemas.directory import Pharmacy, Policy, Practice
from schemas.orders import OrderCancel, OrderEvent, OrderPlace, OrderReview, OrderState, OrderTimer
from services.ordering import domain, history, store
from services.ordering.domain import Changed, Refused, Result, Unchanged
from services.ordering.events import SOURCE, Prescription
from services.ordering.order import Order
from services.ordering.overview import Overview
from services.ordering.rules import Known

INPUTS = (topics.ORDERS_REQUESTS, topics.ORDERS_REVIEWS, topics.MEDICATION_STATUS)
OWN = topics.ORDERS_EVENTS

_CAREFUL = Policy()
"""The policy of a practice that is not in the directory."""


@dataclass
class Work:
    """One batch: what was loaded, and what changes."""

    orders: dict[UUID, Order]
    overviews: dict[str, Overview]
    adopted: dict[UUID, list[OrderEvent]] = field(default_factory=dict)
    """Published events of orders that are not known here yet."""
    waiting: dict[str, set[UUID]] = field(default_factory=dict)
    """Orders that wait for an overview, by patient."""
    changed_orders: dict[UUID, Order] = field(default_factory=dict)
    new_orders: set[UUID] = field(default_factory=set)
    """Those of the changed ones that were not there before."""
    changed_overviews: dict[str, Overview | None] = field(default_factory=dict)
    placed: set[UUID] = field(default_factory=set)
    """Orders that were placed, for the first time or again."""
    newly_adopted: list[OrderEvent] = field(default_factory=list)

    def keep(self, order: Order) -> None:
        """Note an order's next state."""
        if order.order_id not in self.orders:
            self.new_orders.add(order.order_id)
        self.orders[order.order_id] = self.changed_orders[order.order_id] = order
        if order.state is OrderState.WAITING:
            self.waiting.setdefault(order.patient, set()).add(order.order_id)
        elif waiting := self.waiting.get(order.patient):
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
                if type(message.body) is OrderPlace:
                    patients.add(message.key)
        patients |= arrived
        work = Work(*await store.known(db, ids, patients) if ids or patients else ({}, {}))
        for order in await store.waiting_orders(db, arrived) if arrived else ():
            work.orders[order.order_id] = order
            work.waiting.setdefault(order.patient, set()).add(order.order_id)
        return work

    def handle(self, message: Message[Any], work: Work) -> Done | Rejected:
        """Decide one message."""
        if _is_overview(message):
            return self._overview(message, work)
        if message.topic == OWN.name:
            return self._adopt(message, work)
        order = work.orders.get(_order_id(message))
        match message.body:
            case OrderPlace() as command:
                return self._place(command, order, message, work)
            case OrderCancel() as command:
                return self._finish(domain.cancel(order, command, message.at), message, work)
            case OrderReview() as command:
                return self._finish(domain.review(order, command, message.at), message, work)
            case OrderTimer() as timer if message.at < timer.due_at:
                # The clock that fired it was ahead of the broker's, which decides.
                return Done(timers=(_timer(timer, message.traceparent),))
            case OrderTimer() as timer:
                return self._finish(domain.timer_fired(order, timer, message.at), message, work)
            case _:
                return Rejected("not_handled")

    def save(self, work: Work, writes: Writes) -> None:
        """Write what changed."""
        if work.changed_overviews:
            store.save_overviews(writes, work.changed_overviews)
        if work.changed_orders:
            store.save_orders(writes, work.changed_orders.values(), work.new_orders)
        if work.placed:
            store.settle(writes, work.placed)
        if work.newly_adopted:
            store.adopt(writes, work.newly_adopted)
        if known := work.adopted.keys() & work.changed_orders.keys():
            store.forget_adopted(writes, known)

    def _place(
        self, command: OrderPlace, order: Order | None, message: Message[Any], work: Work
    ) -> Done | Rejected:
        digest = digest_of(command)
        work.placed.add(command.order_id)
        if order is not None:
            return self._finish(domain.place_again(order, command, digest), message, work)
        if told := work.adopted.get(command.order_id):
            return self._place_as_told(command, digest, told, message, work)
        known = self._known(command, work)
        return self._finish(domain.place(command, digest, message.at, known), message, work)

    def _place_as_told(
        self,
        command: OrderPlace,
        digest: str,
        told: Sequence[OrderEvent],
        message: Message[Any],
        work: Work,
    ) -> Done | Rejected:
        """Take the order over as it was decided before this database was restored."""
        done = self._finish(history.place(command, digest, told), message, work)
        order = work.orders.get(command.order_id)
        if order is None or order.state is not OrderState.WAITING:
            return done
        if order.patient not in work.overviews:
            return done
        # What it waited for came after it then, and has come before it now: it will not come again.
        arrived = domain.overview_arrived(order, message.at, self._known(order, work))
        return _both(done, self._finish(arrived, message, work))

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
        return self._finish(history.adopt(order, event), message, work)

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
            order = work.orders[order_id]
            result = domain.overview_arrived(order, message.at, self._known(order, work))
            done = _both(done, self._finish(result, message, work))
        return done

    def _known(self, order: OrderPlace | Order, work: Work) -> Known:
        practice = self._practices.get(order.practice)
        return Known(
            overview=work.overviews.get(order.patient),
            pharmacy_known=order.pharmacy in self._pharmacies,
            policy=practice.policy if practice else _CAREFUL,
            policy_version=practice.version if practice else None,
        )

    def _finish(self, result: Result, message: Message[Any], work: Work) -> Done | Rejected:
        match result:
            case Refused(code):
                return Rejected(code)
            case Unchanged():
                return Done()
            case Changed(order, events, prescriptions):
                before = work.orders.get(order.order_id)
                work.keep(order)
                records = [_event(event, order, message) for event in events]
                records += [_prescription(p, message) for p in prescriptions]
                return Done(
                    tuple(records),
                    self._timers(order, before, message.traceparent),
                    _cancelled_timers(order, before),
                )

    def _timers(
        self, order: Order, before: Order | None, traceparent: str | None
    ) -> tuple[Timer, ...]:
        practice = self._practices.get(order.practice)
        due_at = domain.waits_until(order, practice.policy if practice else _CAREFUL)
        if due_at is None or before is not None:
            return ()
        timer = OrderTimer(
            order_id=order.order_id,
            patient=order.patient,
            kind="overview_overdue",
            due_at=due_at,
        )
        return (_timer(timer, traceparent),)


def _is_overview(message: Message[Any]) -> bool:
    return message.topic == topics.MEDICATION_STATUS.name


def _order_id(message: Message[Any]) -> UUID:
    command: Any = message.body
    order_id: UUID = command.order_id
    return order_id


def _event(event: OrderEvent, order: Order, message: Message[Any]) -> Outgoing:
    order_id = id_text(order.order_id)
    return outgoing(
        topics.ORDERS_EVENTS.name,
        event,
        key=order.patient,
        id=event_id(event.TYPE, order_id, event.seq),
        source=SOURCE,
        subject=order_id,
        at=message.at,
        traceparent=message.traceparent,
    )


def _prescription(prescription: Prescription, message: Message[Any]) -> Outgoing:
    prescription_id = id_text(prescription.prescription_id)
    return outgoing(
        topics.PRESCRIPTIONS_PREFIX + prescription.pharmacy,
        prescription,
        key=prescription.patient,
        id=event_id(prescription.TYPE, prescription_id),
        source=SOURCE,
        subject=prescription_id,
        at=message.at,
        traceparent=message.traceparent,
    )


def _timer_id(order_id: UUID, kind: str) -> str:
    return event_id(OrderTimer.TYPE, order_id, kind)


def _timer(timer: OrderTimer, traceparent: str | None) -> Timer:
    timer_id = _timer_id(timer.order_id, timer.kind)
    record = outgoing(
        topics.ORDERS_REVIEWS.name,
        timer,
        key=timer.patient,
        id=timer_id,
        source=SOURCE,
        subject=str(timer.order_id),
        at=timer.due_at,
        traceparent=traceparent,
    )
    return Timer(timer_id, timer.due_at, record)


def _cancelled_timers(order: Order, before: Order | None) -> tuple[str, ...]:
    waited = before is not None and before.state is OrderState.WAITING
    if waited and order.state is not OrderState.WAITING:
        return (_timer_id(order.order_id, "overview_overdue"),)
    return ()


def _both(first: Done | Rejected, second: Done | Rejected) -> Done:
    assert isinstance(first, Done), "only what was not refused is followed by anything"
    assert isinstance(second, Done), "an overview that arrives is never refused"
    return Done(
        first.records + second.records,
        first.timers + second.timers,
        first.cancelled + second.cancelled,
    )
