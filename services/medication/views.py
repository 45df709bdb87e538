"""Makes commands from the request bodies of medication's API."""

from uuid import uuid4

from runtime.http.problems import invalid_field
from schemas.api.medication import OverviewRequest, StatusRequest
from schemas.records.medication import MedicationImport, MedicationSetStatus


def import_command(patient: str, request: OverviewRequest) -> MedicationImport:
    """Make the command that imports this overview. Raises Problem (422) when body and path disagree."""
    _require_same("patient", patient, request.patient)
    return MedicationImport(
        change_id=request.change_id or uuid4(),
        patient=patient,
        by=request.by,
        reason=request.reason,
        practice=request.practice,
        medications=request.medications,
    )


def status_command(patient: str, prk: str, request: StatusRequest) -> MedicationSetStatus:
    """Make the command that sets a status. Raises Problem (422) when body and path disagree."""
    _require_same("patient", patient, request.patient)
    _require_same("prk", prk, request.prk)
    return MedicationSetStatus(
        change_id=request.change_id or uuid4(),
        patient=patient,
        by=request.by,
        reason=request.reason,
        prk=prk,
        status=request.status,
    )


def _require_same(field: str, in_path: str, in_body: str | None) -> None:
    if in_body is not None and in_body != in_path:
        raise invalid_field(field, "is another one than in the path")
