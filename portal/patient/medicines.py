"""My medicines: every medicine of the overview, and the form to order those that can be ordered now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from starlette.responses import Response

from portal.patient import dosage
from portal.patient.dosage import Dosage
from portal.patient.hours import in_words, order_times, ordinary_week
from portal.patient.order_form import new_fields, ticked
from portal.patient.shelf import Can, Shelf, can_order, own_reasons, read_shelf
from portal.patient.words import LOOKS_FIRST, Why, whys
from portal.web.away import Away
from portal.web.field_errors import FieldError, shown
from portal.web.forms import Form
from portal.web.pages import Pages
from portal.web.visit import Visit
from portal.web.words import amount, unit_of
from schemas.access import Action
from schemas.api.orderable import OrderableMedicine
from schemas.records.orders import Outcome, Signal

PAGE = "/patients/{patient}/medicines"
"""Under this name the form is kept while it is not sent."""

pages = Pages()


@dataclass(frozen=True)
class Row:
    """One medicine as the page shows it.

    `whys` say why not, or what happens first; `looks` is who looks first, in English. `ordered_at` is when the
    order was placed that it is in already, where that is known. `control_due`: a check is due.
    """

    prk: str
    name: str
    dosage: Dosage
    usual: str
    unit: str
    amount: str
    last_ordered: str | None
    can: Can
    ticked: bool
    whys: Sequence[Why]
    looks: str | None
    control_due: bool
    ordered_at: datetime | None


@dataclass(frozen=True)
class PharmacyRow:
    """A pharmacy where one can collect, with its hours by days."""

    agb: str
    name: str
    address: str
    phone: str
    hours: Sequence[tuple[str, str]]
    chosen: bool


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
    rows = [_row(visit, shelf, each, form) for each in shelf.medicines]
    now, early = ([row for row in rows if row.can is can] for can in (Can.NOW, Can.WITH_A_REASON))
    pharmacies = _pharmacies(visit, shelf, form)
    hours = shelf.practice.order_hours if shelf.practice else None
    return await visit.render(
        "patient/medicines.html",
        422 if errors and visit.request.method == "POST" else 200,
        shelf=shelf,
        now=now,
        early=early,
        cannot=[row for row in rows if row.can is Can.NOT_NOW],
        pharmacies=pharmacies,
        order_times=order_times(hours, visit.language),
        form=form,
        errors=shown(visit, errors, _first_boxes([*now, *early], pharmacies)),
        begun=bool(ticked(form)) and not errors,
    )


def _row(visit: Visit, shelf: Shelf, medicine: OrderableMedicine, form: Form) -> Row:
    listed = shelf.listed.get(medicine.prk)
    said = whys(visit, own_reasons(medicine), medicine.outcome)
    other = next((order for why in said if (order := shelf.order(why.order))), None)
    in_review = medicine.outcome is Outcome.REVIEW
    return Row(
        medicine.prk,
        medicine.medicine,
        dosage.in_words(medicine.dosage, visit.language),
        amount(medicine.quantity, medicine.unit, visit.language),
        unit_of(Decimal(2), medicine.unit, visit.language),
        form.text(f"amount-{medicine.prk}") or _as_typed(medicine.quantity),
        listed.last_ordered_on if listed else None,
        can_order(medicine),
        medicine.prk in ticked(form),
        said,
        LOOKS_FIRST[medicine.reviewer] if in_review else None,
        Signal.CONTROL_DUE in medicine.signals,
        other.placed_at if other else None,
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
