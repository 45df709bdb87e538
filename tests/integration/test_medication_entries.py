"""medication on real Kafka and PostgreSQL: lists as practices' systems have them."""

from typing import Any

import httpx
import pytest

from deploy.local import LocalStack
from schemas.records.medication import (
    EntryFlaw,
    Medication,
    MedicationOverview,
    Status,
)
from tests.harness.kafka import header, records_of, send, sent
from tests.harness.made import METFORMINE, OMEPRAZOL, Sent, a_patient, an_import, as_json, entry
from tests.integration.medication_client import (
    CHANGES,
    DEAD,
    WAIT,
    overview_of,
    published,
    request,
    status_request,
)

MORNING = entry(METFORMINE, dosage="ma, wo, vr: 1x daags 1")
EVENING = entry(METFORMINE, dosage="overige dagen: 2x daags 1")
OLD = entry(METFORMINE, Status.STOPPED, dosage="1x daags 1")

SINCE_1998 = as_json(entry(OMEPRAZOL)) | {"prescribed_on": "1998"}
WITHOUT_QUANTITY = as_json(entry(METFORMINE)) | {"quantity": 0}
WITH_ODD_DAYS = as_json(entry(OMEPRAZOL)) | {"days_supply": "drie maanden"}

LISTS: dict[str, tuple[list[Any], list[Medication], list[EntryFlaw]]] = {
    "two dosages of one medicine": (
        [as_json(MORNING), as_json(EVENING)],
        [MORNING, EVENING],
        [],
    ),
    "once stopped and once chronic": ([as_json(OLD), as_json(MORNING)], [OLD, MORNING], []),
    "a year": ([SINCE_1998], [entry(OMEPRAZOL, prescribed_on="1998")], []),
    "one entry without a quantity": (
        [WITHOUT_QUANTITY, as_json(entry(OMEPRAZOL))],
        [entry(OMEPRAZOL)],
        [
            EntryFlaw(
                position=1,
                prk=METFORMINE[0],
                medicine=METFORMINE[1],
                fields=("quantity",),
                kept=False,
            )
        ],
    ),
    "one entry with a flaw that does not matter": (
        [as_json(MORNING), WITH_ODD_DAYS],
        [MORNING, entry(OMEPRAZOL, days_supply=None)],
        [
            EntryFlaw(
                position=2,
                prk=OMEPRAZOL[0],
                medicine=OMEPRAZOL[1],
                fields=("days_supply",),
                kept=True,
            )
        ],
    ),
}


@pytest.fixture
def url(stack: LocalStack) -> str:
    """Return the base URL of medication's API."""
    return stack.endpoints["medication"]


def import_of(patient: str, entries: list[Any]) -> Sent:
    """Return the record with which a practice's system sends these entries."""
    good = sent(CHANGES, an_import(patient))
    body = as_json(an_import(patient)) | {"medications": entries}
    value = httpx.Request("PUT", "http://x", json=body).content
    return Sent(CHANGES, good.key, value, good.headers)


@pytest.mark.parametrize(("entries", "kept", "flaws"), LISTS.values(), ids=LISTS)
async def test_a_list_is_read_the_same_over_http_and_kafka(
    stack: LocalStack,
    http: httpx.AsyncClient,
    url: str,
    entries: list[Any],
    kept: list[Medication],
    flaws: list[EntryFlaw],
) -> None:
    over_http, over_kafka = a_patient(), a_patient()

    where = f"{url}/patients/{over_http}/overview"
    answer = await http.put(where, json=request() | {"medications": entries}, headers=WAIT)
    await send(stack.kafka, [import_of(over_kafka, entries)])

    assert answer.status_code == 200
    assert answer.json().get("flaws", []) == [flaw.model_dump(mode="json") for flaw in flaws]
    for patient in (over_http, over_kafka):
        (record,) = await published(stack, patient)
        overview = MedicationOverview.model_validate_json(record.value)
        assert ([*overview.medications], [*overview.flaws]) == (kept, flaws)
        shown = await http.get(f"{url}/patients/{patient}/overview")
        assert shown.content == record.value


@pytest.mark.parametrize("entries", [entries for entries, _, _ in LISTS.values()], ids=LISTS)
async def test_the_same_list_again_publishes_nothing(
    stack: LocalStack, http: httpx.AsyncClient, url: str, entries: list[Any]
) -> None:
    where = f"{url}/patients/{a_patient()}/overview"
    body = request() | {"medications": entries}
    await http.put(where, json=body, headers=WAIT)

    again = await http.put(where, json=body, headers=WAIT)
    turned = await http.put(where, json=body | {"medications": entries[::-1]}, headers=WAIT)

    assert [answer.headers["etag"] for answer in (again, turned)] == ['"1"', '"1"']


async def test_the_same_change_again_is_no_conflict_also_with_a_flaw(
    http: httpx.AsyncClient, url: str
) -> None:
    """The record that the API publishes has not the wrong value, and is the same change."""
    where = f"{url}/patients/{a_patient()}/overview"
    entries = [WITHOUT_QUANTITY, WITH_ODD_DAYS]
    body = as_json(an_import("pat_unused001")) | {"medications": entries}
    del body["patient"]

    answers = [await http.put(where, json=body, headers=WAIT) for _ in range(2)]
    other = await http.put(where, json=body | {"medications": entries[:0]}, headers=WAIT)

    assert [answer.status_code for answer in (*answers, other)] == [200, 200, 409]


async def test_stopping_a_medicine_over_http_stops_both_of_its_entries(
    http: httpx.AsyncClient, url: str
) -> None:
    where = f"{url}/patients/{a_patient()}"
    await http.put(f"{where}/overview", json=request(MORNING, EVENING), headers=WAIT)

    answer = await http.put(
        f"{where}/medications/{METFORMINE[0]}/status",
        json=status_request("stopped"),
        headers=WAIT,
    )

    assert [m["status"] for m in answer.json()["medications"]] == ["stopped", "stopped"]


async def test_a_list_of_which_no_entry_can_be_used_is_refused_whole(
    stack: LocalStack, http: httpx.AsyncClient, url: str
) -> None:
    patient = a_patient()
    where = f"{url}/patients/{patient}/overview"
    await http.put(where, json=request(MORNING), headers=WAIT)
    entries = [WITHOUT_QUANTITY, None, {}]

    answer = await http.put(where, json=request() | {"medications": entries}, headers=WAIT)
    await send(stack.kafka, [import_of(patient, entries)])

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["medications"]
    (dead,) = await records_of(stack.kafka, DEAD, [patient], 1)
    assert header(dead, "dl_reason") == "wrong_schema"
    assert header(dead, "dl_detail") == "medications: no_usable_entry"
    assert (await overview_of(http, url, patient))["version"] == 1
