"""Of two orders of one medicine at the same moment, by two doors, exactly one passes."""

import asyncio
from collections import Counter
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.local import LocalStack
from schemas.base import Channel, PlacedBy, Role
from schemas.records.orders import OrderPlace
from schemas.topics import MEDICATION_CHANGES, ORDERS_REQUESTS
from tests.harness.kafka import eventually, send, sent
from tests.harness.made import AUTHORISED, a_patient, an_import, an_order, entry
from tests.integration.ordering_api import OrderingClient

PATIENTS = 200
WAIT_S = 60
ONCE = {"authorisation": AUTHORISED.model_copy(update={"repeats": 1}), "dosage": "zo nodig 1"}

_STORED = "select count(*) from overviews where patient = any($1)"
_LINES = """
select patient, outcome, count(*) as lines from order_lines where patient = any($1) group by 1, 2
"""


@pytest.fixture
def ordering(stack: LocalStack, http: httpx.AsyncClient) -> OrderingClient:
    return OrderingClient(stack, http)


async def query(ordering: OrderingClient, sql: str, patients: list[str]) -> list[Any]:
    """Ask ordering's database about these patients."""
    db = await asyncpg.connect(ordering.stack.databases["ordering"])
    try:
        return list(await db.fetch(sql, patients))
    finally:
        await db.close()


async def people(ordering: OrderingClient, **changes: Any) -> list[str]:
    """Make patients whose overviews ordering has stored."""
    patients = [a_patient() for _ in range(PATIENTS)]
    imports = [an_import(patient, entry(**changes)) for patient in patients]
    kafka = ordering.stack.kafka
    await send(kafka, [sent(MEDICATION_CHANGES.name, each) for each in imports])

    async def stored() -> int:
        ((count,),) = await query(ordering, _STORED, patients)
        return int(count)

    await eventually(stored, lambda count: count == PATIENTS, WAIT_S)
    return patients


def by_phone(patient: str) -> OrderPlace:
    """The same medicine, ordered by telephone: an assistant of the practice enters it."""
    by = PlacedBy(role=Role.ASSISTANT, id="assistant-1")
    return an_order(patient, channel=Channel.RECEPTENLIJN, placed_by=by)


async def test_by_http_and_by_kafka_at_once_one_of_two_passes_two_hundred_times(
    ordering: OrderingClient,
) -> None:
    """Given one repeat left, too; then the other is a duplicate, and the count is used once."""
    patients = await people(ordering, **ONCE)
    over_kafka = [sent(ORDERS_REQUESTS.name, by_phone(patient)) for patient in patients]
    over_http = [ordering.place(an_order(patient)) for patient in patients]
    await asyncio.gather(send(ordering.stack.kafka, over_kafka), *over_http)

    async def decided() -> Counter[tuple[str, str]]:
        rows = await query(ordering, _LINES, patients)
        return Counter({(row["patient"], row["outcome"]): row["lines"] for row in rows})

    lines = await eventually(decided, lambda found: found.total() == 2 * PATIENTS, WAIT_S)
    for patient in patients:
        assert (lines[patient, "approved"], lines[patient, "refused"]) == (1, 1)
