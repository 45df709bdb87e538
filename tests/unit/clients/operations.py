"""Every operation that the client has, with an example: how it is asked, what is sent, what comes back."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import date

from pydantic import BaseModel

from herhaal_client import Clients, ServerEvent
from schemas.api.audit import AuditView
from schemas.api.directory import PharmaciesView, PracticeView
from schemas.api.medication import ChangeReceivedView, OverviewRequest, StatusRequest
from schemas.api.metrics import By, RegionReport
from schemas.api.notification import MessagesView
from schemas.api.orderable import OrderableView
from schemas.api.ordering import CancelRequest, FeedItem, FeedView, OrdersView, PlaceRequest
from schemas.api.people import (
    FoundView,
    PersonRequest,
    PersonView,
    Purpose,
    RegisteredView,
    RegisterRequest,
    SearchRequest,
)
from schemas.api.preferences import Preferences
from schemas.api.proxies import ProxiesView, ProxyRequest, ProxyView, StandsInForView
from schemas.records.medication import Change, MedicationOverview, Status
from tests.harness.made import GP, PHARMACY, PRACTICE, an_order, entry
from tests.unit.clients.asking import RECEIVED
from tests.unit.schemas.test_api_bodies import (
    ANNA,
    AT,
    BODIES,
    CARLA,
    FOUND,
    ID,
    MESSAGE,
    ORDER,
    REPORT,
    WHO,
)

PATIENT = "pat_anna0001"
DAY = date(2026, 11, 1)

OVERVIEW = MedicationOverview(
    patient=PATIENT,
    practice=PRACTICE,
    version=3,
    changed_at=AT,
    change=Change(change_id=ID, kind="import", by=GP),
    medications=(entry(),),
)
PLACE = PlaceRequest(**dict(an_order(PATIENT)))
CANCEL = CancelRequest(reason="moved")
IMPORT = OverviewRequest(practice=PRACTICE, medications=(entry(),), change_id=ID)
STATUS = StatusRequest(status=Status.STOPPED, change_id=ID)
REGISTER = RegisterRequest(**dict(ANNA), practice=PRACTICE)
PERSON = PersonRequest(**dict(ANNA))
SEARCH = SearchRequest(bsn=ANNA.bsn, why=Purpose.ORDER)
GRANT = ProxyRequest(**dict(CARLA), by=WHO)
CHANGED = ChangeReceivedView(change_id=ID)
REGISTERED = RegisteredView(patient=PATIENT)
PREFERRED = Preferences(language="nl", pharmacy=PHARMACY)
TRAIL = AuditView(entries=[], next=None)


def of_kind(kind: type[BaseModel]) -> BaseModel:
    """The example of this body."""
    (body,) = [body for body in BODIES if type(body) is kind]
    return body


@dataclass(frozen=True)
class Example:
    """A method of a client, its operation, and one use of it: `query` and `body` are sent, `answer` comes back.

    A request that waits has `wait=20` as its preference.
    """

    service: str
    method: str
    operation: str
    use: Callable[[Clients], Awaitable[object]]
    answer: BaseModel | None
    status: int = 200
    query: Mapping[str, str] = field(default_factory=dict)
    body: BaseModel | None = None
    waits: bool = False

    @property
    def name(self) -> str:
        return f"{self.service}.{self.method}"


async def _first(clients: Clients, service: str) -> ServerEvent | None:
    client = clients.ordering if service == "ordering" else clients.notification
    async with aclosing(client.events(PATIENT)) as events:
        async for event in events:
            return event
    return None


_TRAIL_QUERY = {"from": "2026-11-01", "to": "2026-11-01", "before": "7", "limit": "5"}
_AUDIT = "GET /patients/{patient}/audit"
EVENTS = "GET /patients/{patient}/events"

_ORDERING = [
    Example(
        "ordering",
        "place",
        "POST /orders",
        lambda c: c.ordering.place(PLACE, wait_s=20),
        ORDER,
        body=PLACE,
        waits=True,
    ),
    Example(
        "ordering",
        "place",
        "POST /orders",
        lambda c: c.ordering.place(PLACE),
        RECEIVED,
        202,
        body=PLACE,
    ),
    Example("ordering", "show", "GET /orders/{order_id}", lambda c: c.ordering.show(ID), RECEIVED),
    Example("ordering", "show", "GET /orders/{order_id}", lambda c: c.ordering.show(ID), ORDER),
    Example(
        "ordering",
        "cancel",
        "POST /orders/{order_id}/cancel",
        lambda c: c.ordering.cancel(ID, CANCEL, wait_s=20),
        ORDER,
        body=CANCEL,
        waits=True,
    ),
    Example(
        "ordering",
        "of_patient",
        "GET /patients/{patient}/orders",
        lambda c: c.ordering.of_patient(PATIENT, limit=3),
        OrdersView(orders=[ORDER]),
        query={"limit": "3"},
    ),
    Example(
        "ordering",
        "orderable",
        "GET /patients/{patient}/orderable",
        lambda c: c.ordering.orderable(PATIENT, pharmacy=PHARMACY),
        of_kind(OrderableView),
        query={"pharmacy": PHARMACY},
    ),
    Example(
        "ordering",
        "pharmacies",
        "GET /pharmacies",
        lambda c: c.ordering.pharmacies(),
        of_kind(PharmaciesView),
    ),
    Example(
        "ordering",
        "practice",
        "GET /practices/{agb}",
        lambda c: c.ordering.practice(PRACTICE),
        of_kind(PracticeView),
    ),
    Example(
        "ordering",
        "feed",
        "GET /pharmacies/{agb}/prescriptions",
        lambda c: c.ordering.feed(PHARMACY, after="12", limit=3),
        FeedView(items=[FeedItem(id="a", type="b", cursor="13", data={"lines": [1]})], next="13"),
        query={"after": "12", "limit": "3"},
    ),
    Example(
        "ordering",
        "audit",
        _AUDIT,
        lambda c: c.ordering.audit(PATIENT, DAY, DAY, before=7, limit=5),
        TRAIL,
        query=_TRAIL_QUERY,
    ),
    Example("ordering", "events", EVENTS, lambda c: _first(c, "ordering"), None),
]

_MEDICATION = [
    Example(
        "medication",
        "overview",
        "GET /patients/{patient}/overview",
        lambda c: c.medication.overview(PATIENT),
        OVERVIEW,
    ),
    Example(
        "medication",
        "replace_overview",
        "PUT /patients/{patient}/overview",
        lambda c: c.medication.replace_overview(PATIENT, IMPORT, wait_s=20),
        OVERVIEW,
        body=IMPORT,
        waits=True,
    ),
    Example(
        "medication",
        "set_status",
        "PUT /patients/{patient}/medications/{prk}/status",
        lambda c: c.medication.set_status(PATIENT, "5487", STATUS),
        CHANGED,
        202,
        body=STATUS,
    ),
    Example(
        "medication",
        "audit",
        _AUDIT,
        lambda c: c.medication.audit(PATIENT, DAY, DAY, before=7, limit=5),
        TRAIL,
        query=_TRAIL_QUERY,
    ),
]

_NOTIFICATION = [
    Example(
        "notification",
        "messages",
        "GET /patients/{patient}/messages",
        lambda c: c.notification.messages(PATIENT, before=ID, limit=3),
        MessagesView(messages=[MESSAGE], unread=1),
        query={"before": f"{ID}", "limit": "3"},
    ),
    Example(
        "notification",
        "mark_read",
        "PUT /patients/{patient}/messages/{message_id}/read",
        lambda c: c.notification.mark_read(PATIENT, ID),
        None,
        status=204,
    ),
    Example(
        "notification",
        "preferences",
        "GET /patients/{patient}/preferences",
        lambda c: c.notification.preferences(PATIENT),
        PREFERRED,
    ),
    Example(
        "notification",
        "prefer",
        "PUT /patients/{patient}/preferences",
        lambda c: c.notification.prefer(PATIENT, PREFERRED),
        PREFERRED,
        body=PREFERRED,
    ),
    Example(
        "notification",
        "register",
        "POST /people",
        lambda c: c.notification.register(REGISTER),
        REGISTERED,
        body=REGISTER,
    ),
    Example(
        "notification",
        "find",
        "POST /people/search",
        lambda c: c.notification.find(SEARCH),
        FoundView(people=[FOUND]),
        body=SEARCH,
    ),
    Example(
        "notification",
        "person",
        "GET /patients/{patient}/person",
        lambda c: c.notification.person(PATIENT),
        PersonView(**dict(ANNA), patient=PATIENT, practice=PRACTICE),
    ),
    Example(
        "notification",
        "change_person",
        "PUT /patients/{patient}/person",
        lambda c: c.notification.change_person(PATIENT, PERSON),
        REGISTERED,
        body=PERSON,
    ),
    Example(
        "notification",
        "proxies",
        "GET /patients/{patient}/proxies",
        lambda c: c.notification.proxies(PATIENT),
        ProxiesView(proxies=[]),
    ),
    Example(
        "notification",
        "stands_in_for",
        "GET /proxies/{proxy}/patients",
        lambda c: c.notification.stands_in_for("usr|1"),
        StandsInForView(patients=[]),
    ),
    Example(
        "notification",
        "grant_proxy",
        "PUT /patients/{patient}/proxies/{proxy}",
        lambda c: c.notification.grant_proxy(PATIENT, "usr|1", GRANT),
        ProxyView(**dict(CARLA), proxy="usr|1", granted_by=WHO, granted_at=AT),
        body=GRANT,
    ),
    Example(
        "notification",
        "revoke_proxy",
        "DELETE /patients/{patient}/proxies/{proxy}",
        lambda c: c.notification.revoke_proxy(PATIENT, "usr|1"),
        None,
        204,
    ),
    Example(
        "notification",
        "audit",
        _AUDIT,
        lambda c: c.notification.audit(PATIENT, DAY, DAY, before=7, limit=5),
        TRAIL,
        query=_TRAIL_QUERY,
    ),
    Example("notification", "events", EVENTS, lambda c: _first(c, "notification"), None),
]

_METRICS = [
    Example(
        "metrics",
        "orders",
        "GET /practices/{agb}/orders",
        lambda c: c.metrics.orders(PRACTICE, DAY, DAY, By.WEEK),
        REPORT,
        query={"from": "2026-11-01", "to": "2026-11-01", "by": "week"},
    ),
    Example(
        "metrics",
        "of_region",
        "GET /regions/{region}/orders",
        lambda c: c.metrics.of_region("Lindewaard", DAY, DAY, By.QUARTER),
        of_kind(RegionReport),
        query={"from": "2026-11-01", "to": "2026-11-01", "by": "quarter"},
    ),
]

EXAMPLES = [*_ORDERING, *_MEDICATION, *_NOTIFICATION, *_METRICS]
