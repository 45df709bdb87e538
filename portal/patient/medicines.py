"""My medicines: every medicine of the overview, and the form to order those that can be ordered now."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

from starlette.responses import Response

from portal.patient import dosage
from portal.patient.dosage import Dosage
from portal.patient.hours import in_words, ordinary_week
from portal.patient.order_form import Known, new_fields, ticked
from portal.patient.words import Why, whys
from portal.web.away import Away, or_none, unless_away
from portal.web.field_errors import FieldError, shown
from portal.web.forms import Form
from portal.web.pages import Pages
from portal.web.visit import Visit
from portal.web.words import amount, unit_of
from schemas.access import Action
from schemas.api.directory import PharmacyView, PracticeView
from schemas.api.orderable import OrderableMedicine, OrderableView
from schemas.api.ordering import OrderView
from schemas.records.medication import Medication
from schemas.records.orders import Outcome
from schemas.times import local_date

PAGE = "/patients/{patient}/medicines"
"""Under this name the form is kept while it is not sent."""

UNDER_WAY = timedelta(days=7)
"""How long a medicine that was approved counts as under way, until pharmacies report that it was collected."""

pages = Pages()


@dataclass(frozen=True)
class Row:
    """One medicine as the page shows it.

    `whys` say why not, or what happens first. `ordered` is the order that
    it is in already.
    """

    prk: str
    name: str
    dosage: Dosage
    usual: str
    unit: str
    amount: str
    last_ordered: str | None
    orderable: bool
    ticked: bool
    whys: Sequence[Why]
    outcome: Outcome
    ordered: OrderView | None = None


@dataclass(frozen=True)
class PharmacyRow:
    """A pharmacy where one can collect, with its hours by days."""

    agb: str
    name: str
    address: str
    phone: str
    hours: Sequence[tuple[str, str]]
    chosen: bool


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

    @cached_property
    def under_way(self) -> Mapping[str, OrderView]:
        """The order that a medicine is in already, by PRK."""
        return {
            line.prk: order
            for order in reversed(self.orders)
            for line in order.lines
            if line.outcome in (Outcome.REVIEW, Outcome.WAITING)
            or (
                line.outcome is Outcome.APPROVED
                and local_date(order.placed_at) > self.today - UNDER_WAY
            )
        }

    @cached_property
    def can_be_ordered(self) -> Sequence[OrderableMedicine]:
        """What can be ordered now."""
        if isinstance(self.orderable, Away):
            return []
        return [
            each
            for each in self.orderable.medicines
            if each.outcome in (Outcome.APPROVED, Outcome.REVIEW) and each.prk not in self.under_way
        ]

    @cached_property
    def known(self) -> Known:
        """What a form is compared with."""
        agbs = [] if isinstance(self.pharmacies, Away) else [each.agb for each in self.pharmacies]
        return Known(
            {each.prk: each.medicine for each in self.can_be_ordered},
            frozenset(agbs),
            self.today,
        )


@pages.get(PAGE, Action.ORDERABLE_READ)
async def medicines(visit: Visit) -> Response:
    """Every medicine of the overview: what can be ordered now, and what not, with why and from when."""
    page = PAGE.format(patient=visit.patient)
    kept = await visit.site.kept.keep_first(visit.session.claims.sub, page, new_fields())
    return await show_form(visit, await read_shelf(visit), Form(kept), ())


async def show_form(
    visit: Visit, shelf: Shelf, form: Form, errors: Sequence[FieldError]
) -> Response:
    """The page with a form as somebody filled it in, and what is not right in it."""
    rows = _rows(visit, shelf, form)
    can = [row for row in rows if row.orderable]
    pharmacies = _pharmacies(visit, shelf, form)
    first = _first_boxes(can, pharmacies)
    return await visit.render(
        "patient/medicines.html",
        422 if errors and visit.request.method == "POST" else 200,
        shelf=shelf,
        can=can,
        cannot=[row for row in rows if not row.orderable],
        pharmacies=pharmacies,
        form=form,
        errors=shown(visit, errors, first),
        begun=bool(ticked(form)) and not errors,
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


def _rows(visit: Visit, shelf: Shelf, form: Form) -> Sequence[Row]:
    if isinstance(shelf.orderable, Away):
        return []
    chosen = {*ticked(form)}
    return [
        _row(visit, shelf, each, form, each.prk in chosen) for each in shelf.orderable.medicines
    ]


def _row(
    visit: Visit, shelf: Shelf, medicine: OrderableMedicine, form: Form, is_ticked: bool
) -> Row:
    listed = shelf.listed.get(medicine.prk)
    ordered = shelf.under_way.get(medicine.prk)
    typed = form.text(f"amount-{medicine.prk}")
    return Row(
        medicine.prk,
        medicine.medicine,
        dosage.in_words(medicine.dosage, visit.language),
        amount(medicine.quantity, medicine.unit, visit.language),
        unit_of(Decimal(2), medicine.unit, visit.language),
        typed or _as_typed(medicine.quantity),
        listed.last_ordered_on if listed else None,
        medicine.prk in shelf.known.names,
        is_ticked,
        whys(medicine.reasons, visit.language),
        medicine.outcome,
        ordered,
    )


def _as_typed(quantity: Decimal) -> str:
    return f"{quantity:f}".replace(".", ",")


def _pharmacies(visit: Visit, shelf: Shelf, form: Form) -> Sequence[PharmacyRow]:
    if isinstance(shelf.pharmacies, Away):
        return []
    chosen = form.text("pharmacy") or shelf.usual_pharmacy
    monday = shelf.today - timedelta(days=shelf.today.weekday())
    rows = [
        PharmacyRow(
            each.agb,
            each.name,
            f"{each.address}, {each.city}",
            each.phone,
            [in_words(one, visit.language) for one in ordinary_week(each.opening_hours, monday)],
            each.agb == chosen,
        )
        for each in shelf.pharmacies
    ]
    return sorted(rows, key=lambda row: row.agb != shelf.usual_pharmacy)


def _first_boxes(rows: Sequence[Row], pharmacies: Sequence[PharmacyRow]) -> Mapping[str, str]:
    """The first box of each group, to which the group's error leads."""
    groups = {
        "medicines": [f"medicine-{row.prk}" for row in rows],
        "pharmacy": [f"pharmacy-{row.agb}" for row in pharmacies],
    }
    return {group: boxes[0] for group, boxes in groups.items() if boxes}
