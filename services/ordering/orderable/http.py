"""The route that shows what a patient can order now: the rules' verdict on each medicine of the overview."""

from fastapi import APIRouter, Response

from runtime.http.access import CallerOf, may
from runtime.http.caller import About, Caller
from runtime.http.problems import not_found
from runtime.http.requests import PatientPath
from runtime.http.responses import json_response
from runtime.resources import Resources
from runtime.systems import Systems
from schemas.access import Action
from schemas.api.orderable import OrderableMedicine, OrderableView
from schemas.base import PharmacyAgb
from schemas.medicine_groups import MedicineLists
from schemas.records.directory import Pharmacy, Practice, System
from schemas.records.medicines import MedicineList
from services.ordering import store
from services.ordering.domain.orderable import Orderable, orderable
from services.ordering.work import Directory


class OrderableApi:
    """Shows what a patient can order."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        practices = resources.table(Practice).rows
        systems = Systems(resources.table(System).rows, practices)
        self._directory = Directory(
            practices,
            resources.table(Pharmacy).rows,
            systems,
            MedicineLists(resources.table(MedicineList).rows),
        )

    async def show(self, caller: Caller, patient: str, pharmacy: str | None) -> Response:
        """Show each medicine of the overview, with the verdict on an order of it alone at this pharmacy.

        Raises:
            Problem: 404, the caller may not see this patient's, or no overview says whose patient it is.
        """
        async with self._resources.api_pool.acquire() as db:
            overview = (await store.overviews(db, [patient])).get(patient)
            history = (await store.histories(db, [patient])).get(patient, ())
        practice = overview.practice if overview else None
        if not caller.may(About(patient=patient, practice=practice)):
            raise not_found("overview")
        if overview is None:
            caller.saw_nothing()
            return json_response(OrderableView(overview_version=None, practice=None, medicines=[]))
        context = self._directory.of(overview.practice, pharmacy, overview, history)
        found = orderable(overview, context, caller.now, pharmacy_chosen=pharmacy is not None)
        return json_response(
            OrderableView(
                overview_version=overview.version,
                practice=overview.practice,
                medicines=[_medicine_view(each) for each in found],
            )
        )


def add_routes(routes: APIRouter, api: OrderableApi) -> None:
    """Add the route of what can be ordered."""

    @routes.get("/patients/{patient}/orderable", response_model=OrderableView)
    @may(Action.ORDERABLE_READ)
    async def show(
        caller: CallerOf, patient: PatientPath, pharmacy: PharmacyAgb | None = None
    ) -> Response:
        """Show a patient's medicines, and what an order of each would get now."""
        return await api.show(caller, patient, pharmacy)


def _medicine_view(found: Orderable) -> OrderableMedicine:
    medicine, verdict = found.medicine, found.verdict
    return OrderableMedicine(
        prk=medicine.prk,
        medicine=medicine.medicine,
        dosage=medicine.dosage,
        unit=medicine.unit,
        quantity=medicine.quantity,
        status=medicine.status,
        outcome=verdict.outcome,
        reasons=verdict.reasons,
        reviewer=verdict.reviewer,
        signals=verdict.signals,
    )
