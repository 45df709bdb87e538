"""Every operation that the client has, with an example: how it is asked, what is sent, what comes back."""

from schemas.api.medication import ChangeReceivedView, OverviewRequest, StatusRequest
from schemas.api.metrics import By, RegionReport
from schemas.api.notification import MessagesView
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
from schemas.api.state import StateView
from schemas.records.medication import Change, MedicationOverview, Status
from schemas.topics import SERVICES
from tests.harness.made import GP, PHARMACY, PRACTICE, entry
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
from tests.unit.clients.ordering_operations import ORDERING
from tests.unit.schemas.test_api_bodies import (
    ANNA,
    AT,
    CARLA,
    FOUND,
    ID,
    MESSAGE,
    REPORT,
    WHO,
)

OVERVIEW = MedicationOverview(
    patient=PATIENT,
    practice=PRACTICE,
    version=3,
    changed_at=AT,
    change=Change(change_id=ID, kind="import", by=GP),
    medications=(entry(),),
)
IMPORT = OverviewRequest(practice=PRACTICE, medications=(entry(),), change_id=ID)
STATUS = StatusRequest(status=Status.STOPPED, change_id=ID)
REGISTER = RegisterRequest(**dict(ANNA), practice=PRACTICE)
PERSON = PersonRequest(**dict(ANNA))
SEARCH = SearchRequest(bsn=ANNA.bsn, why=Purpose.ORDER)
GRANT = ProxyRequest(**dict(CARLA), by=WHO)
CHANGED = ChangeReceivedView(change_id=ID)
REGISTERED = RegisteredView(patient=PATIENT)
PREFERRED = Preferences(language="nl", pharmacy=PHARMACY)


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
        AUDIT,
        lambda c: c.medication.audit(PATIENT, DAY, DAY, before=7, limit=5),
        TRAIL,
        query=TRAIL_QUERY,
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
        AUDIT,
        lambda c: c.notification.audit(PATIENT, DAY, DAY, before=7, limit=5),
        TRAIL,
        query=TRAIL_QUERY,
    ),
    Example("notification", "events", EVENTS, lambda c: first_event(c, "notification"), None),
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

_STATE = [
    Example(
        service,
        "state",
        "GET /state",
        lambda c, service=service: getattr(c, service).state(),  # type: ignore[misc]
        of_kind(StateView),
    )
    for service in SERVICES
]

EXAMPLES = [*ORDERING, *_MEDICATION, *_NOTIFICATION, *_METRICS, *_STATE]
