"""notification's API: a patient's messages and preferences, who a patient is, and who stands in for them."""

from dataclasses import dataclass
from uuid import UUID

from herhaal_client.calls import Call, Value
from herhaal_client.errors import unexpected
from herhaal_client.service import LiveClient
from schemas.api.notification import MessagesView
from schemas.api.people import (
    FoundView,
    PersonRequest,
    PersonView,
    RegisteredView,
    RegisterRequest,
    SearchRequest,
)
from schemas.api.preferences import Preferences
from schemas.api.proxies import ProxiesView, ProxyRequest, ProxyView, StandsInForView

_PERSON = "/patients/{patient}/person"
_READ = "/patients/{patient}/messages/{message_id}/read"
_PREFERENCES = "/patients/{patient}/preferences"
_PROXY = "/patients/{patient}/proxies/{proxy}"


@dataclass(frozen=True)
class NotificationClient(LiveClient):
    """Calls notification. Each method raises `ApiError`."""

    async def messages(
        self, patient: str, before: UUID | None = None, limit: int = 50
    ) -> MessagesView:
        """Show a page of a patient's inbox, newest first; `before` is the last message of the page before.

        With `limit` 0 the answer only says how many messages are unread.
        """
        values, params = {"patient": patient}, {"before": before, "limit": limit}
        answer = await self.api.ask(Call("GET", "/patients/{patient}/messages", values, params))
        return answer.read(MessagesView.model_validate_json)

    async def mark_read(self, patient: str, message_id: UUID) -> None:
        """Note that a message was read; again changes nothing."""
        values: dict[str, Value] = {"patient": patient, "message_id": message_id}
        answer = await self.api.ask(Call("PUT", _READ, values))
        if answer.status != 204:
            raise unexpected(answer.asked, answer.status, "It must be 204.")

    async def preferences(self, patient: str) -> Preferences:
        """Show what a patient prefers."""
        answer = await self.api.ask(Call("GET", _PREFERENCES, {"patient": patient}))
        return answer.read(Preferences.model_validate_json)

    async def prefer(self, patient: str, wanted: Preferences) -> Preferences:
        """Replace what a patient prefers, whole."""
        answer = await self.api.ask(Call("PUT", _PREFERENCES, {"patient": patient}, body=wanted))
        return answer.read(Preferences.model_validate_json)

    async def register(self, person: RegisterRequest) -> RegisteredView:
        """Register or update a patient. Conflict: BSN, pseudonym and practice contradict each other."""
        # Without either, a repeat would be a second person.
        known_again = person.bsn is not None or person.patient is not None
        answer = await self.api.ask(Call("POST", "/people", body=person, repeatable=known_again))
        return answer.read(RegisteredView.model_validate_json)

    async def find(self, search: SearchRequest) -> FoundView:
        """Find people of the caller's practice, by BSN or by surname and birth date."""
        answer = await self.api.ask(Call("POST", "/people/search", body=search))
        return answer.read(FoundView.model_validate_json)

    async def person(self, patient: str) -> PersonView:
        """Show who a patient is."""
        answer = await self.api.ask(Call("GET", _PERSON, {"patient": patient}))
        return answer.read(PersonView.model_validate_json)

    async def change_person(self, patient: str, person: PersonRequest) -> RegisteredView:
        """Replace a patient's data, whole."""
        answer = await self.api.ask(Call("PUT", _PERSON, {"patient": patient}, body=person))
        return answer.read(RegisteredView.model_validate_json)

    async def proxies(self, patient: str) -> ProxiesView:
        """Show who stands in for a patient now."""
        call = Call("GET", "/patients/{patient}/proxies", {"patient": patient})
        return (await self.api.ask(call)).read(ProxiesView.model_validate_json)

    async def stands_in_for(self, proxy: str) -> StandsInForView:
        """Show for whom somebody stands in now; `proxy` is the `sub` of that person's token."""
        answer = await self.api.ask(Call("GET", "/proxies/{proxy}/patients", {"proxy": proxy}))
        return answer.read(StandsInForView.model_validate_json)

    async def grant_proxy(self, patient: str, proxy: str, request: ProxyRequest) -> ProxyView:
        """Let somebody stand in for a patient."""
        values = {"patient": patient, "proxy": proxy}
        answer = await self.api.ask(Call("PUT", _PROXY, values, body=request))
        return answer.read(ProxyView.model_validate_json)

    async def revoke_proxy(self, patient: str, proxy: str) -> None:
        """Take a grant back, if there is one."""
        answer = await self.api.ask(Call("DELETE", _PROXY, {"patient": patient, "proxy": proxy}))
        if answer.status != 204:
            raise unexpected(answer.asked, answer.status, "It must be 204.")
