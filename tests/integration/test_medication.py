"""medication on real Kafka and PostgreSQL: changes over HTTP and Kafka, its own topic, crashes."""

import asyncio
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka import ConsumerRecord

from deploy.local import LocalStack
from schemas import topics
from schemas.base import Body
from schemas.medication import (
    Medication,
    MedicationOverview,
    MedicationReview,
    MedicationSetStatus,
    Status,
)
from tests.harness.kafka import eventually, header, read_all, records_of, send, sent
from tests.harness.made import (
    AMOXICILLINE,
    GP,
    METFORMINE,
    OMEPRAZOL,
    PRACTICE,
    Sent,
    a_patient,
    an_import,
    entry,
)

CHANGES = topics.MEDICATION_CHANGES.name
STATUS = topics.MEDICATION_STATUS.name
DEAD = topics.dead_letters("medication").name
WAIT = {"Prefer": "wait=20"}


@pytest.fixture
def url(stack: LocalStack) -> str:
    """Where medication's API is."""
    return stack.endpoints["medication"]


def request(*medications: Medication, **changes: Any) -> dict[str, Any]:
    """A whole overview as a practice's system sends it."""
    listed = [m.model_dump(mode="json") for m in medications or (entry(),)]
    by = GP.model_dump(mode="json")
    return {"practice": PRACTICE, "medications": listed, "by": by} | changes


def status_request(status: str, **changes: Any) -> dict[str, Any]:
    return {"status": status, "by": GP.model_dump(mode="json")} | changes


def versions(records: list[ConsumerRecord]) -> list[int]:
    return [MedicationOverview.model_validate_json(r.value).version for r in records]


async def published(stack: LocalStack, patient: str, at_least: int = 1) -> list[ConsumerRecord]:
    return await records_of(stack.kafka, STATUS, [patient], at_least)


async def settled(stack: LocalStack, http: httpx.AsyncClient, url: str) -> None:
    """Everything sent so far is handled: a patient sent to each partition afterwards is known."""
    last = [a_patient() for _ in range(40)]
    await send(stack.kafka, [sent(CHANGES, an_import(patient)) for patient in last])
    for patient in last:
        await overview_of(http, url, patient)


def _is_version_7(seen: httpx.Response) -> bool:
    return '"7"' in seen.headers.get_list("etag")


async def overview_of(http: httpx.AsyncClient, url: str, patient: str) -> dict[str, Any]:
    """A patient's overview, once there is one."""
    answer = await eventually(
        lambda: http.get(f"{url}/patients/{patient}/overview"), lambda seen: seen.status_code == 200
    )
    found: dict[str, Any] = answer.json()
    return found


async def test_an_overview_put_over_http_is_published_and_shown(
    stack: LocalStack, http: httpx.AsyncClient, url: str
) -> None:
    patient = a_patient()
    where = f"{url}/patients/{patient}/overview"

    answer = await http.put(where, json=request(entry(), entry(OMEPRAZOL)), headers=WAIT)

    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    assert answer.headers["preference-applied"] == "wait"
    shown = await http.get(where)
    assert shown.json() == answer.json()
    (record,) = await published(stack, patient)
    assert MedicationOverview.model_validate_json(record.value).version == 1
    assert record.value == shown.content
    assert header(record, "ce_type") == "nl.herhaal.medication.overview.v1"


async def test_a_client_that_does_not_wait_gets_a_location_to_look_at(
    http: httpx.AsyncClient, url: str
) -> None:
    patient, change_id = a_patient(), str(uuid4())

    answer = await http.put(f"{url}/patients/{patient}/overview", json=request(change_id=change_id))

    assert answer.status_code == 202
    assert answer.headers["location"] == f"/patients/{patient}/overview"
    assert answer.json() == {"change_id": change_id, "state": "received"}
    assert (await overview_of(http, url, patient))["change"]["change_id"] == change_id


async def test_an_unchanged_import_publishes_nothing_and_is_answered_all_the_same(
    stack: LocalStack, http: httpx.AsyncClient, url: str
) -> None:
    patient = a_patient()
    where = f"{url}/patients/{patient}/overview"
    await http.put(where, json=request(entry(), entry(OMEPRAZOL)), headers=WAIT)

    answer = await http.put(where, json=request(entry(OMEPRAZOL), entry()), headers=WAIT)

    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    await settled(stack, http, url)
    assert versions(await published(stack, patient)) == [1]


async def test_the_same_change_id_again_is_the_same_change_and_another_body_is_a_conflict(
    stack: LocalStack, http: httpx.AsyncClient, url: str
) -> None:
    patient, change_id = a_patient(), str(uuid4())
    where = f"{url}/patients/{patient}/overview"
    first = request(change_id=change_id)
    await http.put(where, json=first, headers=WAIT)
    await http.put(where, json=request(entry(dosage="2x daags 1")), headers=WAIT)

    again = await http.put(where, json=first, headers=WAIT)
    other = await http.put(where, json=request(entry(OMEPRAZOL), change_id=change_id))

    assert (again.status_code, again.headers["etag"]) == (200, '"2"')
    assert other.status_code == 409
    assert other.json()["type"] == "urn:herhaal:problem:change-conflict"
    await settled(stack, http, url)
    assert versions(await published(stack, patient, 2)) == [1, 2]


async def test_a_status_set_over_http_changes_that_medicine(
    http: httpx.AsyncClient, url: str
) -> None:
    patient = a_patient()
    where = f"{url}/patients/{patient}"
    medications = (entry(METFORMINE), entry(OMEPRAZOL))
    await http.put(f"{where}/overview", json=request(*medications), headers=WAIT)

    answer = await http.put(
        f"{where}/medications/{METFORMINE[0]}/status",
        json=status_request("stopped", reason="bijwerkingen"),
        headers=WAIT,
    )

    assert answer.status_code == 200
    found = answer.json()
    assert found["version"] == 2
    assert {m["prk"]: m["status"] for m in found["medications"]} == {
        METFORMINE[0]: "stopped",
        OMEPRAZOL[0]: "chronic",
    }
    assert found["change"]["reason"] == "bijwerkingen"


async def test_an_unknown_patient_or_medicine_is_a_404(http: httpx.AsyncClient, url: str) -> None:
    patient = a_patient()
    where = f"{url}/patients/{patient}"
    status = f"{where}/medications/{OMEPRAZOL[0]}/status"
    unknown = [
        await http.get(f"{where}/overview"),
        await http.put(status, json=status_request("stopped")),
    ]
    await http.put(f"{where}/overview", json=request(entry(METFORMINE)), headers=WAIT)
    unknown.append(await http.put(status, json=status_request("stopped")))

    for answer in unknown:
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert patient not in answer.text


async def test_a_client_that_has_the_newest_version_is_told_so(
    http: httpx.AsyncClient, url: str
) -> None:
    where = f"{url}/patients/{a_patient()}/overview"
    await http.put(where, json=request(), headers=WAIT)

    same = await http.get(where, headers={"If-None-Match": '"9", W/"1"'})
    older = await http.get(where, headers={"If-None-Match": '"0"'})

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", '"1"')
    assert older.status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (request(patient="pat_somebodyelse"), "patient"),
        (request(entry(), entry()), "body"),
        (request(practice="02012345"), "practice"),
        (request(change_id="1"), "change_id"),
        (request(by={"role": "king", "id": "1"}), "by.role"),
        (request(reason="a\u0000b"), "reason"),
    ],
)
async def test_what_is_wrong_with_a_request_is_said_per_field(
    http: httpx.AsyncClient, url: str, body: dict[str, Any], field: str
) -> None:
    answer = await http.put(f"{url}/patients/{a_patient()}/overview", json=body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_paths_that_name_no_patient_or_medicine_are_refused(
    http: httpx.AsyncClient, url: str
) -> None:
    status = status_request("stopped")
    answers = [
        await http.get(f"{url}/patients/123456782/overview"),
        await http.put(f"{url}/patients/{a_patient()}/medications/x/status", json=status),
        await http.put(
            f"{url}/patients/{a_patient()}/medications/1/status", json=status | {"prk": "2"}
        ),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422]


async def test_changes_on_kafka_lead_to_the_same(stack: LocalStack) -> None:
    patient = a_patient()
    stop = MedicationSetStatus(
        change_id=uuid4(), patient=patient, by=GP, prk=METFORMINE[0], status=Status.STOPPED
    )
    imported = an_import(patient)

    await send(stack.kafka, [sent(CHANGES, c) for c in (imported, stop, stop, imported)])

    records = await published(stack, patient, 2)
    assert versions(records) == [1, 2]
    newest = MedicationOverview.model_validate_json(records[-1].value)
    assert newest.medications[0].status is Status.STOPPED


async def test_changes_that_cannot_be_carried_out_become_dead_letters(stack: LocalStack) -> None:
    patient = a_patient()
    stop = MedicationSetStatus(
        change_id=uuid4(), patient=patient, by=GP, prk=OMEPRAZOL[0], status=Status.STOPPED
    )
    review = MedicationReview(change_id=uuid4(), patient=patient, by=GP, statuses=())
    bodies: list[Body] = [stop, review, an_import(patient), stop]

    await send(stack.kafka, [sent(CHANGES, body) for body in bodies])

    dead = await records_of(stack.kafka, DEAD, [patient], 3)
    reasons = [header(record, "dl_reason") for record in dead]
    assert reasons == ["unknown_patient", "not_handled", "unknown_medicine"]
    assert versions(await published(stack, patient)) == [1]


async def test_a_late_write_to_the_topic_is_healed(
    stack: LocalStack, http: httpx.AsyncClient, url: str
) -> None:
    """A worker that lost its partition may still have version 1 in flight: version 3 must end up last."""
    patient = a_patient()
    wrote = [
        an_import(patient, entry(dosage=dosage)) for dosage in ("1x daags 1", "2x daags 1", "3x")
    ]
    await send(stack.kafka, [sent(CHANGES, command) for command in wrote])
    first, _, third = await published(stack, patient, 3)
    late = sent(STATUS, MedicationOverview.model_validate_json(first.value))

    await send(stack.kafka, [late])

    records = await published(stack, patient, 5)
    assert versions(records) == [1, 2, 3, 1, 3]
    assert (records[-1].value, header(records[-1], "ce_id")) == (
        third.value,
        header(third, "ce_id"),
    )
    await settled(stack, http, url)
    assert len(await published(stack, patient)) == 5


async def test_an_overview_that_only_the_topic_has_is_adopted(
    stack: LocalStack, http: httpx.AsyncClient, url: str
) -> None:
    """The database was lost, or restored from an older backup."""
    known, unknown = a_patient(), a_patient()
    await send(stack.kafka, [sent(CHANGES, an_import(known))])
    (record,) = await published(stack, known)
    newer = MedicationOverview.model_validate_json(record.value).model_copy(
        update={"version": 7, "medications": (entry(AMOXICILLINE),)}
    )
    bodies = [newer, newer.model_copy(update={"patient": unknown})]

    await send(stack.kafka, [sent(STATUS, body) for body in bodies])

    for patient in (known, unknown):
        where = f"{url}/patients/{patient}/overview"
        await eventually(partial(http.get, where), _is_version_7)
        answer = await http.put(where, json=request(), headers=WAIT)
        assert answer.json()["version"] == 8


async def test_rubbish_on_either_topic_leaves_its_neighbours_alone(
    stack: LocalStack, http: httpx.AsyncClient, url: str
) -> None:
    patient = a_patient()
    good = sent(CHANGES, an_import(patient))
    rubbish = [
        Sent(topic, key, value, good.headers)
        for topic in (CHANGES, STATUS)
        for key, value in (
            (patient.encode(), b"{"),
            (patient.encode(), b"\xff" * 100),
            (b"\xff", good.value),
            (patient.encode(), b"[]"),
        )
    ]

    await send(stack.kafka, [*rubbish, good, *rubbish])

    assert (await overview_of(http, url, patient))["version"] == 1
    assert len(await records_of(stack.kafka, DEAD, [patient], 12)) == 12


async def test_nothing_is_lost_or_told_twice_when_medication_is_killed_in_the_middle(
    stack: LocalStack,
) -> None:
    patients = [a_patient() for _ in range(1500)]
    medications = [entry(), entry(OMEPRAZOL)]
    bodies = [an_import(patient, *medications) for patient in patients]
    stops = [
        MedicationSetStatus(
            change_id=uuid4(), patient=patient, by=GP, prk=METFORMINE[0], status=Status.STOPPED
        )
        for patient in patients
    ]
    sending = asyncio.create_task(
        send(stack.kafka, [sent(CHANGES, body) for body in (*bodies, *stops)])
    )
    try:
        await eventually(
            lambda: read_all(stack.kafka, STATUS),
            lambda seen: any(record.key == patients[0].encode() for record in seen),
        )
        await stack.kill("medication")
    finally:
        await sending
        await stack.start("medication")

    records = await records_of(stack.kafka, STATUS, patients, 2 * len(patients), within_s=60)
    newest = {r.key: r for r in records}
    assert len(newest) == len(patients)
    assert set(versions(list(newest.values()))) == {2}
    assert len({header(r, "ce_id") for r in records}) == 2 * len(patients)
