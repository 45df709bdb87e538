"""ordering's operations, each with an example."""

from decimal import Decimal

from schemas.api.directory import PharmaciesView, PracticeView
from schemas.api.explanations import ExplanationView, TimelineView
from schemas.api.orderable import OrderableView
from schemas.api.ordering import CancelRequest, FeedItem, FeedView, OrdersView, PlaceRequest
from schemas.api.reviews import ReviewRequest, ReviewsView
from schemas.base import Reviewer
from schemas.records.orders import Outcome
from tests.harness.made import PHARMACY, PRACTICE, an_order
from tests.unit.clients.asking import RECEIVED
from tests.unit.clients.example import (
    AUDIT,
    DAY,
    EVENTS,
    PATIENT,
    TRAIL,
    TRAIL_QUERY,
    Example,
    first_event,
    of_kind,
)
from tests.unit.schemas.policy_bodies import POLICY, TRIAL, TRY
from tests.unit.schemas.test_api_bodies import ID, ORDER

PLACE = PlaceRequest(**dict(an_order(PATIENT)))
CANCEL = CancelRequest(reason="moved")
REVIEW = ReviewRequest(outcome=Outcome.APPROVED, quantity=Decimal(30))

ORDERING = [
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
        "explanation",
        "GET /orders/{order_id}/explanation",
        lambda c: c.ordering.explanation(ID, "en"),
        of_kind(ExplanationView),
        query={"language": "en"},
    ),
    Example(
        "ordering",
        "timeline",
        "GET /orders/{order_id}/timeline",
        lambda c: c.ordering.timeline(ID, "en"),
        of_kind(TimelineView),
        query={"language": "en"},
    ),
    Example(
        "ordering",
        "reviews",
        "GET /practices/{agb}/reviews",
        lambda c: c.ordering.reviews(PRACTICE, f"1-{ID}-1", 3, Reviewer.GP),
        of_kind(ReviewsView),
        query={"after": f"1-{ID}-1", "limit": "3", "reviewer": "gp"},
    ),
    Example(
        "ordering",
        "review",
        "PUT /orders/{order_id}/lines/{line}/review",
        lambda c: c.ordering.review(ID, 1, REVIEW, wait_s=20),
        ORDER,
        body=REVIEW,
        waits=True,
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
        "policy",
        "GET /practices/{agb}/policy",
        lambda c: c.ordering.policy(PRACTICE),
        POLICY,
    ),
    Example(
        "ordering",
        "try_policy",
        "POST /practices/{agb}/policy-trials",
        lambda c: c.ordering.try_policy(PRACTICE, TRY),
        TRIAL,
        body=TRY,
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
        AUDIT,
        lambda c: c.ordering.audit(PATIENT, DAY, DAY, before=7, limit=5),
        TRAIL,
        query=TRAIL_QUERY,
    ),
    Example("ordering", "events", EVENTS, lambda c: first_event(c, "ordering"), None),
]
