"""Whom a request can concern: a patient with an order, of one's own or of somebody else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache, partial
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson

from cli.directory import apply_directory, read_directory
from deploy.local import LocalStack
from runtime.messages.cloudevents import event_id
from samples.codes import bsns, pharmacy_code, practice_code
from samples.persons import a_person
from schemas.access import Party
from schemas.records.directory import Directory
from tests.harness.kafka import eventually
from tests.harness.made import (
    GP,
    METFORMINE,
    OMEPRAZOL,
    PHARMACY,
    PRACTICE,
    SIMVASTATINE,
    a_patient,
    an_order,
    as_json,
    entry,
)
from tests.harness.streams import stream
from tests.harness.systems import serving, system_name
from tests.integration.conftest import EXAMPLE

REGION = "Lindewaard"
OTHER_PRACTICE = practice_code(900)
OTHER_PHARMACY = pharmacy_code(2)
OTHER_REGION = "Elders"
NO_PRACTICE, NO_PHARMACY = practice_code(997), pharmacy_code(997)
"""Of which nothing is asked."""

_REGIONS = {PRACTICE: REGION, OTHER_PRACTICE: OTHER_REGION}

SYSTEMS = tuple(
    serving(kind, agb)
    for kind, agbs in (
        (Party.PORTAL, (PRACTICE, OTHER_PRACTICE, NO_PRACTICE)),
        (Party.PRACTICE_SYSTEM, (PRACTICE, OTHER_PRACTICE, NO_PRACTICE)),
        (Party.PHARMACY_SYSTEM, (PHARMACY, OTHER_PHARMACY, NO_PHARMACY)),
    )
    for agb in agbs
)
"""Each serves one practice or pharmacy alone."""

TELLING = ("ordering", "notification")
"""The services that tell what happens."""

WAIT = {"prefer": "wait=20"}
LISTED = (METFORMINE, OMEPRAZOL, SIMVASTATINE)
"""The medicines of a place's overview: ordered, for lines in review, and for an order that is cancelled."""

SHOWN_TO_A_PROXY = {"ordering": "orders", "medication": "overview", "notification": "messages"}
"""What each service shows to who stands in for a patient."""


class Asked(StrEnum):
    """Whose it is that is asked for: `none` is one's own, with a token that names nothing."""

    OWN = "own"
    OTHER_PRACTICE = "other-practice"
    """Of another practice, in another region, with another pharmacy."""
    OTHER_PATIENT = "other-patient"
    """Of another patient, with the same practice and pharmacy."""
    NONE = "none"


@dataclass(frozen=True)
class Place:
    """A patient with an order and the message about it, at a practice and a pharmacy.

    `since` is, by service, the id of an event from before the order.
    """

    patient: str
    practice: str
    pharmacy: str
    order_id: UUID
    since: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def region(self) -> str:
        """The region of the practice; one that never was when there is no such practice."""
        return _REGIONS.get(self.practice, "Nergens")

    @property
    def message_id(self) -> str:
        """The message about the order."""
        return event_id("message", self.order_id, 1)


Places = Mapping[Asked, Place]

_BSNS = bsns()


@cache
def bsn_of(patient: str) -> str:
    """The made-up BSN of a patient of the tests, the same each time."""
    return next(_BSNS)


def proxy_of(patient: str) -> str:
    """The `sub` of the proxy of a patient of the tests."""
    return f"proxy_of_{patient}"


def proxy_json() -> dict[str, Any]:
    """Somebody whom a patient wants to stand in."""
    consent = {"by": "patient", "how": "in_person", "on": "2026-11-02"}
    return {"kind": "authorised", "name": "Carla Voorbeeld", "consent": consent}


def is_empty(content: bytes) -> bool:
    """Tell whether this is the JSON of a list without items: an answer that is a list begins with it."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return next(iter(body.values()), None) == []


def person_json(place: Place) -> dict[str, Any]:
    """Who the patient of a place is, as a practice sends it."""
    return as_json(a_person(bsn_of(place.patient)))


def nowhere() -> Place:
    """What never was: no such patient, practice, pharmacy or order."""
    return Place(a_patient(), practice_code(998), pharmacy_code(998), uuid4())


async def made_places(maker: "Maker") -> Places:
    """Make a place for each scope."""
    await _other_practice_is_in_its_region(maker.stack, maker.http)
    own = await maker.place(PRACTICE, PHARMACY)
    places = {
        Asked.OWN: own,
        Asked.NONE: own,
        Asked.OTHER_PATIENT: await maker.place(PRACTICE, PHARMACY),
        Asked.OTHER_PRACTICE: await maker.place(OTHER_PRACTICE, OTHER_PHARMACY),
    }
    await with_proxies(maker, places)
    await maker.in_review(places[Asked.OTHER_PATIENT])
    return places


async def with_proxies(maker: "Maker", places: Places) -> None:
    """Let a proxy stand in for the patient of each place."""
    for place in set(places.values()):
        await maker.stand_in(place, proxy_of(place.patient))


@dataclass(frozen=True)
class Maker:
    """Makes places: a patient with an overview, and an order that the patient was told about."""

    stack: LocalStack
    http: httpx.AsyncClient

    async def place(self, practice: str, pharmacy: str, patient: str | None = None) -> Place:
        """Make a place: of a new patient, or of one who moves to this practice and pharmacy."""
        patient = patient or a_patient()
        await self._import(patient, practice)
        await self._register(patient, practice)
        since = {name: await self._position(name, patient) for name in TELLING}
        order = an_order(patient, practice=practice, pharmacy=pharmacy)
        portal = bearer(self.stack, Party.PORTAL, sub=system_name(Party.PORTAL, practice))
        url = f"{self.stack.endpoints['ordering']}/orders"
        placed = await self.http.post(url, json=as_json(order), headers={**portal, **WAIT})
        assert placed.status_code == 200, placed.text

        async def told() -> Any:
            inbox = f"{self.stack.endpoints['notification']}/patients/{patient}/messages"
            messages = (await self.http.get(inbox, headers=portal)).json()["messages"]
            return [message["order_id"] for message in messages]

        await eventually(told, lambda ids: str(order.order_id) in ids)
        return Place(patient, practice, pharmacy, order.order_id, since)

    async def in_review(self, place: Place) -> Place:
        """Make a new order of this patient, whose line is in review; those before it are cancelled."""
        order = an_order(
            place.patient,
            OMEPRAZOL,
            practice=place.practice,
            pharmacy=place.pharmacy,
            remark="Graag bellen.",
        )
        portal = bearer(self.stack, Party.PORTAL, sub=system_name(Party.PORTAL, place.practice))
        headers, url = {**portal, **WAIT}, f"{self.stack.endpoints['ordering']}/orders"
        await self._cancel_reviews(place.patient, headers)
        placed = await self.http.post(url, json=as_json(order), headers=headers)
        assert placed.json()["state"] == "in_review", placed.text
        return replace(place, order_id=order.order_id)

    async def _cancel_reviews(self, patient: str, headers: Mapping[str, str]) -> None:
        """Cancel the patient's orders in review: a medicine of one that is under way is not ordered again."""
        ordering = self.stack.endpoints["ordering"]
        orders = await self.http.get(f"{ordering}/patients/{patient}/orders", headers=headers)
        by = {"cancelled_by": {"role": "patient", "id": patient}}
        for order in orders.json()["orders"]:
            if order["state"] == "in_review":
                url = f"{ordering}/orders/{order['order_id']}/cancel"
                assert (await self.http.post(url, json=by, headers=headers)).status_code == 200

    async def stand_in(self, place: Place, proxy: str) -> None:
        """Let somebody stand in for the patient of a place, and wait until every service knows it."""
        url = f"{self.stack.endpoints['notification']}/patients/{place.patient}/proxies/{proxy}"
        gp = bearer(self.stack, Party.GP, practice=place.practice)
        granted = await self.http.put(url, json=proxy_json(), headers=gp)
        assert granted.status_code == 200, granted.text
        scope = {"sub": proxy, "patients": (place.patient,)}
        headers = bearer(self.stack, Party.PROXY, **scope)
        for service, path in SHOWN_TO_A_PROXY.items():
            shown = f"{self.stack.endpoints[service]}/patients/{place.patient}/{path}"
            await eventually(
                partial(self.http.get, shown, headers=headers),
                lambda answer: answer.status_code == 200 and not is_empty(answer.content),
            )

    async def _position(self, service: str, patient: str) -> str:
        """The id from which a stream about a patient begins now."""
        url = f"{self.stack.endpoints[service]}/patients/{patient}/events"
        headers = bearer(self.stack, Party.PATIENT, patients=(patient,))
        async with stream(self.http, url, headers) as opened:
            return (await opened.begin())[-1].id

    async def _register(self, patient: str, practice: str) -> None:
        """Register who the patient is, who moves to this practice if they were at another."""
        url = f"{self.stack.endpoints['notification']}/people"
        system = bearer(
            self.stack, Party.PRACTICE_SYSTEM, sub=system_name(Party.PRACTICE_SYSTEM, practice)
        )
        person = as_json(a_person(bsn_of(patient)))
        named = {"patient": patient, "practice": practice, "by": as_json(GP)}
        registered = await self.http.post(url, json=person | named, headers=system)
        assert registered.json() == {"patient": patient}, registered.text

    async def _import(self, patient: str, practice: str) -> None:
        url = f"{self.stack.endpoints['medication']}/patients/{patient}/overview"
        system = bearer(
            self.stack, Party.PRACTICE_SYSTEM, sub=system_name(Party.PRACTICE_SYSTEM, practice)
        )
        listed = [as_json(entry(medicine)) for medicine in LISTED]
        overview = {"practice": practice, "medications": listed, "by": as_json(GP)}
        imported = await self.http.put(url, json=overview, headers={**system, **WAIT})
        assert imported.status_code == 200, imported.text


async def _other_practice_is_in_its_region(stack: LocalStack, bare: httpx.AsyncClient) -> None:
    """Put the other practice in the directory, and wait until metrics knows its region."""
    like = read_directory(EXAMPLE).practices[0]
    other = like.model_copy(update={"agb": OTHER_PRACTICE, "region": OTHER_REGION})
    await apply_directory(stack.kafka, Directory(practices=(other,), pharmacies=()))
    url = f"{stack.endpoints['metrics']}/practices/{OTHER_PRACTICE}/orders"
    region = bearer(stack, Party.REGION, region=OTHER_REGION)
    await eventually(
        lambda: bare.get(url, headers=region), lambda answer: answer.status_code == 200
    )


def bearer(stack: LocalStack, role: Party, **scope: Any) -> dict[str, str]:
    """The header with a token of this role."""
    return {"authorization": f"Bearer {stack.token(role, **scope)}"}
