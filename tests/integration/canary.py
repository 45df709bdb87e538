"""A made-up person whose every word is found nowhere else, and what becomes of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from deploy.local import LocalStack
from portal.session.cookies import SESSION
from samples.persons import a_person
from schemas import topics
from schemas.access import Claims, Party
from schemas.api.people import Person
from tests.harness.kafka import eventually, send
from tests.harness.made import GP, METFORMINE, PRACTICE, Sent, an_order, as_json, entry
from tests.harness.portal import begin_session
from tests.harness.systems import TEST_PORTAL
from tests.integration.access.places import WAIT, bearer
from tests.integration.people.client import Client, a_bsn


@dataclass(frozen=True)
class Canary:
    """A made-up person whose every word is found nowhere else, and what the person writes."""

    mark: str
    bsn: str
    sent_bsn: str
    """What an outsider sends where it should not: of somebody whom nobody registers."""

    @classmethod
    def new(cls) -> "Canary":
        return cls(f"zq{uuid4().hex[:10]}", a_bsn(), a_bsn())

    @property
    def person(self) -> Person:
        return a_person(
            bsn=self.bsn,
            surname=f"Naam{self.mark}",
            prefix=f"van {self.mark}",
            street=f"Straat{self.mark}",
            city=f"Plaats{self.mark}",
            phones=(f"06{self.bsn[1:]}",),
            email=f"post{self.mark}@example.org",
        )

    @property
    def identity(self) -> tuple[bytes, ...]:
        """What says who this is."""
        words = ("Naam", "van ", "Straat", "Plaats", "post", "naaste")
        texts = (self.bsn, f"06{self.bsn[1:]}", *(f"{word}{self.mark}" for word in words))
        # As a lookup writes a name, too.
        return tuple(text.encode() for text in (*texts, f"naam{self.mark}"))

    @property
    def remark(self) -> str:
        """What the person writes with an order, or with a cancellation."""
        return f"opmerking{self.mark}"

    @property
    def garbage(self) -> str:
        """What else the outsider sends."""
        return f"rommel{self.mark}"


class Life:
    """What a canary does, and what is done with it."""

    def __init__(self, stack: LocalStack, http: httpx.AsyncClient, canary: Canary) -> None:
        self._stack, self._http, self._canary = stack, http, canary
        self._assistant = Client(stack, http)
        self.patient = ""
        self.refusals: list[bytes] = []
        """What was answered to requests that cannot be accepted."""

    async def is_known(self) -> None:
        """The person is registered, changed, found, shown, and has a proxy."""
        person = self._canary.person
        self.patient = await self._assistant.registered(person)
        assert await self._assistant.find(bsn=self._canary.bsn)
        assert await self._assistant.find(surname=person.surname, birth_date=str(person.birth_date))
        assert (await self._assistant.show(self.patient)).status_code == 200
        grant = {
            "kind": "authorised",
            "name": f"naaste{self._canary.mark}",
            "relation": f"naaste{self._canary.mark}",
            "consent": {"by": "patient", "how": "in_person", "on": "2026-11-01"},
        }
        path = f"/patients/{self.patient}/proxies/proxy-{uuid4().hex}"
        granted = await self._assistant.ask("PUT", path, grant)
        assert granted.status_code == 200, granted.text

    async def has_overview(self) -> None:
        """The practice sends the patient's overview."""
        overview = {"practice": PRACTICE, "medications": [as_json(entry())], "by": as_json(GP)}
        gp = bearer(self._stack, Party.GP, sub=GP.id, practice=PRACTICE)
        url = f"{self._stack.endpoints['medication']}/patients/{self.patient}/overview"
        done = await self._http.put(url, json=overview, headers={**gp, **WAIT})
        assert done.status_code == 200, done.text

    async def orders(self) -> None:
        """The patient orders with a remark and cancels with a reason, until both are accepted."""
        body = as_json(an_order(self.patient, remark=self._canary.remark))
        portal = bearer(self._stack, Party.PORTAL, sub=TEST_PORTAL)
        address = self._stack.endpoints["ordering"]
        cancel = {"reason": self._canary.remark, "cancelled_by": body["placed_by"]}
        for url, sent in (
            (f"{address}/orders", body),
            (f"{address}/orders/{body['order_id']}/cancel", cancel),
        ):
            ask = partial(self._status, "POST", url, portal, sent)
            await eventually(ask, lambda status: status in (200, 202), within_s=90)

    async def uses_the_portal(self) -> None:
        """The person looks at every page, begins an order with a remark, and leaves it unfinished."""
        claims = Claims(sub=self.patient, role=Party.PATIENT, patients=(self.patient,))
        name = f"Naam{self._canary.mark}"
        cookie = {"Cookie": f"{SESSION}={await begin_session(self._stack, claims, name)}"}
        portal = self._stack.endpoints["portal"]
        at = f"{portal}/patients/{self.patient}"
        for page in ("medicines", "orders", "messages", "me", "missing", "download"):
            shown = await self._http.get(f"{at}/{page}", headers=cookie)
            assert shown.status_code == 200, page
        hidden = dict(
            re.findall(r'name="(csrf|order)" value="([^"]+)"', await self._page(at, cookie))
        )
        sent = hidden | {"medicine": METFORMINE[0], "remark": self._canary.remark}
        ours = cookie | {"Origin": portal}
        checked = await self._http.post(f"{at}/order/check", data=sent, headers=ours)
        assert checked.status_code == 303, checked.text
        for path in (f"/login?to=/{self._canary.garbage}", f"/patients/{self._canary.garbage}/me"):
            self.refusals.append((await self._http.get(portal + path, headers=cookie)).content)

    async def _page(self, at: str, cookie: Mapping[str, str]) -> str:
        return (await self._http.get(f"{at}/medicines", headers=cookie)).text

    async def sends_garbage(self) -> None:
        """Requests and records with identity where it does not belong."""
        words, bsn = self._canary.garbage, self._canary.sent_bsn
        addresses = self._stack.endpoints
        portal = dict(bearer(self._stack, Party.PORTAL, sub=TEST_PORTAL))
        assistant = dict(bearer(self._stack, Party.ASSISTANT, practice=PRACTICE))
        forged = {"authorization": f"Bearer {words}"}
        strange = {
            "traceparent": words,
            "user-agent": words,
            "x-request-id": words,
            "prefer": words,
        }
        person = as_json(self._canary.person)
        order = as_json(an_order(self.patient))
        of_bsn = f"/patients/{self.patient}/medications/{bsn}/status"
        manager = dict(bearer(self._stack, Party.MANAGER, practice=PRACTICE))
        requests: list[tuple[str, str, Mapping[str, str], Any]] = [
            ("POST", f"{addresses['ordering']}/orders", portal | strange, {"order_id": words}),
            ("POST", f"{addresses['ordering']}/orders", portal, order | {"patient": words}),
            ("GET", f"{addresses['ordering']}/orders/{words}", portal | strange, None),
            ("GET", f"{addresses['ordering']}/orders/{bsn}", manager, None),
            (
                "PUT",
                f"{addresses['medication']}{of_bsn}",
                assistant,
                {},
            ),
            ("GET", f"{addresses['ordering']}/patients/{words}/orders?bsn={bsn}", portal, None),
            ("GET", f"{addresses['medication']}/patients/{words}{bsn}/overview", assistant, None),
            ("GET", f"{addresses['metrics']}/{words}/{bsn}?{bsn}", strange, None),
            (
                "GET",
                f"{addresses['ordering']}/patients/{self.patient}/orders",
                forged,
                None,
            ),
            (
                "POST",
                f"{addresses['notification']}/people",
                assistant,
                person | {"birth_date": words},
            ),
            ("POST", f"{addresses['notification']}/people", assistant, person | {"bsn": bsn[::-1]}),
            ("POST", f"{addresses['notification']}/people/search", assistant, {"surname": words}),
            ("PUT", f"{addresses['notification']}/patients/{words}/person", assistant, person),
        ]
        for method, url, headers, body in requests:
            answer = await self._http.request(method, url, headers=headers, json=body)
            assert 400 <= answer.status_code < 500, (method, url, answer.status_code)
            self.refusals += [answer.content, repr(answer.headers).encode()]

    async def sends_poison(self, kafka: str) -> None:
        """Records that cannot be read, with identity in their bodies and headers."""
        for topic in (topics.ORDERS_REQUESTS, topics.MEDICATION_CHANGES):
            body = f'{{"name": "{self._canary.garbage}", "bsn": "{self._canary.sent_bsn}"'.encode()
            headers = (
                ("ce_type", b"nl.herhaal.order.place.v1"),
                ("note", self._canary.garbage.encode()),
            )
            await send(kafka, [Sent(topic.name, self.patient.encode(), body, headers)])

    async def _status(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> int:
        try:
            answer = await self._http.request(method, url, headers=headers, json=body)
        except httpx.TransportError:
            return 0
        return answer.status_code
