"""The operations of the running services, from their OpenAPI documents, and requests for each."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.access import Action
from schemas.base import Actor
from tests.harness.made import METFORMINE, an_order, as_json, entry
from tests.integration.access.places import LISTED, Place, person_json, proxy_json, proxy_of

Json = Mapping[str, Any]

_METHODS = ("get", "put", "post", "delete", "patch")


class NoSample(Exception):
    """An operation for which this module has no value of a path parameter, or no body: add one."""


@dataclass(frozen=True)
class Operation:
    """One operation of a service; `action` is None when anybody may do it, `success` its usual status.

    The answer of one that `streams` has no end.
    """

    service: str
    method: str
    path: str
    action: Action | None
    success: int
    has_body: bool
    streams: bool = False

    @property
    def name(self) -> str:
        return f"{self.service}: {self.method} {self.path}"

    def path_to(self, place: Place) -> str:
        """The path with the values of a place. Raises NoSample."""

        def value(match: re.Match[str]) -> str:
            try:
                return _PATH_VALUES[match[0]](place)
            except KeyError:
                raise NoSample(f"{self.name}: no value for {match[0]}") from None

        return re.sub(r"\w+/{\w+}", value, self.path)

    def body_for(self, place: Place, actor: Actor | None) -> Json | None:
        """A body in which `actor` acts, or which names nobody; None for an operation without a body.

        Raises NoSample.
        """
        if not self.has_body:
            return None
        try:
            field, make = _BODIES[self.method, self.path]
        except KeyError:
            raise NoSample(f"{self.name}: no body") from None
        return make(place) | ({field: as_json(actor)} if actor and field else {})

    @property
    def names_who_acts(self) -> bool:
        """Whether its body has a field of who acts; one that only asks has none."""
        return self.has_body and _BODIES[self.method, self.path][0] is not None


_PATH_VALUES: Mapping[str, Callable[[Place], str]] = {
    "patients/{patient}": lambda place: f"patients/{place.patient}",
    "orders/{order_id}": lambda place: f"orders/{place.order_id}",
    "messages/{message_id}": lambda place: f"messages/{place.message_id}",
    "proxies/{proxy}": lambda place: f"proxies/{proxy_of(place.patient)}",
    "practices/{agb}": lambda place: f"practices/{place.practice}",
    "regions/{region}": lambda place: f"regions/{place.region}",
    "pharmacies/{agb}": lambda place: f"pharmacies/{place.pharmacy}",
    "lines/{line}": lambda _: "lines/1",
    "medications/{prk}": lambda _: f"medications/{METFORMINE[0]}",
}
"""By path parameter and the segment before it: an `agb` is of a practice or of a pharmacy."""


def _order(place: Place) -> dict[str, Any]:
    order = as_json(an_order(place.patient, practice=place.practice, pharmacy=place.pharmacy))
    del order["placed_by"]
    return order


def listed() -> list[dict[str, Any]]:
    """The medicines of a place's overview."""
    return [as_json(entry(medicine)) for medicine in LISTED]


def _overview(place: Place) -> dict[str, Any]:
    return {"practice": place.practice, "medications": listed()}


_BODIES: Mapping[tuple[str, str], tuple[str | None, Callable[[Place], dict[str, Any]]]] = {
    ("POST", "/orders"): ("placed_by", _order),
    ("POST", "/orders/{order_id}/cancel"): ("cancelled_by", lambda _: {}),
    ("PUT", "/orders/{order_id}/lines/{line}/review"): (
        None,
        lambda _: {"outcome": "refused", "explanation": "Eerst controle."},
    ),
    ("POST", "/practices/{agb}/policy-trials"): (None, lambda _: {"policy": {}, "months": 1}),
    ("PUT", "/patients/{patient}/overview"): ("by", _overview),
    ("PUT", "/patients/{patient}/medications/{prk}/status"): (
        "by",
        lambda _: {"status": "chronic"},
    ),
    ("POST", "/people"): (
        "by",
        lambda place: person_json(place) | {"patient": place.patient, "practice": place.practice},
    ),
    ("PUT", "/patients/{patient}/proxies/{proxy}"): ("by", lambda _: proxy_json()),
    ("PUT", "/patients/{patient}/preferences"): (None, lambda place: {"pharmacy": place.pharmacy}),
    ("PUT", "/patients/{patient}/person"): ("by", lambda place: person_json(place)),
    ("POST", "/people/search"): (
        None,
        lambda place: {"bsn": person_json(place)["bsn"], "why": "order"},
    ),
}
"""The field of who acts, and a body without it that can be sent any number of times; each order is new."""


def operations_of(service: str, document: Json) -> list[Operation]:
    """All operations of an OpenAPI document."""
    return [
        Operation(
            service,
            method.upper(),
            path,
            Action(described["x-action"]) if "security" in described else None,
            _success(described["responses"]),
            "requestBody" in described,
            "text/event-stream" in described["responses"].get("200", {}).get("content", {}),
        )
        for path, methods in document["paths"].items()
        for method, described in methods.items()
        if method in _METHODS
    ]


def _success(responses: Json) -> int:
    """202 where a request can be accepted without being done: nobody here waits (`Prefer`)."""
    return 202 if "202" in responses else min(int(status) for status in responses)
