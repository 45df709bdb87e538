"""What the services say of a patient's medicines, and which of them can be ordered, now or with a reason."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, auto
from functools import cached_property
from uuid import UUID

from portal.patient.order_form import Known
from portal.web.away import Away, or_none, unless_away
from portal.web.visit import Visit
from schemas.api.directory import PharmacyView, PracticeView
from schemas.api.orderable import OrderableMedicine, OrderableView
from schemas.api.ordering import OrderView
from schemas.base import LONGEST_TEXT
from schemas.reasons import Reason, ReasonCode
from schemas.records.directory import Remarks
from schemas.records.medication import Medication
from schemas.records.orders import Outcome
from schemas.times import local_date


class Can(Enum):
    """Whether a medicine can be ordered."""

    NOW = auto()
    WITH_A_REASON = auto()
    """It is too early, but the practice looks at an order that says why, or until when it is needed."""
    NOT_NOW = auto()


_OF_THE_FORM = frozenset({ReasonCode.REMARK_MISSING, ReasonCode.OUTSIDE_ORDER_HOURS})
"""Reasons that are said once for the whole order: at the remark, and above the list."""


def can_order(medicine: OrderableMedicine) -> Can:
    """Whether a medicine can be ordered; ordering's verdict is on an order without a remark or a period."""
    codes = {reason.code for reason in medicine.reasons}
    if medicine.outcome in (Outcome.APPROVED, Outcome.REVIEW) or codes == {
        ReasonCode.REMARK_MISSING
    }:
        return Can.NOW
    if codes - {ReasonCode.REMARK_MISSING} == {ReasonCode.TOO_EARLY}:
        return Can.WITH_A_REASON
    return Can.NOT_NOW


def own_reasons(medicine: OrderableMedicine) -> Sequence[Reason]:
    """The reasons of this medicine alone."""
    return [reason for reason in medicine.reasons if reason.code not in _OF_THE_FORM]


@dataclass(frozen=True)
class Shelf:
    """What the services say of a patient's medicines."""

    orderable: OrderableView | Away
    listed: Mapping[str, Medication]
    orders: Sequence[OrderView]
    pharmacies: Sequence[PharmacyView] | Away
    practice: PracticeView | None = None
    usual_pharmacy: str | None = None
    today: date = field(default_factory=date.today)

    @property
    def registered_at(self) -> str:
        """The practice of the patient's overview. There is one where anything can be ordered."""
        assert isinstance(self.orderable, OrderableView)
        assert self.orderable.practice is not None
        return self.orderable.practice

    @property
    def medicines(self) -> Sequence[OrderableMedicine]:
        """Every medicine of the overview; none while nobody can tell."""
        return () if isinstance(self.orderable, Away) else self.orderable.medicines

    @cached_property
    def can_be_ordered(self) -> Sequence[OrderableMedicine]:
        """What can be ordered, now or with a reason."""
        return [each for each in self.medicines if can_order(each) is not Can.NOT_NOW]

    @property
    def takes_orders_from(self) -> date | None:
        """The next day on which the practice takes orders; None while it takes them now."""
        return next(
            (
                reason.earliest_date
                for each in self.medicines
                for reason in each.reasons
                if reason.code is ReasonCode.OUTSIDE_ORDER_HOURS
            ),
            None,
        )

    @property
    def remarks(self) -> Remarks:
        """Whether an order may have a remark."""
        return self.practice.remarks if self.practice else Remarks.OPTIONAL

    @property
    def remark_length(self) -> int:
        """How many characters a remark may have."""
        return self.practice.remark_length if self.practice else LONGEST_TEXT

    def too_many(self, lines: int) -> bool:
        """Whether so many medicines at once are looked at by a person."""
        return self.practice is not None and lines > self.practice.lines_at_most

    def order(self, order_id: UUID | None) -> OrderView | None:
        """One of the patient's recent orders."""
        return next((each for each in self.orders if each.order_id == order_id), None)

    @cached_property
    def known(self) -> Known:
        """What a form is compared with."""
        agbs = [] if isinstance(self.pharmacies, Away) else [each.agb for each in self.pharmacies]
        early = [each for each in self.can_be_ordered if can_order(each) is Can.WITH_A_REASON]
        return Known(
            {each.prk: each.medicine for each in self.can_be_ordered},
            frozenset(agbs),
            self.today,
            frozenset(each.prk for each in early),
            self.remarks,
            self.remark_length,
        )


async def read_shelf(visit: Visit) -> Shelf:
    """Ask the services for everything that the page shows, at once."""
    orderable, listed, orders, pharmacies, preferred = await asyncio.gather(
        unless_away(visit.api.ordering.orderable(visit.patient)),
        unless_away(_listed(visit)),
        unless_away(visit.api.ordering.of_patient(visit.patient, 20)),
        unless_away(visit.pharmacies()),
        unless_away(visit.api.notification.preferences(visit.patient)),
    )
    recent = [] if isinstance(orders, Away) else orders.orders
    latest = recent[0].pharmacy if recent else None
    return Shelf(
        orderable,
        {} if isinstance(listed, Away) else listed,
        recent,
        pharmacies,
        await _practice(visit, orderable),
        latest if isinstance(preferred, Away) else preferred.pharmacy or latest,
        local_date(visit.now),
    )


async def _listed(visit: Visit) -> Mapping[str, Medication]:
    overview = await or_none(visit.api.medication.overview(visit.patient))
    return {entry.prk: entry for entry in overview.medications} if overview else {}


async def _practice(visit: Visit, orderable: OrderableView | Away) -> PracticeView | None:
    if isinstance(orderable, Away) or orderable.practice is None:
        return None
    found = await unless_away(visit.practice(orderable.practice))
    return None if isinstance(found, Away) else found
