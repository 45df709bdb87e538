"""A proxy's token counts for patients for whom the proxy stands in now, at every request (pitfall A5)."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx

from deploy.local import LocalStack
from schemas import topics
from schemas.access import Party
from schemas.records.access import grant_key
from tests.harness.kafka import read_all
from tests.harness.made import PHARMACY, PRACTICE, a_patient, an_order, as_json
from tests.integration.access.places import Maker, Place, bearer, proxy_json

COUNTS_WITHIN_S = 1.0


class Someone:
    """A proxy with one token, and the practice."""

    def __init__(self, maker: Maker, place: Place) -> None:
        self.stack, self.http, self.place = maker.stack, maker.http, place
        self.sub = f"proxy-{uuid4().hex}"
        self.token = bearer(self.stack, Party.PROXY, sub=self.sub, patients=(place.patient,))
        self.path = f"/patients/{place.patient}/proxies/{self.sub}"

    async def answers(self, place: Place) -> list[httpx.Response]:
        """What is answered to the proxy, about the patient of a place."""
        order = as_json(an_order(place.patient, practice=place.practice, pharmacy=place.pharmacy))
        del order["placed_by"]
        at = self.stack.endpoints
        about = f"/patients/{place.patient}"
        return [
            await self.http.post(f"{at['ordering']}/orders", json=order, headers=self.token),
            *[
                await self.http.get(f"{at[service]}{about}/{path}", headers=self.token)
                for service, path in (
                    ("ordering", "orders"),
                    ("medication", "overview"),
                    ("notification", "messages"),
                    ("notification", "person"),
                    ("notification", "proxies"),
                )
            ],
        ]

    async def said(self, place: Place) -> list[tuple[int, bytes]]:
        """Statuses and bodies of the answers; the order that is placed is new each time."""
        first, *others = await self.answers(place)
        return [(first.status_code, b""), *((a.status_code, a.content) for a in others)]

    async def change(self, method: str, role: Party = Party.GP, **body: object) -> httpx.Response:
        """Grant or revoke, as a GP of the practice, the patient, or the proxy."""
        headers = {
            Party.GP: bearer(self.stack, Party.GP, practice=self.place.practice),
            Party.PATIENT: bearer(self.stack, Party.PATIENT, patients=(self.place.patient,)),
            Party.PROXY: self.token,
        }[role]
        url = f"{self.stack.endpoints['notification']}{self.path}"
        json = proxy_json() | body if method == "PUT" else None
        return await self.http.request(method, url, json=json, headers=headers)

    async def until(self, counts: bool) -> float:
        """Wait until the proxy's token counts everywhere, or nowhere; return how many seconds that took."""
        began_s = time.monotonic()
        while True:
            never = await self.said(Place(a_patient(), PRACTICE, PHARMACY, uuid4()))
            now = await self.said(self.place)
            if [a != b for a, b in zip(now, never, strict=True)] == [counts] * len(now):
                return time.monotonic() - began_s
            assert time.monotonic() - began_s < 10, (now, never)


async def test_who_is_granted_is_let_in_and_who_is_revoked_is_not_within_a_second(
    maker: Maker,
) -> None:
    """Given a proxy whose token is verified and remembered; when the grant is taken back; then a second later
    all services answer as about nobody, also after a restart.
    """
    someone = Someone(maker, await maker.place(PRACTICE, PHARMACY))
    await someone.until(counts=False)
    assert (await someone.change("PUT")).status_code == 200
    assert await someone.until(counts=True) < COUNTS_WITHIN_S
    assert (await someone.change("DELETE")).status_code == 204
    await asyncio.sleep(COUNTS_WITHIN_S - 0.1)
    assert await someone.until(counts=False) < COUNTS_WITHIN_S
    assert (await someone.change("DELETE")).status_code == 204
    await maker.stack.restart("medication")
    await someone.until(counts=False)


async def test_a_proxy_that_is_granted_for_a_moment_ends_by_itself(maker: Maker) -> None:
    someone = Someone(maker, await maker.place(PRACTICE, PHARMACY))
    until = datetime.now(UTC) + timedelta(seconds=4)
    granted = await someone.change("PUT", until=until.isoformat())
    assert datetime.fromisoformat(granted.json()["until"]) == until
    await someone.until(counts=True)
    await asyncio.sleep((until - datetime.now(UTC)).total_seconds())
    assert await someone.until(counts=False) < COUNTS_WITHIN_S


async def test_proxies_are_seen_from_both_sides(maker: Maker) -> None:
    someone = Someone(maker, await maker.place(PRACTICE, PHARMACY))
    other = Someone(maker, someone.place)
    for each in (someone, other):
        assert (await each.change("PUT", role=Party.PATIENT)).status_code == 200
        await each.until(counts=True)

    async def listed(path: str, headers: dict[str, str]) -> list[dict[str, object]]:
        url = f"{maker.stack.endpoints['notification']}{path}"
        (rows,) = (await maker.http.get(url, headers=headers)).json().values()
        return list(rows)

    gp = bearer(maker.stack, Party.GP, practice=PRACTICE)
    of_patient = f"/patients/{someone.place.patient}/proxies"
    patients = f"/proxies/{someone.sub}/patients"
    assert {row["proxy"] for row in await listed(of_patient, gp)} == {someone.sub, other.sub}
    (own,) = await listed(of_patient, someone.token)
    assert (own["proxy"], own["name"]) == (someone.sub, "Carla Voorbeeld")
    assert own["granted_by"] == {"role": "patient", "id": someone.place.patient}
    expected = {"patient": someone.place.patient, "kind": "authorised", "until": None}
    assert await listed(patients, someone.token) == [expected]
    assert await listed(patients, gp) == [expected]
    assert await listed(patients, other.token) == []
    elsewhere = bearer(maker.stack, Party.GP, practice="01999002")
    assert await listed(patients, elsewhere) == []


async def test_a_proxy_takes_back_its_own_grant_and_no_others(maker: Maker) -> None:
    someone = Someone(maker, await maker.place(PRACTICE, PHARMACY))
    other = Someone(maker, someone.place)
    for each in (someone, other):
        await each.change("PUT")
        await each.until(counts=True)
    forbidden = await maker.http.delete(
        f"{maker.stack.endpoints['notification']}{other.path}", headers=someone.token
    )
    assert forbidden.status_code == 404
    assert (await someone.change("DELETE", role=Party.PROXY)).status_code == 204
    await someone.until(counts=False)
    await other.until(counts=True)


async def test_the_record_says_who_and_until_when_and_nothing_else(
    stack: LocalStack, maker: Maker
) -> None:
    someone = Someone(maker, await maker.place(PRACTICE, PHARMACY))
    await someone.change("PUT", relation="dochter", phone="0123-456788")
    await someone.change("DELETE")
    key = grant_key(someone.place.patient, someone.sub).encode()
    records = [r for r in await read_all(stack.kafka, topics.ACCESS_PROXIES.name) if r.key == key]
    grant, revoked = records
    patient = someone.place.patient
    expected = (
        f'{{"grant":"{key.decode()}","patient":"{patient}","proxy":"{someone.sub}","until":null}}'
    )
    assert (grant.value.decode(), revoked.value) == (expected, None)


async def test_a_patient_alone_authorises_and_a_practice_the_others(maker: Maker) -> None:
    someone = Someone(maker, await maker.place(PRACTICE, PHARMACY))
    refused = await someone.change("PUT", role=Party.PATIENT, kind="legal_representative")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "kind")
    court = {"by": "court", "how": "written", "on": "2026-11-02"}
    granted = await someone.change("PUT", kind="legal_representative", consent=court)
    assert granted.status_code == 200
    parent = await someone.change("PUT", kind="parent")
    assert "16 or older" in parent.text
