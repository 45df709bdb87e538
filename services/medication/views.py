"""Makes commands from the request bodies of medication's API."""

from uuid import uuid4

from runtime.http.problems import invalid_field
from schemas.api.medication import OverviewRequest, StatusRequest
from schemas.base import Actor
from schemas.records.medication import MedicationImport, MedicationSetStatus


def import_command(patient: str, request: OverviewRequest, by: Actor) -> MedicationImport:
    """Make the command that imports this overview."""
    return MedicationImport(
        change_id=request.change_id or uuid4(),
        patient=patient,
        by=by,
        reason=request.reason,
        practice=request.practice,
        medications=request.medications,
    )


def status_command(
    patient: str, prk: str, request: StatusRequest, by: Actor
) -> MedicationSetStatus:
    """Make the command that sets a status."""
    return MedicationSetStatus(
        change_id=request.change_id or uuid4(),
        patient=patient,
        by=by,
        reason=request.reason,
        prk=prk,
        status=request.status,
    )


def require_same(field: str, in_path: str, in_body: str | None) -> None:
    """Raise Problem (422) when body and path disagree."""
    if in_body is not None and in_body != in_path:
        raise invalid_field(field, "is another one than in the path")
