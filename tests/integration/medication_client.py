"""Helpers of medication's tests: its topics, requests, and the records that it publishes."""

from typing import Any

import httpx
from aiokafka import ConsumerRecord

from deploy.local import LocalStack
from schemas import topics
from schemas.records.medication import Medication, MedicationOverview
from tests.harness.kafka import eventually, records_of, send, sent
from tests.harness.made import (
    GP,
    PRACTICE,
    a_patient,
    an_import,
    entry,
)

CHANGES = topics.MEDICATION_CHANGES.name
STATUS = topics.MEDICATION_STATUS.name
DEAD = topics.dead_letters("medication").name
WAIT = {"Prefer": "wait=20"}


def request(*medications: Medication, **changes: Any) -> dict[str, Any]:
    """Return a request that imports a whole overview, as a practice's system sends it."""
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
    """Wait until every change sent so far is handled: send more to all partitions, and wait for those."""
    last = [a_patient() for _ in range(40)]
    await send(stack.kafka, [sent(CHANGES, an_import(patient)) for patient in last])
    for patient in last:
        await overview_of(http, url, patient)


def is_version_7(seen: httpx.Response) -> bool:
    """Check that the answer's ETag is that of version 7."""
    return '"7"' in seen.headers.get_list("etag")


async def overview_of(http: httpx.AsyncClient, url: str, patient: str) -> dict[str, Any]:
    """Return a patient's overview, as soon as it exists."""
    answer = await eventually(
        lambda: http.get(f"{url}/patients/{patient}/overview"), lambda seen: seen.status_code == 200
    )
    found: dict[str, Any] = answer.json()
    return found
