"""A batch's unit of work, and the directory that its decisions look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from runtime.postgres.identity_map import IdentityMap
from schemas.records.directory import Pharmacy, Policy, Practice
from schemas.records.orders import OrderEvent, OrderPlace, OrderState
from services.ordering.domain.decisions import Change, Context
from services.ordering.domain.order import Order
from services.ordering.domain.overview import Overview

_CAREFUL = Policy()
"""The policy of a practice that is not in the directory."""


@dataclass
class Work:
    """One batch: what was loaded, and what changes."""

    orders: IdentityMap[UUID, Order] = field(default_factory=IdentityMap)
    overviews: dict[str, Overview] = field(default_factory=dict)
    recovered: dict[UUID, list[OrderEvent]] = field(default_factory=dict)
    """Published events, in order, of orders that are not in the database yet."""
    waiting: dict[str, set[UUID]] = field(default_factory=dict)
    """Orders that wait for an overview, by patient."""
    due: dict[UUID, datetime] = field(default_factory=dict)
    """When (UTC) an order that began to wait in this batch is given up."""
    changed_overviews: dict[str, Overview | None] = field(default_factory=dict)
    taken_in: list[UUID] = field(default_factory=list)
    """Orders that were placed through our API, for the first time or again."""
    newly_recovered: list[OrderEvent] = field(default_factory=list)

    def keep(self, change: Change) -> None:
        """Note an order's next state."""
        order = change.order
        self.orders.keep(order.order_id, order)
        if order.state is OrderState.WAITING:
            self.waiting.setdefault(order.patient, set()).add(order.order_id)
        elif self.waiting and (waiting := self.waiting.get(order.patient)):
            waiting.discard(order.order_id)
        for timer in change.timers:
            self.due[order.order_id] = timer.due_at


@dataclass(frozen=True)
class Directory:
    """The practices and pharmacies as they are now, by AGB code."""

    practices: Mapping[str, Practice]
    pharmacies: Mapping[str, Pharmacy]

    def context(self, order: OrderPlace | Order, work: Work) -> Context:
        """What is on record of this order's patient, pharmacy and practice."""
        practice = self.practices.get(order.practice)
        return Context(
            overview=work.overviews.get(order.patient),
            pharmacy_known=order.pharmacy in self.pharmacies,
            policy=practice.policy if practice else _CAREFUL,
            policy_version=practice.version if practice else None,
        )
