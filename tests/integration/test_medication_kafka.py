"""medication on real Kafka and PostgreSQL: changes over Kafka, late writes, bad records."""

from uuid import uuid4

import httpx
import pytest

from deploy.local import LocalStack
from schemas.base import Body
from schemas.records.medication import (
    MedicationOverview,
    MedicationReview,
    MedicationSetStatus,
    Status,
)
from tests.harness.kafka import header, records_of, send, sent
from tests.harness.made import (
    GP,
    METFORMINE,
    OMEPRAZOL,
    Sent,
    a_patient,
    an_import,
    entry,
)
from tests.integration.medication_client import (
    CHANGES,
    DEAD,
    STATUS,
    overview_of,
    published,
    settled,
    versions,
)


@pytest.fixture
def url(stack: LocalStack) -> str:
    """Return the base URL of medication's API."""
    return stack.endpoints["medication"]


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
    """Given version 1 again after version 3, as from a worker that lost its partition;
    then version 3 is published once more and is the last."""
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
