"""A stream ends with the rights that it was opened by (pitfall E1)."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt

from deploy.local.issuer.keys import ALGORITHM, ensure_key
from schemas.access import Party
from tests.harness.made import PHARMACY, PRACTICE, an_order, as_json
from tests.harness.streams import Stream, stream
from tests.harness.systems import system_name
from tests.integration.access.door import Door
from tests.integration.access.places import OTHER_PRACTICE, WAIT, Maker, Place, bearer
from tests.integration.access.test_proxies import Someone
from tests.integration.operator import herhaal

WITHIN_S = 20.0


class Listening:
    """Somebody who listens to what happens to the patient of a place."""

    def __init__(self, door: Door, place: Place, headers: Mapping[str, str]) -> None:
        self._door, self._place, self._headers = door, place, headers

    def stream(self) -> AbstractAsyncContextManager[Stream]:
        url = f"{self._door.stack.endpoints['ordering']}/patients/{self._place.patient}/events"
        return stream(self._door.http, url, self._headers)

    async def status(self) -> int:
        """The status of a stream that is opened now."""
        async with self.stream() as opened:
            return opened.answer.status_code

    async def happens(self) -> None:
        """Let the patient's portal place an order, and wait until it is decided."""
        place = self._place
        order = as_json(an_order(place.patient, practice=place.practice, pharmacy=place.pharmacy))
        portal = bearer(
            self._door.stack, Party.PORTAL, sub=system_name(Party.PORTAL, place.practice)
        )
        url = f"{self._door.stack.endpoints['ordering']}/orders"
        answer = await self._door.http.post(url, json=order, headers={**portal, **WAIT})
        assert answer.status_code == 200, answer.text


@pytest.fixture
async def someone(maker: Maker) -> Someone:
    """A proxy of a new patient."""
    made = Someone(maker, await maker.place(PRACTICE, PHARMACY))
    await made.change("PUT")
    await made.until(counts=True)
    return made


def _until(door: Door, headers: Mapping[str, str], seconds: int) -> dict[str, str]:
    """The same token, that expires in so many seconds."""
    key = ensure_key(door.stack.data.issuer)
    token = jwt.decode(headers["authorization"].removeprefix("Bearer "), key, [ALGORITHM])
    claims = token.claims | {"exp": int(time.time()) + seconds}
    return {"authorization": f"Bearer {jwt.encode(token.header, claims, key)}"}


async def test_a_proxy_that_is_revoked_is_told_nothing_more(door: Door, someone: Someone) -> None:
    """Given a stream; when the grant is taken back and then something happens; then the stream ends without it,
    and another one is answered as of whom never was.
    """
    listening = Listening(door, someone.place, someone.token)
    async with listening.stream() as opened:
        await opened.begin()
        await listening.happens()
        assert await opened.next() is not None
        await someone.change("DELETE")
        await someone.until(counts=False)
        await listening.happens()
        assert await opened.next(within_s=WITHIN_S) is None
    assert await listening.status() == 404


async def test_streams_end_within_a_heartbeat_of_their_rights(
    door: Door, maker: Maker, someone: Someone
) -> None:
    """Given three streams about which nothing happens; when one's grant is over, another's bearer is revoked,
    and the third's token expires; then the third ends at that moment, and the others within 20 s.
    """
    revoked = Someone(maker, someone.place)
    await revoked.change("PUT")
    await revoked.until(counts=True)
    expiring = Listening(
        door,
        someone.place,
        _until(door, bearer(door.stack, Party.PATIENT, patients=(someone.place.patient,)), 4),
    )
    over = datetime.now(UTC) + timedelta(seconds=4)
    await someone.change("PUT", until=over.isoformat())
    listening = Listening(door, someone.place, someone.token)
    refused = Listening(door, someone.place, revoked.token)
    async with listening.stream() as a, refused.stream() as b, expiring.stream() as c:
        for opened in (a, b, c):
            await opened.begin()
        said = await herhaal(door.stack, "revoke", revoked.sub, "--why", "no_longer_proxy")
        assert said.code == 0, said
        began_s = time.monotonic()
        assert await c.next(within_s=5) is None
        assert time.monotonic() - began_s < 5
        ends = asyncio.gather(a.next(WITHIN_S), b.next(WITHIN_S))
        assert [*await ends] == [None, None]
    assert (await listening.status(), await refused.status()) == (404, 401)
    # Requests have 10 s of leeway with the clock of the issuer; a stream has none.
    assert await expiring.status() == 401


async def test_opening_a_stream_leaves_one_entry_in_the_trail(door: Door, maker: Maker) -> None:
    place = await maker.place(PRACTICE, PHARMACY)
    gp = bearer(door.stack, Party.GP, sub="gp-listens", practice=PRACTICE)
    listening = Listening(door, place, gp)
    async with listening.stream() as opened:
        await opened.begin()
        await listening.happens()
        await opened.next()
    url = f"{door.stack.endpoints['ordering']}/patients/{place.patient}/audit"
    patient = bearer(door.stack, Party.PATIENT, sub=place.patient, patients=(place.patient,))
    entries = (await door.http.get(url, headers=patient)).json()["entries"]
    looks = [(e["action"], e["outcome"]) for e in entries if e["actor"] == "gp-listens"]
    assert looks == [("orders.read", "allowed")]


async def test_a_stranger_who_listens_is_told_nothing_and_learns_nothing_from_the_trail(
    door: Door, maker: Maker
) -> None:
    """Given a GP of another practice; then the stream has nothing, nor has the trail that this GP may read."""
    place = await maker.place(PRACTICE, PHARMACY)
    stranger = bearer(door.stack, Party.GP, practice=OTHER_PRACTICE)
    async with Listening(door, place, stranger).stream() as opened:
        await opened.begin()
    url = f"{door.stack.endpoints['ordering']}/patients/{place.patient}/audit"
    assert (await door.http.get(url, headers=stranger)).json()["entries"] == []
