"""Bodies of the HTTP APIs are contracts: a client can read a response with the model that wrote it."""

import importlib
import pkgutil
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

import schemas.api
from runtime.http.responses import json_response
from samples.codes import bsns
from samples.persons import a_person
from schemas.api.audit import AuditEntryView, AuditView
from schemas.api.directory import PharmaciesView, PharmacyView, PracticeView
from schemas.api.live import StreamMark
from schemas.api.medication import ChangeReceivedView, OverviewRequest, StatusRequest
from schemas.api.metrics import (
    By,
    ChannelCounts,
    OrdersReport,
    PeriodCounts,
    PracticeOrders,
    RegionReport,
)
from schemas.api.notification import (
    BothLanguages,
    MessageArrived,
    MessagesView,
    MessageView,
    PickupPharmacy,
    PickupView,
)
from schemas.api.ordering import (
    CancellationView,
    CancelRequest,
    FeedItem,
    FeedView,
    LineView,
    OrderChanged,
    OrdersView,
    OrderView,
    PlaceRequest,
    ReceivedView,
)
from schemas.api.people import (
    FoundPerson,
    FoundView,
    PersonView,
    Purpose,
    RegisteredView,
    RegisterRequest,
    SearchRequest,
)
from schemas.api.preferences import Preferences
from schemas.api.proxies import (
    Consent,
    ConsentBy,
    ConsentHow,
    ProxiesView,
    Proxy,
    ProxyKind,
    ProxyRequest,
    ProxyView,
    StandsInForView,
    StandsInView,
)
from schemas.api.reviews import ReviewRequest
from schemas.api.state import StateView, Waits
from schemas.base import Actor, Channel, PlacedBy, Role
from schemas.reasons import Reason, ReasonCode
from schemas.records.directory import Closure, OrderHours, Remarks
from schemas.records.medication import Status
from schemas.records.notifications import Kind
from schemas.records.orders import OrderState, Outcome
from schemas.times import AMSTERDAM
from tests.harness.made import PHARMACY, PRACTICE, an_order
from tests.unit.schemas.explained import a_timeline, an_explanation
from tests.unit.schemas.policy_bodies import POLICY_BODIES
from tests.unit.schemas.review_bodies import review_bodies

ID = UUID("5b1f4f0e-6f0b-5d5e-9d3c-6a2f8f3f7f10")
AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
WHO = Actor(role=Role.ASSISTANT, id="assistant-1")
WORDS = BothLanguages(nl="Uw bestelling", en="Your order")
LINE = LineView(
    line=1,
    prk="5487",
    medicine="Metformine",
    quantity=Decimal(90),
    outcome=Outcome.REFUSED,
    reasons=(Reason(code=ReasonCode.TOO_EARLY, earliest_date=date(2027, 1, 16)),),
    unit="stuk",
    ordered_as="Glucophage",
    decided_by=WHO,
    decided_at=AT,
    explanation="Eerst controle.",
)
ORDER = OrderView(
    order_id=ID,
    state=OrderState.REFUSED,
    patient="pat_anna0001",
    practice=PRACTICE,
    pharmacy=PHARMACY,
    channel=Channel.PORTAL,
    placed_by=PlacedBy(role=Role.PROXY, id="proxy-1"),
    placed_at=AT,
    seq=1,
    lines=(LINE,),
    remark=None,
    supply_until=date(2027, 2, 1),
    cancellation=CancellationView(cancelled_by=WHO, cancelled_at=AT, reason="Dubbel besteld."),
)
MESSAGE = MessageView(
    message_id=ID,
    order_id=ID,
    kind=Kind.ORDER_ANSWER,
    at=AT,
    subject=WORDS,
    text=WORDS,
    pickup=PickupView(
        from_=AT.astimezone(AMSTERDAM),
        until=AT.astimezone(AMSTERDAM),
        pharmacy=PickupPharmacy(
            agb=PHARMACY, name="De Eenhoorn", address="Kerkstraat 1", city="Zeist", phone="030"
        ),
    ),
    read_at=AT,
)
REPORT = OrdersReport(
    practice=PRACTICE,
    first=date(2026, 11, 1),
    last=date(2026, 11, 28),
    by=By.MONTH,
    periods=[
        PeriodCounts(period="2026-11", first_day=date(2026, 11, 1), last_day=date(2026, 11, 28))
    ],
    totals=ChannelCounts(orders=2, lines=3),
)
ANNA = a_person(next(bsns()))
CARLA = Proxy(
    kind=ProxyKind.AUTHORISED,
    name="Carla Voorbeeld",
    relation="dochter",
    phone="0123-456788",
    until=AT,
    consent=Consent(by=ConsentBy.PATIENT, how=ConsentHow.IN_PERSON, on=date(2026, 11, 2)),
)
FOUND = FoundPerson(
    patient="pat_anna0001",
    **{name: getattr(ANNA, name) for name in FoundPerson.model_fields if name != "patient"},
)
CLOSED = Closure(first=date(2026, 12, 25), last=date(2026, 12, 26), why="Kerst")
BODIES: list[BaseModel] = [
    *POLICY_BODIES,
    PlaceRequest(**dict(an_order("pat_anna0001"))),
    CancelRequest(cancelled_by=WHO, reason="moved"),
    ReceivedView(order_id=ID),
    ORDER,
    OrdersView(orders=[ORDER]),
    OrderChanged(order_id=ID, seq=2),
    StreamMark(),
    FeedView(items=[FeedItem(id="a", type="b", cursor="1", data={"lines": [1]})], next="1"),
    PharmaciesView(
        pharmacies=[
            PharmacyView(
                agb=PHARMACY,
                name="De Eenhoorn",
                address="Kerkstraat 1",
                city="Zeist",
                phone="030",
                opening_hours="Mo-Fr 08:30-17:30",
                closures=(CLOSED,),
                repeat_service=True,
            )
        ]
    ),
    PracticeView(
        agb=PRACTICE,
        name="De Linde",
        region="Lindewaard",
        phone="030",
        opening_hours="Mo-Fr 08:00-17:00",
        closures=(CLOSED,),
        remarks=Remarks.MANDATORY,
        remark_length=500,
        order_hours=OrderHours(days=("Mo", "Fr"), first=time(8), last=time(16, 59)),
        lines_at_most=15,
    ),
    *review_bodies(ID, AT),
    an_explanation(ID),
    a_timeline(ID),
    ReviewRequest(outcome=Outcome.REFUSED, quantity=Decimal(30), explanation="Eerst controle."),
    OverviewRequest(by=WHO, practice=PRACTICE, medications=()),
    StatusRequest(by=WHO, status=Status.STOPPED, change_id=ID),
    ChangeReceivedView(change_id=ID),
    MessagesView(messages=[MESSAGE], unread=1),
    Preferences(language="nl", pharmacy=PHARMACY),
    StateView(
        service="ordering",
        ready=False,
        problems=["Kafka does not answer"],
        waiting={Waits.OUTBOX: 2},
        lag=None,
        dead_letters=None,
    ),
    MessageArrived(message_id=ID, order_id=ID),
    REPORT,
    RegionReport(
        region="Lindewaard",
        **{name: getattr(REPORT, name) for name in ("first", "last", "by", "periods", "totals")},
        practices=[
            PracticeOrders(
                practice=PRACTICE, name="De Linde", periods=REPORT.periods, totals=REPORT.totals
            )
        ],
    ),
    AuditView(
        entries=[
            AuditEntryView(
                at=AT,
                role="portal",
                actor="a-portal",
                organisation=None,
                for_role="patient",
                for_id="pat_anna0001",
                practice=PRACTICE,
                action="orders.place",
                thing=str(ID),
                channel="http",
                outcome="allowed",
                reason=None,
                purpose=None,
            )
        ],
        next=7,
    ),
    RegisterRequest(**dict(ANNA), patient="pat_anna0001", practice=PRACTICE, by=WHO),
    RegisteredView(patient="pat_anna0001"),
    PersonView(**dict(ANNA), patient="pat_anna0001", practice=PRACTICE),
    SearchRequest(bsn=ANNA.bsn, why=Purpose.ORDER),
    FoundView(people=[FOUND]),
    ProxyRequest(**dict(CARLA), by=WHO),
    ProxiesView(proxies=[ProxyView(**dict(CARLA), proxy="usr_1", granted_by=WHO, granted_at=AT)]),
    StandsInForView(
        patients=[StandsInView(patient="pat_anna0001", kind=ProxyKind.PARENT, until=AT)]
    ),
]


def models() -> set[type[BaseModel]]:
    """Every body that is declared in `schemas.api`."""
    names = [m.name for m in pkgutil.iter_modules(schemas.api.__path__, "schemas.api.")]
    return {
        value
        for name in names
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, type)
        and issubclass(value, BaseModel)
        and value.__module__ == name
        and not value.__name__.startswith("_")
    }


def parts(value: Any) -> set[type[BaseModel]]:
    """The models that a body is made of."""
    match value:
        case BaseModel():
            inside = {
                part for field in type(value).model_fields for part in parts(getattr(value, field))
            }
            return {type(value), *type(value).__mro__} & models() | inside
        case list() | tuple():
            return {part for item in value for part in parts(item)}
        case dict():
            return {part for item in value.values() for part in parts(item)}
        case _:
            return set()


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_a_body_is_read_back_by_the_same_model(body: BaseModel) -> None:
    written = bytes(json_response(body).body)
    assert type(body).model_validate_json(written) == body


def test_every_body_has_an_example() -> None:
    assert {part for body in BODIES for part in parts(body)} == models()


def test_names_that_are_python_keywords_are_on_the_wire_without_an_underscore() -> None:
    assert b'"from":"2026-11-01","to":"2026-11-28"' in json_response(REPORT).body
    assert b'"pickup":{"from":"2026-11-28T10:30:00+01:00"' in json_response(MESSAGE).body
