"""An order as it stands: its lines, their outcomes, and the state that follows from them."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import cached_property, lru_cache
from uuid import UUID

from msgspec import Struct

from schemas.base import Actor, Channel, PlacedBy, Role
from schemas.orders import OrderPlace, OrderState, Outcome
from schemas.reasons import Reason


class Line(Struct, frozen=True):
    """One line of an order as it stands now; `dosage` is that of the overview when it was decided.

    `decided_by` is who decided it after the order's own decision, and `decided_as` what; None as long as
    nobody did.
    """

    number: int
    prk: str
    medicine: str
    quantity: int
    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    dosage: str = ""
    decided_by: Actor | None = None
    decided_as: Outcome | None = None


class Order(Struct, frozen=True, dict=True):
    """An order as it stands now; `seq` is that of its newest event. Times are UTC.

    `digest` tells whether the same order comes again or another under the same id.
    """

    order_id: UUID
    patient: str
    practice: str
    pharmacy: str
    channel: Channel
    placed_by: PlacedBy
    placed_at: datetime
    digest: str
    seq: int
    lines: tuple[Line, ...]
    remark: str | None = None
    supply_until: date | None = None
    cancelled: bool = False

    @cached_property
    def state(self) -> OrderState:
        """What became of the order as a whole."""
        return (
            OrderState.CANCELLED
            if self.cancelled
            else state_of(line.outcome for line in self.lines)
        )


def placed(
    command: OrderPlace, digest: str, at: datetime, seq: int, lines: tuple[Line, ...]
) -> Order:
    """The order that this command placed at `at` (UTC), with what became of its lines."""
    return Order(
        order_id=command.order_id,
        patient=command.patient,
        practice=command.practice,
        pharmacy=command.pharmacy,
        channel=command.channel,
        placed_by=command.placed_by,
        placed_at=at,
        digest=digest,
        seq=seq,
        lines=lines,
        remark=command.remark,
        supply_until=command.supply_until,
    )


def state_of(outcomes: Iterable[Outcome]) -> OrderState:
    """What lines with these outcomes make of their order."""
    found = set(outcomes)
    if Outcome.WAITING in found:
        return OrderState.WAITING
    if Outcome.REVIEW in found:
        return OrderState.IN_REVIEW
    if found == {Outcome.APPROVED}:
        return OrderState.APPROVED
    return OrderState.PARTLY_APPROVED if Outcome.APPROVED in found else OrderState.REFUSED


@lru_cache(maxsize=10_000)
def policy_actor(practice: str, version: int | None) -> Actor:
    """A practice's policy as the one who approves; version 0 is the careful default."""
    return Actor(role=Role.POLICY, id=f"{practice} v{version or 0}")
