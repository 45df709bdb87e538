"""A rebuild of notification fills which prescriptions are under way, and leaves people alone."""

from datetime import UTC, datetime
from uuid import uuid4

import asyncpg

from runtime.postgres.connection import Connection
from samples.persons import a_person
from schemas import topics
from schemas.access import Party
from schemas.records.orders import Outcome
from tests.harness.kafka import eventually, send, sent
from tests.harness.made import PHARMACY
from tests.integration.operator import herhaal
from tests.integration.people.client import Client, a_bsn
from tests.unit.notification.made import a_line, decided

TABLES = ("people", "people_hashes", "proxies", "message_reads", "preferences")
AS_BEFORE = """
update orders set
    body = convert_to((convert_from(body, 'UTF8')::jsonb - 'pharmacy' - 'approved_at')::text, 'UTF8')
where order_id in (select order_id from messages where patient = $1)
"""


async def contents(db: Connection) -> list[list[asyncpg.Record]]:
    """The rows of all tables that follow from no topic."""
    return [await db.fetch(f"select t::text from {table} t order by 1") for table in TABLES]


async def test_rows_from_before_are_filled_and_people_stay_as_they_are(assistant: Client) -> None:
    """Given an order from before its pharmacy was kept; then the pharmacy does not see the patient; when
    notification is rebuilt; then it does, and every row about people, what they read and prefer is the same.
    """
    patient = await assistant.registered(a_person(a_bsn()))
    line = a_line("Metformine 500 mg tablet", Outcome.APPROVED)
    order = decided(line, at=datetime.now(UTC), order_id=uuid4(), patient=patient)
    pharmacist = assistant.as_(Party.PHARMACIST, pharmacy=PHARMACY)

    async def status() -> int:
        return (await pharmacist.show(patient)).status_code

    await send(assistant.stack.kafka, [sent(topics.ORDERS_EVENTS.name, order)])
    await eventually(status, lambda code: code == 200)
    mine = assistant.as_(Party.PATIENT, patients=(patient,))
    (message,) = (await mine.ask("GET", f"/patients/{patient}/messages")).json()["messages"]
    path = f"/patients/{patient}/messages/{message['message_id']}/read"
    assert (await mine.ask("PUT", path)).status_code == 204
    wanted = {"language": "en"}
    assert (await mine.ask("PUT", f"/patients/{patient}/preferences", wanted)).status_code == 200
    db = await asyncpg.connect(assistant.stack.databases["notification"])
    try:
        await db.execute(AS_BEFORE, patient)
        assert await status() == 404
        before = await contents(db)
        arguments = ("rebuild", "notification", "--postgres", assistant.stack.postgres)
        compared = await herhaal(assistant.stack, *arguments, "--compare-only")
        assert compared.code == 2, compared
        said = await herhaal(assistant.stack, *arguments, "--by", "op-1")
        assert said.code == 0, said
        assert not [table for table in TABLES if table in said.text]
        assert await contents(db) == before
        assert all(before)
    finally:
        await db.close()
    await eventually(status, lambda code: code == 200)
