"""Who a pseudonym is: registered once, found however it is typed, and shown to who treats."""

import asyncio
import re
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from deploy.local import LocalStack
from samples.persons import a_person
from schemas import topics
from schemas.access import Party
from schemas.api.people import FoundPerson
from schemas.records.orders import OrderCancelled, Outcome
from tests.harness.kafka import eventually, send, sent
from tests.harness.made import GP, PHARMACY, PRACTICE, a_patient, as_json
from tests.integration.people.client import OTHER_PRACTICE, Client, a_bsn
from tests.unit.notification.made import a_line, decided


async def test_a_person_is_registered_under_a_pseudonym_that_says_nothing(
    assistant: Client,
) -> None:
    anna = a_person(a_bsn())
    patient = await assistant.registered(anna)
    assert re.fullmatch(r"pat_[A-Za-z0-9_-]{20}", patient)
    shown = await assistant.show(patient)
    assert shown.json() == as_json(anna) | {"patient": patient, "practice": PRACTICE}
    assert shown.headers["cache-control"] == "no-store"


async def test_a_bsn_keeps_its_pseudonym_and_the_newest_data(assistant: Client) -> None:
    bsn = a_bsn()
    first = await assistant.registered(a_person(bsn))
    moved = a_person(bsn, street="Nergenspad", surname="Verhuisd", prefix=None)
    assert await assistant.registered(moved) == first
    assert (await assistant.show(first)).json()["street"] == "Nergenspad"

    async def found(surname: str) -> list[str]:
        return [
            p["patient"] for p in await assistant.find(surname=surname, birth_date="1949-03-01")
        ]

    assert first not in await found("D'Angelo-Müller")
    assert first in await found("verhuisd")


async def test_eight_who_register_the_same_bsn_at_once_get_one_pseudonym(assistant: Client) -> None:
    anna = a_person(a_bsn())
    made = await asyncio.gather(*(assistant.registered(anna) for _ in range(8)))
    assert len(set(made)) == 1


async def test_who_moves_is_seen_by_the_new_practice_alone(assistant: Client) -> None:
    """Given a patient of one practice; when another registers the same BSN; then the pseudonym is the same, and
    the first practice neither sees nor finds the person.
    """
    bsn, born = a_bsn(), "1931-07-09"
    other = assistant.as_(Party.ASSISTANT, practice=OTHER_PRACTICE)
    anna = a_person(bsn, birth_date=date.fromisoformat(born))
    patient = await assistant.registered(anna)
    assert await other.find(bsn=bsn) == []
    assert (await other.show(patient)).status_code == 404

    assert await other.registered(anna) == patient
    assert (await other.show(patient)).json()["practice"] == OTHER_PRACTICE
    assert (await assistant.show(patient)).json() == (await assistant.show(a_patient())).json()
    for by in ({"bsn": bsn}, {"surname": "d'Angelo", "birth_date": born}):
        assert await assistant.find(**by) == []
        assert [found["patient"] for found in await other.find(**by)] == [patient]


async def test_a_pseudonym_in_use_is_kept_and_never_taken_from_another_practice(
    assistant: Client,
) -> None:
    patient, bsn = a_patient(), a_bsn()
    assert await assistant.registered(a_person(), patient=patient) == patient
    assert await assistant.registered(a_person(bsn), patient=patient) == patient
    elsewhere = assistant.as_(Party.GP, practice=OTHER_PRACTICE)
    taken = await elsewhere.register(a_person(), patient=patient)
    assert (taken.status_code, taken.json()["type"]) == (409, "urn:herhaal:problem:other-practice")
    contradicted = await assistant.register(a_person(bsn), patient=a_patient())
    assert contradicted.json()["type"] == "urn:herhaal:problem:other-person"


async def test_a_patients_data_are_replaced(assistant: Client) -> None:
    patient = await assistant.registered(a_person(a_bsn()))
    changed = a_person(a_bsn(), city="Waterrand", phones=(), email=None)
    answer = await assistant.ask("PUT", f"/patients/{patient}/person", as_json(changed))
    assert answer.json() == {"patient": patient}
    assert (await assistant.show(patient)).json()["city"] == "Waterrand"
    taken = a_bsn()
    await assistant.registered(a_person(taken))
    refused = await assistant.ask("PUT", f"/patients/{patient}/person", as_json(a_person(taken)))
    assert refused.json()["type"] == "urn:herhaal:problem:other-person"
    nobody = await assistant.ask("PUT", f"/patients/{a_patient()}/person", as_json(changed))
    assert nobody.status_code == 404


@pytest.mark.parametrize("typed", ["d’angelo-muller", "Dangelo Muller", "Van der D'Angelo-Müller"])
async def test_she_is_found_however_her_name_is_typed(assistant: Client, typed: str) -> None:
    """Pitfall A7."""
    born = date(1949, 3, 2)
    patient = await assistant.registered(a_person(a_bsn(), birth_date=born))
    found = await assistant.find(surname=typed, birth_date="1949-03-02")
    assert patient in [each["patient"] for each in found]
    assert await assistant.find(surname=typed, birth_date="1949-03-03") == []


async def test_twins_are_both_shown_and_neither_is_preferred(assistant: Client) -> None:
    """Given twins with the same initial, surname, birth date and BSNs that differ (pitfall A7); when either is
    looked for by name; then both are shown, told apart by the address, whoever was registered first.
    """
    born = date(2001, 5, 17)
    twins = [
        a_person(a_bsn(), initials="J.", birth_date=born, street=street, house_number=number)
        for street, number in (("Verzonnenlaan", "3"), ("Proefstraat", "8"))
    ]
    patients = [await assistant.registered(twin) for twin in twins]
    found = await assistant.find(surname="D'Angelo-Müller", birth_date=born.isoformat())
    assert {each["patient"] for each in found} == set(patients)
    marks = {
        (each["initials"], each["street"], each["house_number"], each["postcode"]) for each in found
    }
    assert marks == {("J.", "Verzonnenlaan", "3", "1234 AB"), ("J.", "Proefstraat", "8", "1234 AB")}
    assert all(each.keys() == FoundPerson.model_fields.keys() for each in found)


async def test_a_pharmacy_sees_a_patient_while_a_prescription_is_under_way(
    assistant: Client,
) -> None:
    """Given an approved line; then its pharmacy sees who the patient is, until the line is cancelled, or was
    approved 30 days ago; another pharmacy never does.
    """
    patient = await assistant.registered(a_person(a_bsn()))
    pharmacist = assistant.as_(Party.PHARMACIST, pharmacy=PHARMACY)
    never = (await pharmacist.show(a_patient())).json()
    assert (await pharmacist.show(patient)).json() == never

    line = a_line("Metformine 500 mg tablet", Outcome.APPROVED)
    now = datetime.now(UTC)
    old = decided(line, at=now - timedelta(days=31), order_id=uuid4(), patient=patient)
    await send(assistant.stack.kafka, [sent(topics.ORDERS_EVENTS.name, old)])
    order = decided(line, at=now, order_id=uuid4(), patient=patient)

    async def status() -> int:
        return (await pharmacist.show(patient)).status_code

    await eventually(lambda: orders_of(assistant.stack, patient), lambda count: count == 1)
    assert await status() == 404
    await send(assistant.stack.kafka, [sent(topics.ORDERS_EVENTS.name, order)])
    await eventually(status, lambda code: code == 200)
    elsewhere = assistant.as_(Party.PHARMACIST, pharmacy="02999002")
    assert (await elsewhere.show(patient)).json() == never

    cancelled = OrderCancelled(
        order_id=order.order_id,
        seq=2,
        patient=patient,
        practice=PRACTICE,
        pharmacy=PHARMACY,
        channel=order.channel,
        lines=(1,),
        cancelled_by=GP,
        cancelled_at=now,
    )
    await send(assistant.stack.kafka, [sent(topics.ORDERS_EVENTS.name, cancelled)])
    await eventually(status, lambda code: code == 404)
    assert (await pharmacist.show(patient)).json() == never


async def orders_of(stack: LocalStack, patient: str) -> int:
    """How many orders of a patient notification has answered."""
    db = await asyncpg.connect(stack.databases["notification"])
    try:
        count = "select count(distinct order_id) from messages where patient = $1"
        return int(await db.fetchval(count, patient))
    finally:
        await db.close()


async def test_nothing_of_a_person_is_readable_in_the_rows(assistant: Client) -> None:
    anna = a_person(a_bsn())
    patient = await assistant.registered(anna)
    db = await asyncpg.connect(assistant.stack.databases["notification"])
    try:
        rows = await db.fetch("select * from people where patient = $1", patient)
        rows += await db.fetch("select * from people_hashes where patient = $1", patient)
    finally:
        await db.close()
    assert len(rows) > 3
    stored = "".join(str(value) for row in rows for value in row.values())
    for part in (anna.bsn, "Angelo", "angelo", "1949", "Verzonnen", "456799", "anna@"):
        assert part is not None
        assert part not in stored


@pytest.mark.parametrize("why", [None, "curious"])
async def test_a_search_without_a_purpose_is_refused(assistant: Client, why: str | None) -> None:
    answer = await assistant.ask("POST", "/people/search", {"bsn": a_bsn(), "why": why})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "why")


async def test_an_error_does_not_repeat_a_bsn(assistant: Client) -> None:
    body = as_json(a_person()) | {"bsn": "999912345"}
    answer = await assistant.ask("POST", "/people", body)
    assert answer.status_code == 422
    assert "999912345" not in answer.text
    assert "fails the eleven-test" in answer.text


async def test_looks_and_changes_are_in_the_audit_trail_with_the_purpose(assistant: Client) -> None:
    """Given somebody who is registered, looked up, found and given a proxy; then the patient sees each;
    a search of another practice, which finds nobody, is not about the patient.
    """
    bsn = a_bsn()
    patient = await assistant.registered(a_person(bsn))
    await assistant.show(patient)
    await assistant.find(bsn=bsn, why="contact")
    proxy = f"/patients/{patient}/proxies/usr_1"
    consent = {"by": "patient", "how": "phone", "on": "2026-11-02"}
    body = {"kind": "authorised", "name": "Carla Voorbeeld", "consent": consent}
    assert (await assistant.ask("PUT", proxy, body)).status_code == 200
    assert (await assistant.ask("DELETE", proxy)).status_code == 204
    other = assistant.as_(Party.ASSISTANT, practice=OTHER_PRACTICE)
    assert await other.find(bsn=bsn) == []

    reader = assistant.as_(Party.PATIENT, patients=(patient,), sub=patient)
    entries = (await reader.ask("GET", f"/patients/{patient}/audit")).json()["entries"]
    assert [(e["action"], e["outcome"], e["purpose"], e["practice"]) for e in entries[::-1]] == [
        ("people.write", "allowed", None, PRACTICE),
        ("people.read", "allowed", None, PRACTICE),
        ("people.find", "allowed", "contact", PRACTICE),
        ("proxies.grant", "allowed", None, PRACTICE),
        ("proxies.revoke", "allowed", None, PRACTICE),
    ]
