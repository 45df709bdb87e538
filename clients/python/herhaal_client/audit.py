"""Who did what to a patient's records, in each service that holds them."""

from datetime import date

from herhaal_client.api import Api
from herhaal_client.calls import Call
from schemas.api.audit import AuditView


async def patient_audit(
    api: Api,
    patient: str,
    first: date | None,
    last: date | None,
    before: int | None,
    limit: int,
) -> AuditView:
    """Show a page of a patient's audit trail."""
    params = {"from": first, "to": last, "before": before, "limit": limit}
    answer = await api.ask(Call("GET", "/patients/{patient}/audit", {"patient": patient}, params))
    return answer.read(AuditView.model_validate_json)
