"""The unit of work of a batch, and the directory that decisions read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from runtime.postgres.identity_map import IdentityMap
from runtime.systems import Systems
from schemas.records.directory import Pharmacy, Policy, Practice
from schemas.records.orders import OrderEvent, OrderPlace, OrderState
from services.ordering.domain.decisions import Change, Context
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
    waiting: dict[str, set[UUID]] = field(default_factory=dict)
    """Ids of orders that wait for an overview, by patient."""
    due: dict[UUID, datetime] = field(default_factory=dict)
    """When (UTC) an order that began to wait in this batch stops waiting."""
    changed_overviews: dict[str, Overview | None] = field(default_factory=dict)
    placed: list[UUID] = field(default_factory=list)
    """Ids of placed orders, repeats included: they leave the intake, whichever way they came."""
    newly_recovered: list[OrderEvent] = field(default_factory=list)

    def keep(self, change: Change) -> None:
        """Note the next state of an order."""
        order = change.order
        self.orders.set(order.order_id, order)
        if order.state is OrderState.WAITING:
            self.waiting.setdefault(order.patient, set()).add(order.order_id)
        elif self.waiting and (waiting := self.waiting.get(order.patient)):
            waiting.discard(order.order_id)
        for timer in change.timers:
            self.due[order.order_id] = timer.due_at


@dataclass(frozen=True)
class Directory:
    """The current practices and pharmacies, by AGB code, and what outside systems serve."""

    practices: Mapping[str, Practice]
    pharmacies: Mapping[str, Pharmacy]
    systems: Systems

    def context(self, order: OrderPlace | Order, work: Work) -> Context:
        """The overview and directory data that this order is decided with."""
        return self.of(order.practice, order.pharmacy, work.overviews.get(order.patient))

    def of(self, agb: str, pharmacy: str | None, overview: Overview | None) -> Context:
        """The data that an order at this practice, for this pharmacy, is decided with."""
        practice = self.practices.get(agb)
        return Context(
            overview=overview,
            pharmacy=self.pharmacies.get(pharmacy) if pharmacy else None,
            policy=practice.policy if practice else _DEFAULT_POLICY,
            policy_version=practice.version if practice else None,
        )
