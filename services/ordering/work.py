"""The unit of work of a batch, and the directory that decisions read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from runtime.postgres.identity_map import IdentityMap
from runtime.systems import Systems
from schemas.medicine_groups import MedicineLists
from schemas.records.directory import Pharmacy, Policy, Practice
from schemas.records.orders import OrderEvent, OrderPlace
from services.ordering.domain.decisions import Change
from services.ordering.domain.history import History, with_order
from services.ordering.domain.journal import Note, notes
from services.ordering.domain.knowledge import Context
from services.ordering.domain.order import Order
from services.ordering.domain.overview import Overview

_DEFAULT_POLICY = Policy()
"""The policy of a practice that is not in the directory."""


@dataclass
class Work:
    """One batch: the rows that were loaded, and the changes to save."""

    orders: IdentityMap[UUID, Order] = field(default_factory=IdentityMap)
    overviews: dict[str, Overview] = field(default_factory=dict)
    recovered: dict[UUID, list[OrderEvent]] = field(default_factory=dict)
    """Published events, in order, of orders that the restored database lacks."""
    histories: dict[str, History] = field(default_factory=dict)
    """What each patient ordered before; a patient who never ordered is absent."""
    changed_histories: dict[str, History] = field(default_factory=dict)
    notes: dict[UUID, list[Note]] = field(default_factory=dict)
    """What happened to orders in this batch."""
    due: dict[UUID, datetime] = field(default_factory=dict)
    """When (UTC) an order that began to wait in this batch stops waiting."""
    changed_overviews: dict[str, Overview | None] = field(default_factory=dict)
    placed: list[UUID] = field(default_factory=list)
    """Ids of placed orders, repeats included: they leave the intake, whichever way they came."""
    newly_recovered: list[OrderEvent] = field(default_factory=list)

    def keep(self, change: Change, at: datetime) -> None:
        """Note the next state of an order, which it has since `at` (UTC)."""
        order = change.order
        self.orders.set(order.order_id, order)
        history = with_order(self.histories.get(order.patient, ()), order, at)
        self.histories[order.patient] = self.changed_histories[order.patient] = history
        self.notes.setdefault(order.order_id, []).extend(notes(change))
        for timer in change.timers:
            self.due[order.order_id] = timer.due_at


@dataclass(frozen=True)
class Directory:
    """The current practices and pharmacies, by AGB code, what outside systems serve, and lists of medicines."""

    practices: Mapping[str, Practice]
    pharmacies: Mapping[str, Pharmacy]
    systems: Systems
    lists: MedicineLists

    def context(self, order: OrderPlace | Order, work: Work) -> Context:
        """The overview, history and directory data that this order is decided with."""
        overview, history = work.overviews.get(order.patient), work.histories.get(order.patient)
        return self.of(order.practice, order.pharmacy, overview, history or ())

    def of(
        self, agb: str, pharmacy: str | None, overview: Overview | None, history: History
    ) -> Context:
        """The data that an order at this practice, for this pharmacy, is decided with."""
        practice = self.practices.get(agb)
        return Context(
            overview,
            self.pharmacies.get(pharmacy) if pharmacy else None,
            practice.policy if practice else _DEFAULT_POLICY,
            practice.version if practice else None,
            self.lists.of(practice.region if practice else ""),
            history,
        )
