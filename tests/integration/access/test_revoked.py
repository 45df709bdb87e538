"""Who is revoked is refused at once, though the token was verified and remembered (pitfall A5)."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx

from schemas.access import Party
from tests.harness.kafka import eventually
from tests.harness.made import an_order, as_json
from tests.integration.access.door import Door
from tests.integration.access.places import Asked, Maker, Place, Places, bearer
from tests.integration.operator import herhaal

COUNTS_WITHIN_S = 1.0


class Bearer:
    """Asks the services for a patient, always with the same tokens."""

    def __init__(self, door: Door, place: Place) -> None:
        self._door, self._place = door, place
        self.proxy, self.manager = f"proxy-{uuid4().hex}", f"manager-{uuid4().hex}"
        self.renew()

    def renew(self) -> None:
        """Get new tokens, as the same people."""
        stack = self._door.stack
        self._of_proxy = bearer(stack, Party.PROXY, sub=self.proxy, patients=(self._place.patient,))
        self._of_manager = bearer(
            stack, Party.MANAGER, sub=self.manager, practice=self._place.practice
        )

    async def answers(self) -> Mapping[str, httpx.Response]:
        """What each service answers to a GET, and ordering to a POST."""
        place = self._place
        order = as_json(an_order(place.patient, practice=place.practice, pharmacy=place.pharmacy))
        del order["placed_by"]
        return {
            "POST": await self._ask("POST", "ordering", "/orders", json=order),
            "ordering": await self._ask("GET", "ordering", f"/patients/{place.patient}/orders"),
            "medication": await self._ask(
                "GET", "medication", f"/patients/{place.patient}/overview"
            ),
            "notification": await self._ask(
                "GET", "notification", f"/patients/{place.patient}/messages"
            ),
            "metrics": await self._ask("GET", "metrics", f"/practices/{place.practice}/orders"),
        }

    async def statuses(self) -> list[int]:
        """The statuses of the answers."""
        return [answer.status_code for answer in (await self.answers()).values()]

    async def _ask(self, method: str, service: str, path: str, **body: Any) -> httpx.Response:
        headers = self._of_manager if service == "metrics" else self._of_proxy
        url = self._door.stack.endpoints[service] + path
        return await self._door.http.request(method, url, headers=headers, **body)


async def test_who_is_revoked_is_refused_at_once_and_let_in_by_a_newer_token(
    door: Door, places: Places, maker: Maker
) -> None:
    """Given tokens of a proxy and a manager, in use at all services; when both are revoked; then each service
    refuses them within a second, also after a restart, and takes tokens that the issuer makes afterwards.
    """
    someone = Bearer(door, places[Asked.OWN])
    await maker.stand_in(places[Asked.OWN], someone.proxy)
    assert await someone.statuses() == [202, 200, 200, 200, 200]

    for sub in (someone.proxy, someone.manager):
        said = await herhaal(door.stack, "revoke", sub, "--why", "no_longer_proxy")
        assert said.code == 0, said
    revoked_s = time.monotonic()
    await eventually(someone.statuses, lambda found: set(found) == {401})
    assert time.monotonic() - revoked_s < COUNTS_WITHIN_S
    for answer in (await someone.answers()).values():
        assert 'error_description="revoked"' in answer.headers["www-authenticate"]

    await door.stack.restart("notification")
    assert await someone.statuses() == [401] * 5
    # The issuer says in whole seconds when it made a token.
    await asyncio.sleep(2)
    someone.renew()
    assert await someone.statuses() == [202, 200, 200, 200, 200]
