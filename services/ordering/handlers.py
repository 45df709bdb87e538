"""ordering's part of the loop: one function per record type, which decides and returns what to publish."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias, assert_never
from uuid import UUID

from runtime.loop.handler import Done, Rejected
from runtime.messages.cloudevents import through
from runtime.messages.digest import digest_of
from runtime.messages.message import Message
from runtime.postgres.connection import Connection
from runtime.postgres.identity_map import IdentityMap
from runtime.postgres.statements import Writes
from runtime.systems import Systems
from schemas import topics
from schemas.medicine_groups import MedicineLists
from schemas.records.directory import Pharmacy, Practice
from schemas.records.medication import MedicationOverview
from schemas.records.medicines import MedicineList
from schemas.records.orders import OrderCancel, OrderEvent, OrderPlace, OrderReview, OrderTimer
from schemas.topic_lookup import system_of
from services.ordering import envelopes, intake, store
from services.ordering.domain import decisions, recovery
from services.ordering.domain.decisions import Change, Refused, Unchanged
from services.ordering.domain.history import concerned_by_overview
from services.ordering.domain.overview import read_overview
from services.ordering.work import Directory, Work

INPUTS = (topics.ORDERS_REQUESTS, topics.ORDERS_REVIEWS, topics.MEDICATION_STATUS)
OUTPUT_TOPIC = topics.ORDERS_EVENTS

_PUBLISHED_BY_US = ("ce_source", envelopes.SOURCE.encode())

Handle: TypeAlias = Callable[[Any, Message[Any], Work, Directory], Done | Rejected]
"""Handles a message's body: (body, message, work, directory)."""


class OrderingHandler:
    """Loads, decides and saves. The arguments are the directory's: practices, pharmacies, systems,
    medicines."""

    def __init__(
        self,
        practices: Mapping[str, Practice],
        pharmacies: Mapping[str, Pharmacy],
        systems: Systems | None = None,
        lists: Mapping[str, MedicineList] | None = None,
    ) -> None:
        self._directory = Directory(
            practices, pharmacies, systems or Systems(), MedicineLists(lists or {})
        )

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> Work:
        """Load the orders and overviews that these messages concern."""
        ids, patients = set[UUID](), set[str]()
        arrived = dict[str, datetime]()
        for message in messages:
            patients.add(message.key)
            if message.topic == topics.MEDICATION_STATUS.name:
                arrived.setdefault(message.key, message.at)
            else:
                ids.add(_order_id(message))
        if not messages:
            return Work()
        loaded = await store.load(db, ids, patients)
        work = Work(IdentityMap(loaded.orders), loaded.overviews, loaded.recovered)
        work.histories = loaded.histories
        concerned = {
            order_id
            for patient, at in arrived.items()
            for order_id in concerned_by_overview(work.histories.get(patient, ()), at)
        }
        if missing := concerned - loaded.orders.keys():
            work.orders.loaded |= await store.orders(db, missing)
        return work

    def handle(self, message: Message[Any], work: Work) -> Done | Rejected:
        """Decide one message."""
        body = message.body
        if body is None:
            return overview_removed(message, work)
        system = system_of(message.topic)
        if system and not serves(system, body, work, self._directory.systems):
            return Rejected("not_served")
        return HANDLERS[body.TYPE](body, message, work, self._directory)

    def save(self, work: Work, writes: Writes) -> None:
        """Write what changed."""
        if work.changed_overviews:
            store.save_overviews(writes, work.changed_overviews)
        if work.orders.changed:
            store.save_orders(writes, work.orders, work.due, work.notes)
            store.save_histories(writes, work.changed_histories)
        if work.placed:
            intake.clear(writes, work.placed)
        if work.newly_recovered:
            store.save_recovered(writes, work.newly_recovered)
        if placed := work.recovered.keys() & work.orders.changed.keys():
            store.drop_recovered(writes, placed)


def serves(system: str, command: OrderPlace | OrderCancel, work: Work, systems: Systems) -> bool:
    """Whether an outside system serves the practice that its command concerns.

    An order that nobody has placed concerns no practice: the command is refused for that.
    """
    order = command if isinstance(command, OrderPlace) else work.orders.get(command.order_id)
    return order is None or systems.serves_practice(system, order.practice)


def place(
    command: OrderPlace, message: Message[Any], work: Work, directory: Directory
) -> Done | Rejected:
    """Decide a new order, or recover it from its published events."""
    digest = digest_of(command)
    # Also one that came over Kafka: its repeat over HTTP may be in the intake, and never have been published.
    work.placed.append(command.order_id)
    order = work.orders.get(command.order_id)
    if order is not None:
        return _answer(decisions.place_again(order, command, digest), message, work)
    context = directory.context(command, work)
    if work.recovered and (published := work.recovered.get(command.order_id)):
        recovered = recovery.recover(command, digest, published, message.at, context)
        return _answer(recovered, message, work)
    placed = decisions.place(command, message.at, context, through(message.record))
    return _answer(decisions.apply_placed(command, digest, placed), message, work)


def cancel(
    command: OrderCancel, message: Message[Any], work: Work, _: Directory
) -> Done | Rejected:
    """Cancel an order."""
    order = work.orders.get(command.order_id)
    decision = decisions.cancel(order, command, message.at, through(message.record))
    return _answer(decisions.apply(order, decision), message, work)


def review(
    command: OrderReview, message: Message[Any], work: Work, directory: Directory
) -> Done | Rejected:
    """Decide a line in review as a person did, on the overview of this moment."""
    order = work.orders.get(command.order_id)
    context = directory.context(order, work) if order else None
    decision = decisions.review(order, command, message.at, context)
    return _answer(decisions.apply(order, decision), message, work)


def timer_fired(
    timer: OrderTimer, message: Message[Any], work: Work, _: Directory
) -> Done | Rejected:
    """Refuse the lines that have waited too long for an overview."""
    if message.at < timer.due_at:
        # Too early by the broker's clock, which counts (the database's was ahead): set the timer again.
        return Done(timers=(envelopes.timer(timer, message.traceparent),))
    order = work.orders.get(timer.order_id)
    decision = decisions.timer_fired(order, timer, message.at)
    return _answer(decisions.apply(order, decision), message, work)


def overview_arrived(
    overview: MedicationOverview, message: Message[Any], work: Work, directory: Directory
) -> Done:
    """Store a newer overview, decide the orders that wait for it, and look at those that are under way."""
    patient = message.key
    current = work.overviews.get(patient)
    if current is not None and overview.version <= current.version:
        return Done()
    work.overviews[patient] = work.changed_overviews[patient] = read_overview(overview)
    done = Done()
    for order_id in concerned_by_overview(work.histories.get(patient, ()), message.at):
        order = work.orders.get(order_id)
        assert order is not None, "such an order was loaded, or placed in this batch"
        decision = decisions.overview_arrived(order, message.at, directory.context(order, work))
        done = _combine(done, _answer(decisions.apply(order, decision), message, work))
    return done


def overview_removed(message: Message[Any], work: Work) -> Done:
    """Delete a patient's overview (a tombstone)."""
    work.overviews.pop(message.key, None)
    work.changed_overviews[message.key] = None
    return Done()


def recover(event: OrderEvent, message: Message[Any], work: Work, _: Directory) -> Done | Rejected:
    """Apply an event that ordering published before this database was restored.

    Events of an order that the database lacks are stored until the order's command is consumed again.
    """
    if _PUBLISHED_BY_US not in message.record.headers:
        return Done()
    order = work.orders.get(event.order_id)
    if order is None:
        work.newly_recovered.append(event)
        return Done()
    return _answer(recovery.catch_up(order, event), message, work)


HANDLERS: Mapping[str, Handle] = {
    OrderPlace.TYPE: place,
    OrderCancel.TYPE: cancel,
    OrderReview.TYPE: review,
    OrderTimer.TYPE: timer_fired,
    MedicationOverview.TYPE: overview_arrived,
    **{event.TYPE: recover for event in OUTPUT_TOPIC.bodies},
}
"""The function for each record type, by `TYPE`."""


def _order_id(message: Message[Any]) -> UUID:
    command: Any = message.body
    order_id: UUID = command.order_id
    return order_id


def _answer(
    result: Change | Unchanged | Refused, message: Message[Any], work: Work
) -> Done | Rejected:
    """Note the order's next state, and return what to publish."""
    match result:
        case Change():
            work.keep(result, message.at)
            return envelopes.done(result, message)
        case Unchanged():
            return Done()
        case Refused(code):
            return Rejected(code)
        case _:
            assert_never(result)


def _combine(first: Done, second: Done | Rejected) -> Done:
    assert isinstance(second, Done), "an arrived overview is never refused"
    return Done(
        first.records + second.records,
        first.timers + second.timers,
        first.cancelled + second.cancelled,
    )
