"""medication's tables on a real PostgreSQL: searchable rows that give the bytes that were published."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from runtime.errors import Outdated
from runtime.loop.handler import Done
from runtime.messages.encoding import encode
from runtime.messages.message import Message, Outgoing
from runtime.messages.parser import Parser
from runtime.postgres import migrations
from runtime.postgres.statements import COPY_ABOVE, Writes
from schemas.base import Actor, Body, Role
from schemas.records.medication import (
    Change,
    FlawedEntry,
    Medication,
    MedicationOverview,
    MedicationSetStatus,
    Status,
)
from schemas.topics import MEDICATION_CHANGES
from services.medication import store
from services.medication.app import SERVICE
from services.medication.domain.history import change_between
from services.medication.domain.overview import Patient
from services.medication.handlers import INPUTS, MedicationHandler, overview_record
from tests.harness.made import AMOXICILLINE, GP, METFORMINE, OMEPRAZOL, PRACTICE, an_import, entry
from tests.harness.records import delivered

Db: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

OLDER_ROWS = Path(__file__).parent / "older_rows" / "medication_0001.sql"
"""Rows that the code before migration 0002 wrote, of overviews that it had published."""

ANNA, BERT = "pat_anna0001", "pat_bert0002"

CHANGED_AT = datetime(2026, 11, 1, 8, 0, 0, 7000, tzinfo=UTC)

ODD = '’s avonds 1\tna "het" eten \\ \\u0041 💊 \u2028 <b>'
"""Characters that JSON can escape in several ways."""


LACKING = ("medicine", "status", "dosage", "quantity", "unit")
"""The fields that an entry with a PRK alone lacks."""


@pytest.fixture
async def empty(scratch: str) -> AsyncIterator[Db]:
    """Open a connection to a database without tables."""
    connection = await asyncpg.connect(scratch)
    yield connection
    await connection.close()


@pytest.fixture
async def db(empty: Db) -> Db:
    """Return a connection to medication's tables, empty."""
    await migrations.migrate(empty, wanted())
    return empty


@pytest.fixture
async def older(empty: Db) -> Db:
    """Return a connection to the tables and rows of an older installation, before migration 0002."""
    before = [m for m in wanted() if m.name.startswith("runtime/") or "/0001_" in m.name]
    await migrations.migrate(empty, before)
    await empty.execute(OLDER_ROWS.read_text())
    return empty


def wanted() -> list[migrations.Migration]:
    """Return the migrations of medication's database."""
    loop = migrations.read("runtime", migrations.RUNTIME)
    return [*loop, *migrations.read("medication", SERVICE.migrations)]


def an_overview(
    patient: str, version: int, *medications: Medication, practice: str = PRACTICE
) -> MedicationOverview:
    """Return a version of a patient's overview."""
    return MedicationOverview(
        patient=patient,
        practice=practice,
        version=version,
        changed_at=CHANGED_AT,
        change=Change(change_id=UUID(int=version), kind="import", by=GP, reason=ODD),
        medications=medications,
    )


def a_stop(prk: str) -> MedicationSetStatus:
    """Return the command of a GP who stops one of Anna's medicines."""
    return MedicationSetStatus(
        change_id=uuid4(), patient=ANNA, by=GP, prk=prk, status=Status.STOPPED
    )


def _message(body: Body) -> Message[Any]:
    parsed = Parser.of(INPUTS).parse(delivered(MEDICATION_CHANGES, body))
    assert isinstance(parsed, Message)
    return parsed


async def handle(db: Db, *bodies: Body) -> list[MedicationOverview]:
    """Handle and save these changes as one batch; return the overviews that are published."""
    handler, messages = MedicationHandler(), [_message(body) for body in bodies]
    work = await handler.load(db, messages)
    published: list[Outgoing] = []
    for message in messages:
        done = handler.handle(message, work)
        assert isinstance(done, Done), done
        published += done.records
    writes = Writes()
    handler.save(work, writes)
    async with db.transaction():
        await writes.send(db)
    return [MedicationOverview.model_validate_json(record.value or b"") for record in published]


async def save(db: Db, *overviews: MedicationOverview) -> None:
    """Save these overviews, without history."""
    writes = Writes()
    store.save_overviews(writes, [Patient(overview, overview.version) for overview in overviews])
    await writes.send(db)


async def history(db: Db, patient: str = ANNA) -> list[asyncpg.Record]:
    """Return the rows of a patient's history, by version."""
    query = "select * from overview_changes where patient = $1 order by version"
    return await db.fetch(query, patient)


def statuses(medications: str) -> dict[str, str]:
    """Map each PRK code in a row's JSON to its status."""
    return {entry["prk"]: entry["status"] for entry in orjson.loads(medications)}


async def test_overviews_of_an_older_installation_are_published_as_they_were(older: Db) -> None:
    """With the fields that an entry has today."""
    rows = await older.fetch("select patient, version, seen_version, body from overviews")
    assert len(rows) == 3

    await migrations.migrate(older, wanted())

    found = await store.patients(older, [row["patient"] for row in rows])
    for row in rows:
        patient = found[row["patient"]]
        assert patient.overview is not None
        today = encode(MedicationOverview.model_validate_json(row["body"]))
        assert overview_record(patient.overview, None).value == today
        assert patient.seen_version == row["seen_version"]
        shown = await store.overview(older, row["patient"])
        assert shown == store.OverviewJson(
            orjson.loads(row["body"])["practice"], row["version"], today
        )


async def test_the_history_of_an_older_installation_begins_with_the_overviews_that_it_has(
    older: Db,
) -> None:
    await migrations.migrate(older, wanted())

    (start,) = await history(older)

    current = (await store.patients(older, [ANNA]))[ANNA].overview
    assert current is not None
    change = current.change
    assert (start["version"], start["change_id"], start["kind"]) == (
        2,
        change.change_id,
        "set_status",
    )
    assert (start["by_role"], start["by_id"]) == (change.by.role, change.by.id)
    assert (start["reason"], start["at"]) == (change.reason, current.changed_at)
    assert (start["practice_before"], start["practice"], start["before"]) == (None, PRACTICE, None)
    (only,) = await history(older, BERT)
    assert (only["version"], only["before"], only["after"]) == (1, "[]", "[]")
    whole = """
        select count(*) from overviews o join overview_changes c using (patient, version)
        where c.after = o.medications
    """
    assert await older.fetchval(whole) == 3


async def test_an_older_installation_goes_on_where_it_was(older: Db) -> None:
    """Given a change that the older code applied, when it is repeated, then nothing is published;
    the next change has before and after in its history."""
    await migrations.migrate(older, wanted())
    again = MedicationSetStatus(
        change_id=UUID("362ff061-06a2-46b6-a272-154635a53e22"),
        patient=ANNA,
        by=Actor(role=Role.ASSISTANT, id='ass "7" \\ ’s'),
        prk=METFORMINE[0],
        status=Status.STOPPED,
        reason="bijwerkingen: misselijk",
    )
    assert await handle(older, again) == []

    (published,) = await handle(older, a_stop(AMOXICILLINE[0]))

    assert published.version == 3
    _, change = await history(older)
    assert statuses(change["before"]) == {AMOXICILLINE[0]: "temporary"}
    assert statuses(change["after"]) == {AMOXICILLINE[0]: "stopped"}


@pytest.mark.parametrize(
    "medications",
    [
        (),
        (entry(OMEPRAZOL), entry(METFORMINE)),
        (entry(METFORMINE, dosage=ODD, unit="½ ml", quantity=100_000, days_supply=None),),
        (
            entry(
                last_ordered_on="2026-08-01",
                prescribed_on="1998",
                authorised_until=date(9999, 12, 31),
                high_risk=True,
                repeat_service=True,
                reviewed_at=datetime(2026, 6, 1, 9, 30, 0, 123456, tzinfo=UTC),
            ),
        ),
    ],
)
async def test_an_overview_comes_back_from_its_row_as_the_same_bytes(
    db: Db, medications: tuple[Medication, ...]
) -> None:
    overview = an_overview(ANNA, 7, *medications)

    await save(db, overview)

    assert await store.overview(db, ANNA) == store.OverviewJson(PRACTICE, 7, encode(overview))


async def test_flaws_come_back_from_their_row_and_are_in_the_history(db: Db) -> None:
    lacking = FlawedEntry(readable={"prk": AMOXICILLINE[0]}, wrong=LACKING)

    (published,) = await handle(db, an_import(ANNA, entry(METFORMINE), lacking))

    assert published.flaws == (lacking.flaw(2),)
    assert await store.overview(db, ANNA) == store.OverviewJson(PRACTICE, 1, encode(published))
    (change,) = await history(db)
    flaw = {"position": 2, "prk": AMOXICILLINE[0], "medicine": None}
    assert orjson.loads(change["flaws"]) == [flaw | {"fields": [*LACKING], "kept": False}]


async def test_a_practice_finds_its_patients_with_flaws(db: Db) -> None:
    lacking = FlawedEntry(readable={"prk": AMOXICILLINE[0]}, wrong=LACKING)
    await handle(db, an_import(ANNA, entry(), lacking), an_import(BERT, entry()))

    found = await db.fetch(
        "select patient from overviews where practice = $1 and flaws <> '[]'", PRACTICE
    )

    assert [row["patient"] for row in found] == [ANNA]


async def test_a_batch_writes_overviews_and_their_history_together(db: Db) -> None:
    imported = an_import(ANNA, entry(METFORMINE), entry(OMEPRAZOL))
    stop = a_stop(OMEPRAZOL[0])

    published = await handle(db, imported, stop, an_import(BERT))

    assert [(o.patient, o.version) for o in published] == [(ANNA, 1), (ANNA, 2), (BERT, 1)]
    first, second = await history(db)
    assert (first["before"], statuses(first["after"])) == (
        "[]",
        {METFORMINE[0]: "chronic", OMEPRAZOL[0]: "chronic"},
    )
    assert (first["practice_before"], first["practice"]) == (None, PRACTICE)
    assert (second["change_id"], second["kind"]) == (stop.change_id, "set_status")
    assert (second["practice_before"], second["practice"]) == (PRACTICE, PRACTICE)
    assert statuses(second["before"]) == {OMEPRAZOL[0]: "chronic"}
    assert statuses(second["after"]) == {OMEPRAZOL[0]: "stopped"}
    assert len(await history(db, BERT)) == 1


async def test_a_batch_of_many_changes_is_copied_to_the_history(db: Db) -> None:
    many = [an_import(f"pat_many{n:04d}", entry(dosage=ODD)) for n in range(COPY_ABOVE + 1)]

    await handle(db, *many)

    rows = await db.fetch("select after from overview_changes")
    assert len(rows) == len(many)
    assert {orjson.loads(row["after"])[0]["dosage"] for row in rows} == {ODD}


async def test_a_version_that_the_history_has_already_makes_a_batch_outdated(db: Db) -> None:
    change = change_between(None, an_overview(ANNA, 1, entry()))
    for already in (False, True):
        writes = Writes()
        store.add_changes(writes, [change])
        if not already:
            await writes.send(db)
            continue
        with pytest.raises(Outdated), writes.raising_outdated():
            await writes.send(db)


async def test_an_adopted_overview_starts_the_history_anew_and_an_older_one_leaves_it(
    db: Db,
) -> None:
    await handle(db, an_import(ANNA, entry(METFORMINE)))
    newer, older = an_overview(ANNA, 5, entry(OMEPRAZOL)), an_overview(ANNA, 3, entry())
    other = an_overview(BERT, 2, entry())

    assert await store.adopt(db, [newer, other]) == 2
    assert await store.adopt(db, [older]) == 0

    assert await store.overview(db, ANNA) == store.OverviewJson(PRACTICE, 5, encode(newer))
    first, start = await history(db)
    assert (first["version"], start["version"]) == (1, 5)
    assert (start["before"], statuses(start["after"])) == (None, {OMEPRAZOL[0]: "chronic"})
    assert [row["version"] for row in await history(db, BERT)] == [2]


async def test_people_find_the_patients_of_a_practice_by_what_they_use(db: Db) -> None:
    """Given a search by practice and medicine; then it uses the index and gives that practice's patients."""
    await save(
        db,
        an_overview(ANNA, 1, entry(OMEPRAZOL, high_risk=True)),
        an_overview(BERT, 1, entry(METFORMINE)),
        an_overview("pat_moved001", 1, entry(OMEPRAZOL), practice="01999002"),
    )
    query = "select patient from overviews where practice = $1 and medications @> $2::text::jsonb"
    uses = orjson.dumps([{"prk": OMEPRAZOL[0], "status": "chronic"}]).decode()

    assert [row["patient"] for row in await db.fetch(query, PRACTICE, uses)] == [ANNA]

    await db.execute("set enable_seqscan to off")
    plan = await db.fetch(f"explain {query}", PRACTICE, uses)
    assert "overviews_of_practice" in str(plan)
