"""What several services answer alike: their state, a patient's audit trail, and streams of events."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import date

from herhaal_client.api import Api
from herhaal_client.calls import Call
from herhaal_client.events import ServerEvent, patient_events
from schemas.api.audit import AuditView
from schemas.api.state import StateView


@dataclass(frozen=True)
class ServiceClient:
    """Calls a service. Each method raises `ApiError`."""

    api: Api

    async def state(self) -> StateView:
        """Show what is ready and what waits, in numbers; for an operator."""
        return (await self.api.ask(Call("GET", "/state"))).read(StateView.model_validate_json)


@dataclass(frozen=True)
class RecordsClient(ServiceClient):
    """Calls a service that holds records of patients."""

    async def audit(
        self,
        patient: str,
        first: date | None = None,
        last: date | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> AuditView:
        """Show who did what to a patient's records, newest first; `first` and `last` are days in Amsterdam."""
        values = {"patient": patient}
        params = {"from": first, "to": last, "before": before, "limit": limit}
        answer = await self.api.ask(Call("GET", "/patients/{patient}/audit", values, params))
        return answer.read(AuditView.model_validate_json)


@dataclass(frozen=True)
class LiveClient(RecordsClient):
    """Calls a service that tells what happens to a patient's records."""

    def events(
        self, patient: str, last_event_id: str | None = None
    ) -> AsyncGenerator[ServerEvent, None]:
        """Give what happens, as it happens; close it with `contextlib.aclosing`."""
        return patient_events(self.api, patient, last_event_id)
