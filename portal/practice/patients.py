"""A patient of the practice: found by name or BSN; medicines with their statuses to set; recent orders."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from starlette.responses import Response

from herhaal_client import NotFound
from portal.practice.words import STATES, STATUSES
from portal.web.away import Away, or_none, unless_away
from portal.web.forms import BadForm
from portal.web.names import name_of
from portal.web.pages import Pages
from portal.web.visit import Visit
from portal.web.words import Label, amount
from schemas.access import Action
from schemas.api.medication import StatusRequest
from schemas.api.ordering import OrderView
from schemas.records.medication import Medication, MedicationOverview, Status

RECENT = 10
"""How many orders are shown."""

WAIT_S = 3
"""How long a new status waits until it is carried out, so that the page shows it."""

PATIENT = "/practice/patients/{patient}"

pages = Pages()


@dataclass(frozen=True)
class Row:
    """A medicine of the list, how much is usual, and its status in English."""

    entry: Medication
    amount: str
    status: str


@dataclass(frozen=True)
class Order:
    """A recent order, and where it stands."""

    view: OrderView
    label: Label

    @property
    def id(self) -> UUID:
        """The order's id."""
        return self.view.order_id


@pages.get(PATIENT, Action.STATUS_SET)
async def patient(visit: Visit) -> Response:
    """Who a patient is, the medication list, and recent orders."""
    person, overview, orders = await asyncio.gather(
        unless_away(or_none(visit.api.notification.person(visit.patient))),
        unless_away(or_none(visit.api.medication.overview(visit.patient))),
        unless_away(or_none(visit.api.ordering.of_patient(visit.patient, RECENT))),
    )
    if person is None and overview is None:
        raise NotFound("patient", "not-found", status=404)
    return await visit.render(
        "practice/patient.html",
        person=person,
        name=None if person is None or isinstance(person, Away) else name_of(person).full,
        rows=overview if isinstance(overview, Away) else _rows(visit, overview),
        statuses=STATUSES,
        orders=orders if isinstance(orders, Away) else _orders(orders.orders if orders else ()),
        saved=_saved(visit, overview),
    )


@pages.post(PATIENT + "/medications/{prk}/status", Action.STATUS_SET)
async def set_status(visit: Visit) -> Response:
    """Set the status of one medicine."""
    try:
        status = Status(visit.form.text("status"))
    except ValueError:
        raise BadForm from None
    prk = visit.request.path_params["prk"]
    await visit.api.medication.set_status(visit.patient, prk, StatusRequest(status=status), WAIT_S)
    return visit.redirect(f"{PATIENT.format(patient=visit.patient)}?saved={prk}")


def _rows(visit: Visit, overview: MedicationOverview | None) -> Sequence[Row]:
    return [
        Row(each, amount(each.quantity, each.unit, visit.language), STATUSES[each.status])
        for each in (overview.medications if overview else ())
    ]


def _orders(orders: Sequence[OrderView]) -> Sequence[Order]:
    return [Order(each, STATES[each.state]) for each in orders]


def _saved(visit: Visit, overview: MedicationOverview | Away | None) -> Medication | None:
    """The medicine whose status was just set."""
    if overview is None or isinstance(overview, Away):
        return None
    prk = visit.request.query_params.get("saved")
    return next((each for each in overview.medications if each.prk == prk), None)
