"""medication on real Kafka and PostgreSQL: changes over HTTP."""

from asyncio import gather
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local import LocalStack
from schemas.records.medication import MedicationOverview
from tests.harness.kafka import header
from tests.harness.made import (
    METFORMINE,
    OMEPRAZOL,
    a_patient,
    entry,
)
from tests.integration.medication_client import (
    WAIT,
    overview_of,
    published,
    request,
    settled,
    status_request,
    versions,
)


@pytest.fixture
def url(stack: LocalStack) -> str:
    """Return the base URL of medication's API."""
    return stack.endpoints["medication"]


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


async def test_of_two_changes_sent_under_one_id_at_the_same_time_one_is_a_conflict(
    stack: LocalStack, http: httpx.AsyncClient, url: str
) -> None:
    """Given 10 patients; then for each, the change that is applied is answered 200 and the other 409."""

    async def both(patient: str) -> tuple[set[int], bool]:
        where, change_id = f"{url}/patients/{patient}/overview", str(uuid4())
        sent = [request(entry(what), change_id=change_id) for what in (METFORMINE, OMEPRAZOL)]
        answers = await gather(*(http.put(where, json=body, headers=WAIT) for body in sent))
        applied = next(n for n, answer in enumerate(answers) if answer.status_code == 200)
        shown = (await http.get(where)).json()["medications"]
        is_own = shown[0]["prk"] == sent[applied]["medications"][0]["prk"]
        return {answer.status_code for answer in answers}, is_own

    results = await gather(*(both(a_patient()) for _ in range(10)))

    assert results == [({200, 409}, True)] * 10


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
        (request(practice="02999345"), "practice"),
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
            f"{url}/patients/{a_patient()}/medications/5487/status", json=status | {"prk": "34371"}
        ),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422]
