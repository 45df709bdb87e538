"""Orders: the commands of portals, and the events of ordering."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from schemas.base import (
    NOT_EMPTY,
    Actor,
    Body,
    Channel,
    LineNumber,
    Many,
    Model,
    Name,
    OrderId,
    PatientId,
    PharmacyAgb,
    PlacedBy,
    PracticeAgb,
    Prk,
    Reviewer,
    SystemName,
    Text,
    UtcDatetime,
    Version,
)
from schemas.numbers import Quantity
from schemas.reasons import Reason


class Outcome(StrEnum):
    """The outcome of one order line."""

    APPROVED = "approved"
    REVIEW = "review"
    E_CONSULT = "e_consult"
    REPEAT_SERVICE = "repeat_service"
    REFUSED = "refused"
    WAITING = "waiting"
    CANCELLED = "cancelled"


class OrderState(StrEnum):
    """The state of a whole order, derived from its lines."""

    APPROVED = "approved"
    PARTLY_APPROVED = "partly_approved"
    IN_REVIEW = "in_review"
    WAITING = "waiting"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Signal(StrEnum):
    """What somebody should know of a line, whatever its outcome."""

    CONTROL_DUE = "control_due"
    """The check that belongs to this medicine is due."""


Signals = Annotated[Many[Signal], Field(max_length=len(Signal))]


class StatusSignal(StrEnum):
    """What became of a medicine in the overview after a line of it was approved."""

    STOPPED = "stopped"
    TEMPORARY = "temporary"
    REMOVED = "removed"


class OrderLine(Model):
    """One medicine of an order; `quantity` is in the unit of the overview's entry (pieces, ml, …).

    Without a `quantity` it is the usual one.
    """

    line: LineNumber
    prk: Prk
    medicine: Name
    quantity: Quantity | None = None


class NewOrder(Model):
    """What an order says. `placed_by` is None only in a request whose token says it."""

    order_id: OrderId
    patient: PatientId
    practice: PracticeAgb
    pharmacy: PharmacyAgb
    channel: Channel
    placed_by: PlacedBy | None = None
    lines: Annotated[Many[OrderLine], Field(max_length=50), *NOT_EMPTY]
    remark: Text | None = None
    supply_until: date | None = None

    @model_validator(mode="after")
    def _lines_are_distinct(self) -> Self:
        if len(self.lines) > 1 and len({line.line for line in self.lines}) != len(self.lines):
            raise ValueError("two lines have the same number")
        return self


class OrderPlace(NewOrder, Body):
    """Place an order: repeats for one patient."""

    TYPE: ClassVar[str] = "order.place.v1"

    placed_by: PlacedBy


class OrderCancel(Body):
    """Cancel an order."""

    TYPE: ClassVar[str] = "order.cancel.v1"

    order_id: OrderId
    patient: PatientId
    cancelled_by: Actor
    reason: Text | None = None


class OrderReview(Body):
    """A person's decision on one line of the review queue."""

    TYPE: ClassVar[str] = "order.review.v1"

    order_id: OrderId
    patient: PatientId
    line: LineNumber
    outcome: Literal[Outcome.APPROVED, Outcome.REFUSED, Outcome.E_CONSULT]
    quantity: Quantity | None = None
    decided_by: Actor
    explanation: Text | None = None


class OrderTimer(Body):
    """A timer of an order that has fired; `due_at` is the time that it was set for."""

    TYPE: ClassVar[str] = "order.timer.v1"

    order_id: OrderId
    patient: PatientId
    kind: Literal["overview_overdue", "review_overdue"]
    due_at: UtcDatetime


class DecidedLine(Model):
    """One line with its outcome and all reasons that hold.

    `medicine`, `dosage` and `unit` are the overview's. For a medicine that is not in it, `medicine` is the
    order's, `dosage` is empty and `unit` is None. `ordered_as` is the order's name where it contradicts the
    overview's. `quantity` is None where the order has none and nothing says what is usual. `reviewer` is who is
    to decide a line in review. `sent_by_practice`: the pharmacy is not connected, so that no prescription of
    ours goes to it.
    """

    line: LineNumber
    prk: Prk
    medicine: Name
    quantity: Quantity | None
    dosage: Text = ""
    outcome: Outcome
    reasons: Many[Reason] = ()
    unit: Name | None = None
    ordered_as: Name | None = None
    reviewer: Reviewer | None = None
    signals: Signals = ()
    sent_by_practice: bool = False


class OrderDecided(Body):
    """The first decision on an order, with `seq` 1, even if its lines are in review or waiting.

    `placed_by` is None only in records from before it was kept. `through` is the outside system that the order
    came through, None when a person's own request placed it. `rules` is the version of the rules that decided.
    """

    TYPE: ClassVar[str] = "order.decided.v1"

    order_id: OrderId
    seq: Version
    patient: PatientId
    practice: PracticeAgb
    pharmacy: PharmacyAgb
    channel: Channel
    placed_at: UtcDatetime
    decided_at: UtcDatetime
    overview_version: Version | None = None
    policy_version: Version | None = None
    state: OrderState
    lines: Many[DecidedLine]
    placed_by: PlacedBy | None = None
    through: SystemName | None = None
    rules: Version | None = None


class _OrderEvent(Body):
    order_id: OrderId
    seq: Version
    patient: PatientId
    practice: PracticeAgb
    pharmacy: PharmacyAgb
    channel: Channel


class OrderLineDecided(_OrderEvent):
    """The decision on a line that was in review or waiting, or on an approved one whose medicine was stopped
    since.

    `medicine` to `sent_by_practice` are as in `DecidedLine`, by the overview of that moment. `reviewed_as` is
    the reviewer's decision where that overview overruled it: a medicine was stopped meanwhile.
    """

    TYPE: ClassVar[str] = "order.line-decided.v1"

    line: LineNumber
    prk: Prk
    medicine: Name
    outcome: Outcome
    reasons: Many[Reason] = ()
    quantity: Quantity | None
    dosage: Text = ""
    decided_by: Actor
    decided_at: UtcDatetime
    explanation: Text | None = None
    unit: Name | None = None
    ordered_as: Name | None = None
    reviewed_as: Outcome | None = None
    reviewer: Reviewer | None = None
    signals: Signals = ()
    sent_by_practice: bool = False
    rules: Version | None = None


class OrderLineSignalled(_OrderEvent):
    """The medicine of an approved line is not to be repeated any more: the practice looks at what is under
    way."""

    TYPE: ClassVar[str] = "order.line-signalled.v1"

    line: LineNumber
    prk: Prk
    signal: StatusSignal
    overview_version: Version
    signalled_at: UtcDatetime


class OrderCancelled(_OrderEvent):
    """An order was cancelled; `lines` are those that were approved, in review or waiting.

    `through` is the outside system that the cancellation came through, None for a person's own request.
    """

    TYPE: ClassVar[str] = "order.cancelled.v1"

    lines: Many[LineNumber]
    cancelled_by: Actor
    cancelled_at: UtcDatetime
    reason: Text | None = None
    through: SystemName | None = None


class OrderEscalated(_OrderEvent):
    """A line was in the review queue for too long, and goes to another role."""

    TYPE: ClassVar[str] = "order.escalated.v1"

    line: LineNumber
    to_role: Literal["assistant", "gp"]
    escalated_at: UtcDatetime


class OrderFulfilment(_OrderEvent):
    """A pharmacy's report on an approved line."""

    TYPE: ClassVar[str] = "order.fulfilment.v1"

    line: LineNumber
    status: Literal[
        "received",
        "preparing",
        "ready",
        "partly_ready",
        "collected",
        "delivered",
        "not_dispensed",
    ]
    at: UtcDatetime
    reason: Text | None = None


OrderEvent = (
    OrderDecided
    | OrderLineDecided
    | OrderLineSignalled
    | OrderCancelled
    | OrderEscalated
    | OrderFulfilment
)
