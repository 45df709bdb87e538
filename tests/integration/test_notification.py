"""An order's events on Kafka become messages in the patient's inbox, each once."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx

from deploy.local import LocalStack
from runtime.messages.encoding import encode
from schemas import topics
from schemas.base import Body, Channel, PlacedBy, Role
from schemas.reasons import Reason, ReasonCode
from schemas.records.notifications import MessageQueued, MessageSent, PickupPromised
from schemas.records.orders import DecidedLine, OrderDecided, OrderLineDecided, OrderState, Outcome
from tests.harness.kafka import eventually, header, records_of, send, sent
from tests.harness.made import GP, PHARMACY, PRACTICE, a_patient

EVENTS = topics.ORDERS_EVENTS.name
TOLD = topics.NOTIFICATIONS_EVENTS.name
DECIDED_AT = datetime(2026, 11, 23, 9, 12, tzinfo=UTC)


def _decided(patient: str, *outcomes: Outcome, **changes: Any) -> OrderDecided:
    reasons = {Outcome.REFUSED: (Reason(code=ReasonCode.TEMPORARY_MEDICATION),)}
    fields: dict[str, Any] = {
        "order_id": uuid4(),
        "seq": 1,
        "patient": patient,
        "practice": PRACTICE,
        "pharmacy": PHARMACY,
        "channel": Channel.PORTAL,
        "placed_by": PlacedBy(role=Role.PATIENT, id=patient),
        "placed_at": DECIDED_AT,
        "decided_at": DECIDED_AT,
        "state": OrderState.PARTLY_APPROVED,
        "lines": tuple(
            DecidedLine(
                line=number,
                prk="5487",
                medicine=f"Medicijn {number}",
                quantity=Decimal(90),
                outcome=outcome,
                reasons=reasons.get(outcome, ()),
            )
            for number, outcome in enumerate(outcomes or (Outcome.APPROVED,), start=1)
        ),
    }
    return OrderDecided(**(fields | changes))


def _line_decided(order: OrderDecided, seq: int = 2) -> OrderLineDecided:
    return OrderLineDecided(
        order_id=order.order_id,
        seq=seq,
        patient=order.patient,
        practice=order.practice,
        pharmacy=order.pharmacy,
        channel=order.channel,
        line=1,
        prk="5487",
        medicine="Medicijn 1",
        outcome=Outcome.APPROVED,
        quantity=Decimal(90),
        decided_by=GP,
        decided_at=DECIDED_AT,
    )


async def _inbox(
    stack: LocalStack, http: httpx.AsyncClient, patient: str, at_least: int = 1
) -> list[dict[str, Any]]:
    """Return a patient's messages, as soon as there are this many."""
    url = f"{stack.endpoints['notification']}/patients/{patient}/messages"

    async def look() -> list[dict[str, Any]]:
        answer = await http.get(url)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["messages"]
        return found

    messages: list[dict[str, Any]] = await eventually(look, lambda seen: len(seen) >= at_least)
    return messages


async def _send(stack: LocalStack, *bodies: Body) -> None:
    await send(stack.kafka, [sent(EVENTS, body) for body in bodies])


async def test_an_order_gets_one_answer_that_says_when_and_where_to_collect(
    stack: LocalStack, http: httpx.AsyncClient
) -> None:
    patient = a_patient()
    order = _decided(patient, Outcome.APPROVED, Outcome.REFUSED)
    await _send(stack, order)
    (message,) = await _inbox(stack, http, patient)
    assert (message["kind"], message["order_id"]) == ("order-answer", str(order.order_id))
    assert message["pickup"] == {
        "from": "2026-11-25T15:30:00+01:00",
        "until": "2026-11-25T17:30:00+01:00",
        "pharmacy": {
            "agb": PHARMACY,
            "name": "Apotheek De Gouden Vijzel",
            "address": "Marktplein 4",
            "city": "Lindewaard",
            "phone": "0123-456730",
        },
    }
    assert "Woensdag 25 november 2026 tussen 15:30 en 17:30" in message["text"]["nl"]
    assert "Wednesday 25 November 2026 between 15:30 and 17:30" in message["text"]["en"]
    assert "tijdelijk voorgeschreven" in message["text"]["nl"]


async def test_the_answer_is_queued_promised_and_sent_on_kafka(
    stack: LocalStack, http: httpx.AsyncClient
) -> None:
    patient = a_patient()
    order = _decided(patient, Outcome.APPROVED, Outcome.REFUSED)
    await _send(stack, order)
    records = await records_of(stack.kafka, TOLD, [patient], at_least=3)
    types = [header(r, "ce_type") for r in records]
    bodies: list[type[Body]] = [MessageQueued, PickupPromised, MessageSent]
    assert types == [body.ce_type() for body in bodies]
    promise = PickupPromised.model_validate_json(records[1].value)
    assert promise.lines == (1,)
    assert promise.from_.isoformat() == "2026-11-25T15:30:00+01:00"
    (message,) = await _inbox(stack, http, patient)
    assert {MessageSent.model_validate_json(r.value).message_id for r in records[::2]} == {
        UUID(message["message_id"])
    }


async def test_the_same_events_again_tell_nothing_twice(
    stack: LocalStack, http: httpx.AsyncClient
) -> None:
    patient = a_patient()
    order = _decided(patient, Outcome.REVIEW)
    again = (order, _line_decided(order), order, _line_decided(order))
    marker = _decided(patient)
    await _send(stack, *again, marker)
    messages = await _inbox(stack, http, patient, at_least=3)
    assert [m["kind"] for m in messages] == ["order-answer", "line-answer", "order-answer"]
    assert [m["order_id"] for m in messages] == [
        str(marker.order_id),
        str(order.order_id),
        str(order.order_id),
    ]
    records = await records_of(stack.kafka, TOLD, [patient], at_least=8)
    ids = [header(r, "ce_id") for r in records]
    assert len(ids) == len(set(ids)) == 8


async def test_a_pharmacy_outside_the_directory_is_named_without_a_promise(
    stack: LocalStack, http: httpx.AsyncClient
) -> None:
    patient = a_patient()
    await _send(stack, _decided(patient, pharmacy="02999999"))
    (message,) = await _inbox(stack, http, patient)
    assert message["pickup"] is None
    assert "Uw apotheek laat u weten wanneer" in message["text"]["nl"]
    records = await records_of(stack.kafka, TOLD, [patient], at_least=2)
    assert PickupPromised.ce_type() not in {header(r, "ce_type") for r in records}


async def test_an_inbox_is_read_page_by_page_newest_first(
    stack: LocalStack, http: httpx.AsyncClient
) -> None:
    patient = a_patient()
    orders = [_decided(patient) for _ in range(5)]
    await _send(stack, *orders)
    whole = await _inbox(stack, http, patient, at_least=5)
    assert [m["order_id"] for m in whole] == [str(o.order_id) for o in reversed(orders)]
    url = f"{stack.endpoints['notification']}/patients/{patient}/messages"
    read: list[dict[str, Any]] = []
    while page := (await http.get(url, params=_after(read))).json()["messages"]:
        assert len(page) <= 2
        read += page
    assert read == whole


def _after(read: list[dict[str, Any]]) -> dict[str, str]:
    return {"limit": "2"} | ({"before": read[-1]["message_id"]} if read else {})


async def test_what_a_client_asks_wrongly_is_a_problem(
    stack: LocalStack, http: httpx.AsyncClient
) -> None:
    base = stack.endpoints["notification"]
    for path in (
        "/patients/123456782/messages",
        f"/patients/{a_patient()}/messages?limit=-1",
        f"/patients/{a_patient()}/messages?before=x",
        f"/patients/{a_patient()}/messages?before={uuid4()}",
    ):
        answer = await http.get(base + path)
        assert answer.status_code == 422, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["errors"]


async def test_a_patient_without_messages_has_an_empty_inbox(
    stack: LocalStack, http: httpx.AsyncClient
) -> None:
    base = stack.endpoints["notification"]
    answer = await http.get(f"{base}/patients/{a_patient()}/messages")
    assert (answer.status_code, answer.json()) == (200, {"messages": [], "unread": 0})


async def test_a_bad_event_is_kept_and_the_next_one_is_answered(
    stack: LocalStack, http: httpx.AsyncClient
) -> None:
    patient = a_patient()
    good = _decided(patient)
    record = sent(EVENTS, good)
    bad = type(record)(record.topic, record.key, encode(good)[:-5], record.headers)
    await send(stack.kafka, [bad, record])
    (message,) = await _inbox(stack, http, patient)
    assert message["order_id"] == str(good.order_id)
    letters = topics.dead_letters("notification").name
    (letter,) = await records_of(stack.kafka, letters, [patient], at_least=1)
    assert header(letter, "dl_reason") == "bad_json"
