"""medication's routes: responses and published records, without servers."""

from datetime import UTC, datetime

import pytest

from runtime.messages.digest import digest_of
from runtime.messages.encoding import encode, encode_parts
from schemas import topics
from schemas.records.medication import Change, FlawedEntry, MedicationImport
from services.medication import store
from services.medication.app import SERVICE
from tests.harness.made import METFORMINE, OMEPRAZOL, an_import, as_json, entry
from tests.unit.served import Answer, FakeConnections, FakeSender, Served

PATIENT = "pat_anna0001"
OVERVIEW = f"/patients/{PATIENT}/overview"


def a_row(change: MedicationImport) -> dict[str, object]:
    """The row of the overview after this import."""
    return {
        "patient": change.patient,
        "practice": change.practice,
        "version": 3,
        "seen_version": 3,
        "changed_at": datetime(2026, 11, 20, 9, tzinfo=UTC),
        "change": encode_parts(Change(change_id=change.change_id, kind="import", by=change.by)),
        "medications": encode_parts(change.medications),
        "flaws": "[]",
    }


CHANGE = an_import(PATIENT, entry(METFORMINE))
STORED = a_row(CHANGE)


def medication(**answers: Answer) -> Served:
    """medication with one patient's overview, and no applied change."""
    stored: dict[str, Answer] = {
        store._OVERVIEW: lambda patient: [STORED] if patient == PATIENT else [],
        store._APPLIED: lambda patients, changes: [],
        store._APPLIED_OVERVIEWS: lambda patients, changes: [],
    }
    return Served(SERVICE, FakeConnections({**stored, **answers}))


async def test_an_overview_is_shown_with_its_version_as_etag() -> None:
    answer = await medication().ask("GET", OVERVIEW)
    assert answer.status_code == 200
    assert answer.json()["version"] == 3
    assert answer.headers["etag"] == '"3"'


async def test_the_system_that_a_change_came_through_is_nobodys_to_read() -> None:
    """It is kept for audit: in the record and in the history, and in no answer."""
    change = Change(change_id=CHANGE.change_id, kind="import", by=CHANGE.by, through="his")
    row = STORED | {"change": encode_parts(change)}
    answer = await medication(**{store._OVERVIEW: lambda patient: [row]}).ask("GET", OVERVIEW)
    assert answer.json()["change"]["by"] == as_json(CHANGE)["by"]
    assert "through" not in answer.text


async def test_a_client_with_the_current_version_gets_304() -> None:
    answer = await medication().ask("GET", OVERVIEW, headers={"If-None-Match": 'W/"2", "3"'})
    assert (answer.status_code, answer.content) == (304, b"")


async def test_a_missing_overview_is_a_problem() -> None:
    answer = await medication().ask("GET", "/patients/pat_nobody01/overview")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_change_is_acknowledged_by_kafka_before_it_is_answered() -> None:
    served = medication()
    answer = await served.ask("PUT", OVERVIEW, json=as_json(CHANGE))
    assert answer.status_code == 202
    assert answer.json()["change_id"] == str(CHANGE.change_id)
    assert answer.headers["location"] == OVERVIEW
    (record,) = served.sender.sent
    assert (record.topic, record.key) == (topics.MEDICATION_CHANGES.name, PATIENT.encode())
    assert record.value == encode(CHANGE)


async def test_an_entry_with_a_flaw_does_not_keep_a_change_from_kafka() -> None:
    """The record has the other entries as they were sent, and no wrong value."""
    served = medication()
    body = as_json(an_import(PATIENT, entry(METFORMINE), entry(OMEPRAZOL)))
    body["medications"][0] |= {"quantity": "veel", "onbekend": "veel"}

    answer = await served.ask("PUT", OVERVIEW, json=body)

    assert answer.status_code == 202
    value = served.sender.sent[0].value or b""
    assert b"veel" not in value
    flawed, other = MedicationImport.model_validate_json(value).medications
    assert isinstance(flawed, FlawedEntry)
    assert (flawed.wrong, other) == (("quantity",), entry(OMEPRAZOL))


async def test_a_list_of_which_no_entry_can_be_used_is_answered_with_the_first_wrong_field() -> (
    None
):
    served = medication()
    body = as_json(CHANGE)
    body["medications"][0]["quantity"] = 0

    answer = await served.ask("PUT", OVERVIEW, json=body)

    assert (answer.status_code, served.sender.sent) == (422, [])
    reason = "No entry can be used; the first has a wrong or no quantity"
    assert answer.json()["errors"] == [{"field": "medications", "reason": reason}]


async def test_a_long_poll_returns_the_overview_once_the_change_is_applied() -> None:
    applied = STORED | {"change_id": CHANGE.change_id, "digest": digest_of(CHANGE)}
    served = medication(**{store._APPLIED_OVERVIEWS: lambda patients, changes: [applied]})
    answer = await served.ask("PUT", OVERVIEW, json=as_json(CHANGE), headers={"Prefer": "wait=5"})
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait"


@pytest.mark.parametrize("change", ["import", "status"])
async def test_a_long_poll_tells_a_conflict_when_another_change_was_applied_under_its_id(
    change: str,
) -> None:
    """Given two changes with one id that are both on their way, the one that comes second is not applied."""
    other = digest_of(an_import(PATIENT, entry(OMEPRAZOL)))
    applied = STORED | {"change_id": CHANGE.change_id, "digest": other}
    served = medication(**{store._APPLIED_OVERVIEWS: lambda patients, changes: [applied]})
    path, body = OVERVIEW, as_json(CHANGE)
    if change == "status":
        path = f"/patients/{PATIENT}/medications/{METFORMINE[0]}/status"
        body = {name: body[name] for name in ("by", "change_id")} | {"status": "stopped"}

    answer = await served.ask("PUT", path, json=body, headers={"Prefer": "wait=5"})

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:herhaal:problem:change-conflict"


async def test_another_change_under_the_same_id_is_a_conflict_and_not_sent() -> None:
    other = an_import(PATIENT, entry(OMEPRAZOL))
    before = {"patient": PATIENT, "change_id": CHANGE.change_id, "digest": digest_of(other)}
    served = medication(**{store._APPLIED: lambda patients, changes: [before]})
    answer = await served.ask("PUT", OVERVIEW, json=as_json(CHANGE))
    assert (answer.status_code, served.sender.sent) == (409, [])


async def test_a_status_of_a_medicine_that_is_not_in_the_overview_is_not_sent() -> None:
    served = medication()
    path = f"/patients/{PATIENT}/medications/{OMEPRAZOL[0]}/status"
    body = {"by": as_json(CHANGE)["by"], "status": "stopped"}
    assert (await served.ask("PUT", path, json=body)).status_code == 404
    body_of_known = f"/patients/{PATIENT}/medications/{METFORMINE[0]}/status"
    assert (await served.ask("PUT", body_of_known, json=body)).status_code == 202
    assert len(served.sender.sent) == 1


async def test_another_patient_in_the_body_is_refused() -> None:
    served = medication()
    answer = await served.ask("PUT", "/patients/pat_other001/overview", json=as_json(CHANGE))
    assert (answer.status_code, served.sender.sent) == (422, [])


async def test_a_change_that_kafka_did_not_acknowledge_is_answered_503() -> None:
    served = Served(SERVICE, medication().api, sender=FakeSender(away=True))
    answer = await served.ask("PUT", OVERVIEW, json=as_json(CHANGE))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionRefusedError()])
async def test_a_request_that_gets_no_connection_in_time_is_answered_503(error: OSError) -> None:
    """When other requests hold all connections of the API's pool, a request does not wait for ever."""
    answer = await Served(SERVICE, FakeConnections(fails=error)).ask("GET", OVERVIEW)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


async def test_requests_before_the_database_is_reachable_are_answered_503() -> None:
    served = medication()
    served.resources.database = None
    served.resources.waiting_for = "PostgreSQL"
    assert (await served.ask("GET", OVERVIEW)).status_code == 503
    ready = await served.ask("GET", "/readyz")
    assert (ready.status_code, ready.json()["problems"]) == (503, ["waiting for PostgreSQL"])


async def test_a_change_without_an_id_gets_one() -> None:
    served = medication()
    body = as_json(CHANGE)
    del body["change_id"]
    answer = await served.ask("PUT", OVERVIEW, json=body)
    assert answer.status_code == 202
    assert answer.json()["change_id"] != str(CHANGE.change_id)
