"""A system acts for somebody: who audits later sees both, and no answer of the API says the system."""

import orjson

from schemas import topics
from schemas.access import Party
from schemas.topic_lookup import of_system
from tests.harness.kafka import records_of, send, sent
from tests.harness.made import PHARMACY, PRACTICE, SIMVASTATINE, an_order, as_json
from tests.harness.systems import system_name
from tests.integration.access.callers import asking
from tests.integration.access.door import Door
from tests.integration.access.places import WAIT, Asked, Places, bearer

PORTAL = system_name(Party.PORTAL, PRACTICE)


async def test_events_say_through_which_system_and_answers_do_not(
    door: Door, places: Places
) -> None:
    """Given an order that a portal sends over HTTP and over Kafka, and that the patient cancels; then it is one
    order that came through the portal, and the cancellation came through none.
    """
    own = places[Asked.OWN]
    patient = asking(door.stack, Party.PATIENT, own)
    order = an_order(own.patient, SIMVASTATINE, practice=PRACTICE, pharmacy=PHARMACY)
    url = f"{door.stack.endpoints['ordering']}/orders"
    portal = bearer(door.stack, Party.PORTAL, sub=PORTAL)
    placed = await door.http.post(url, json=as_json(order), headers={**portal, **WAIT})
    await send(door.stack.kafka, [sent(of_system(topics.ORDERS_REQUESTS, PORTAL).name, order)])
    cancel = f"{url}/{order.order_id}/cancel"
    cancelled = await door.http.post(cancel, json={}, headers={**patient.headers, **WAIT})
    assert (placed.status_code, cancelled.status_code) == (200, 200)
    shown = await door.http.get(f"{url}/{order.order_id}", headers=patient.headers)

    events = await records_of(door.stack.kafka, topics.ORDERS_EVENTS.name, [own.patient], 3)
    bodies = [orjson.loads(event.value) for event in events]
    through = [b["through"] for b in bodies if b["order_id"] == str(order.order_id)]
    assert through == [PORTAL, None]
    for answer in (placed, cancelled, shown):
        assert PORTAL not in answer.text


async def test_an_overview_says_through_which_system_it_changed_only_on_its_topic(
    door: Door, places: Places
) -> None:
    """Given the overview that a practice system sent over HTTP."""
    own = places[Asked.OTHER_PATIENT]
    system = system_name(Party.PRACTICE_SYSTEM, PRACTICE)
    (record, *_) = await records_of(
        door.stack.kafka, topics.MEDICATION_STATUS.name, [own.patient], 1
    )
    assert orjson.loads(record.value)["change"]["through"] == system
    overview = f"{door.stack.endpoints['medication']}/patients/{own.patient}/overview"
    for role in (Party.PATIENT, Party.GP, Party.PRACTICE_SYSTEM):
        answer = await door.http.get(overview, headers=asking(door.stack, role, own).headers)
        assert answer.status_code == 200
        assert "through" not in answer.json()["change"]
