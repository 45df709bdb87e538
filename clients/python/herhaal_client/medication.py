"""medication's API: a patient's overview."""

from dataclasses import dataclass
from typing import TypeVar
from uuid import uuid4

from herhaal_client.calls import Answer, Call
from herhaal_client.service import RecordsClient
from schemas.api.medication import ChangeReceivedView, OverviewRequest, StatusRequest
from schemas.records.medication import MedicationOverview

_OVERVIEW = "/patients/{patient}/overview"

R = TypeVar("R", OverviewRequest, StatusRequest)


@dataclass(frozen=True)
class MedicationClient(RecordsClient):
    """Calls medication. Each method raises `ApiError`; a wait is in seconds, at most 30.

    A change without a `change_id` gets one, so that it is one change when it is sent again.
    """

    async def overview(
        self, patient: str, known: MedicationOverview | None = None
    ) -> MedicationOverview:
        """Show a patient's overview; `known` itself when that is the current version."""
        tag = {"If-None-Match": f'"{known.version}"'} if known else {}
        answer = await self.api.ask(Call("GET", _OVERVIEW, {"patient": patient}, headers=tag))
        if known is not None and answer.status == 304:
            return known
        return answer.read(MedicationOverview.model_validate_json)

    async def replace_overview(
        self, patient: str, request: OverviewRequest, wait_s: int = 0
    ) -> MedicationOverview | ChangeReceivedView:
        """Import a whole overview: a `MedicationOverview` if that is done within `wait_s`."""
        body = _with_id(request)
        call = Call("PUT", _OVERVIEW, {"patient": patient}, body=body, wait_s=wait_s)
        return _accepted(await self.api.ask(call))

    async def set_status(
        self, patient: str, prk: str, request: StatusRequest, wait_s: int = 0
    ) -> MedicationOverview | ChangeReceivedView:
        """Set the status of one medicine: a `MedicationOverview` if that is done within `wait_s`."""
        path = "/patients/{patient}/medications/{prk}/status"
        values, body = {"patient": patient, "prk": prk}, _with_id(request)
        return _accepted(await self.api.ask(Call("PUT", path, values, body=body, wait_s=wait_s)))


def _with_id(request: R) -> R:
    if request.change_id is not None:
        return request
    return request.model_copy(update={"change_id": uuid4()})


def _accepted(answer: Answer) -> MedicationOverview | ChangeReceivedView:
    if answer.status == 202:
        return answer.read(ChangeReceivedView.model_validate_json)
    return answer.read(MedicationOverview.model_validate_json)
