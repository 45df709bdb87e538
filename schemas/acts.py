"""What an outside system does with a record on its topic: for whom, which action, on what."""

from dataclasses import dataclass

from schemas.access import Action
from schemas.base import Actor, Body, PlacedBy
from schemas.records.medication import MedicationImport, MedicationSetStatus
from schemas.records.orders import OrderCancel, OrderPlace


@dataclass(frozen=True, slots=True)
class Act:
    """An action that a record asks for, by a person whom the record names.

    `thing` is what it is about; `practice` whose records these are, where the record says it.
    """

    action: Action
    by: Actor | PlacedBy
    thing: str
    practice: str | None = None


def act_of(body: Body | None) -> Act | None:
    """The act that a record asks for; None for a record that asks for none."""
    match body:
        case OrderPlace():
            return Act(Action.ORDERS_PLACE, body.placed_by, str(body.order_id), body.practice)
        case OrderCancel():
            return Act(Action.ORDERS_CANCEL, body.cancelled_by, str(body.order_id))
        case MedicationImport():
            return Act(Action.OVERVIEW_IMPORT, body.by, str(body.change_id), body.practice)
        case MedicationSetStatus():
            return Act(Action.STATUS_SET, body.by, body.prk)
        case _:
            return None
